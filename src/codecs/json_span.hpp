// Finding the bytes of a part of a JSON text, so that a provider's message can be kept exactly as it was written.
//
// Of a text that is no valid JSON (parse it first) some part of it is found, or nothing. Where a member occurs twice
// the last one is meant, as in the parsed value.
#pragma once

#include <string_view>

namespace openindex::json {

/// Return the bytes of a member's value; empty when there is no such member (or its name is written with escapes).
std::string_view member_text(std::string_view object, std::string_view name) noexcept;

/// Return the bytes of the first element; empty when there is none.
std::string_view first_element_text(std::string_view array) noexcept;

/// Return the bytes between an array's brackets, without the space around them; empty when there are no elements.
std::string_view elements_text(std::string_view array) noexcept;

/// Take the next element off an array's text, and leave what follows it; empty when there is none.
std::string_view take_element(std::string_view& rest) noexcept;

}  // namespace openindex::json
