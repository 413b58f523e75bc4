// A regular expression that a definition gives for the values of a text field.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <openindex/core/result.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

namespace openindex::workflow {

/// Compiled once, matched from any thread.
class Pattern {
 public:
  static constexpr std::size_t bytes_max = 200;

  /// @pre valid UTF-8 of at most `bytes_max` bytes
  /// @par Errors invalid_argument, whose message says what is wrong with the expression
  static Result<Pattern> compile(std::string_view text);

  /// Match the whole text. @pre valid UTF-8
  [[nodiscard]] PatternFit fit(std::string_view text) const;

 private:
  struct Expression;
  explicit Pattern(std::shared_ptr<const Expression> expression) : expression_(std::move(expression)) {}

  std::shared_ptr<const Expression> expression_;
};

}  // namespace openindex::workflow
