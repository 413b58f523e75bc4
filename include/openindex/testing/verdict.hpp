// Verdicts: what a test asks of a `Result`, and what it prints when the answer is another one.
//
//     CHECK(work.progress("plan_to_review") == errc::checklist_incomplete);
//     CHECK(missing(refused) == "Root cause named, Test proposed");
//
// A check that fails shows the whole error instead of `{?}`, in any framework that prints through `operator<<`. Include
// this in every source of a test program or in none: printers must be the same everywhere.
//
// Thread safety: pure functions of their arguments.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <openindex/core/result.hpp>
#include <openindex/workflow/field_value.hpp>

namespace openindex {
inline namespace v0 {

namespace testing {

/// Print `accepted`, or the error as a person would want it; what the printers below are made of.
OPENINDEX_API void print_verdict(std::ostream& out, const Error* refused);

/// Return what the error names as missing, joined by `, `; empty when there was none.
OPENINDEX_API std::string missing(const Error& error);
template <class T>
[[nodiscard]] std::string missing(const Result<T>& result) {
  return result ? std::string() : missing(result.error());
}

/// Return the error's fact of that name, such as `holder`; empty when there is none.
template <class T>
[[nodiscard]] std::string fact(const Result<T>& result, std::string_view key) {
  return result ? std::string() : std::string(result.error().context(key));
}

}  // namespace testing

// Here and not in `testing`, because they are looked up where `Result` lives.

/// Tell whether the call was refused with this code; an accepted one equals no code.
template <class T>
[[nodiscard]] bool operator==(const Result<T>& result, errc code) noexcept {
  return !result && result.error().code() == code;
}

OPENINDEX_API std::ostream& operator<<(std::ostream& out, errc code);
OPENINDEX_API std::ostream& operator<<(std::ostream& out, const Error& error);
OPENINDEX_API std::ostream& operator<<(std::ostream& out, const FieldValue& value);

template <class T>
std::ostream& operator<<(std::ostream& out, const Result<T>& result) {
  testing::print_verdict(out, result ? nullptr : &result.error());
  return out;
}

}  // namespace v0
}  // namespace openindex
