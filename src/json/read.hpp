// Reading JSON that came from outside: bounded before it is parsed, and never guessed at.
#pragma once

#include <cstddef>
#include <string_view>

#include <boost/json/value.hpp>

#include <openindex/core/result.hpp>

namespace openindex::json {

struct Limits {
  std::size_t bytes_max = 16u * 1024 * 1024;
  std::size_t depth_max = 64;
  std::size_t values_max = static_cast<std::size_t>(-1);  ///< Parsed, two bytes of text may take sixty of memory.
  bool refuse_duplicates = false;  ///< For definitions that a person wrote: a second member of one name is a mistake.
};

/// Parse one JSON text into a value in that memory.
/// @par Errors input_too_large (context `bytes`, `bytes_max`; or `values_max`), invalid_json (one problem: pointer of a
/// duplicate, or line and column of the first character that does not fit)
Result<boost::json::value> parse(std::string_view text, const Limits& limits = {},
                                 boost::json::storage_ptr memory = {});

}  // namespace openindex::json
