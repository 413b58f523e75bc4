// SHA-256 as lower-case hex, plain and keyed.
#pragma once

#include <string>
#include <string_view>

namespace openindex::engine {

std::string sha256_hex(std::string_view bytes);

/// HMAC-SHA-256: says nothing about the bytes to whoever lacks the key.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

}  // namespace openindex::engine
