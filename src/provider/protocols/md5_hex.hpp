// MD5 as PostgreSQL and MongoDB take passwords: not for secrecy, but since they store nothing else.
#pragma once

#include <string>
#include <string_view>

namespace openindex::providers {

/// 32 digits; empty where the system's policy forbids MD5.
std::string md5_hex(std::string_view text);

}  // namespace openindex::providers
