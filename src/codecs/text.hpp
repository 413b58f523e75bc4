// Text on its way in or out: made valid UTF-8, cut, and cleared of what must not be seen.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codecs/chat_codec.hpp"
#include "json/writer.hpp"

namespace openindex::codecs {

/// Put U+FFFD in the place of every byte that is no UTF-8: a tool's output may be any bytes.
std::string to_utf8(std::string_view text);

/// Tell whether there is nothing but space.
[[nodiscard]] bool is_blank(std::string_view text) noexcept;

/// Append as a JSON string, whatever the bytes are.
void write_text(json::Writer& writer, std::string_view text);

/// Make a provider's text fit for an error: the endpoint's secrets and anything that looks like a key replaced by
/// `***`, control characters by spaces, cut to a number of bytes.
std::string scrubbed(std::string_view text, const ChatEndpoint& endpoint, std::size_t bytes_max);

}  // namespace openindex::codecs
