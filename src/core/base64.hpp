// Base64 (RFC 4648), in the form that URLs and tokens have: `-` and `_`, without padding.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openindex {

std::string to_base64url(std::span<const unsigned char> bytes);

/// Read what `to_base64url` writes, and nothing else: bytes have one spelling.
std::optional<std::vector<unsigned char>> from_base64url(std::string_view text);

}  // namespace openindex
