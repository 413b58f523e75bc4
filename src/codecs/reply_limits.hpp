// How much of what a provider sends is read: enough for any model's longest answer, and so little that reading it takes
// less than 64 MB.
#pragma once

#include <cstddef>

#include "json/read.hpp"

namespace openindex::codecs {

/// Of an answer in one piece, of one event of a stream, and of all that a stream adds up to.
constexpr std::size_t reply_bytes_max = 4u * 1024 * 1024;

/// Of an answer, and of one call's arguments.
constexpr std::size_t reply_values_max = 256u * 1024;

constexpr json::Limits reply_limits{.bytes_max = reply_bytes_max, .values_max = reply_values_max};

}  // namespace openindex::codecs
