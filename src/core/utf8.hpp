// Text that came from outside: is it UTF-8, and how to cut it without breaking it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace openindex {

/// Tell whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text) noexcept;

/// The same text with its ASCII letters in lower case; others stay as they are.
char lower_ascii(char c) noexcept;
std::string lower_ascii(std::string_view text);

/// Tell whether a control character is in UTF-8 text: of the first block, DEL, or of the second block (C1). Such a line
/// could move a terminal's cursor.
bool has_control(std::string_view text) noexcept;

/// Return the longest prefix of at most `bytes_max` bytes that does not cut a character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace openindex
