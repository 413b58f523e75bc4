// Text of people, models and tools on its way into a prompt, an item or a detail: cleaned and cut.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace openindex::agent {

/// Return the text without control characters; line feeds and tabs stay. @pre valid UTF-8
std::string without_controls(std::string_view text);

/// Return the text on one line, cut to a number of bytes with `…` for the rest: for details that people read.
std::string shortened(std::string_view text, std::size_t bytes_max = 300);

}  // namespace openindex::agent
