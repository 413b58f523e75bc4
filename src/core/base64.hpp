// Base64 (RFC 4648): as mail and headers have it, and as URLs and tokens do, with `-` and `_` and without padding.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openindex {

std::string to_base64(std::span<const unsigned char> bytes);
std::string to_base64url(std::span<const unsigned char> bytes);

/// Read what `to_base64url` writes, and nothing else: bytes have one spelling.
std::optional<std::vector<unsigned char>> from_base64url(std::string_view text);

}  // namespace openindex
