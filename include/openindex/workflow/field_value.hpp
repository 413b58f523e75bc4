// FieldValue: the value of a custom field, typed, without a JSON library in sight.
//
// Thread safety: plain values.
#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

using Date = std::chrono::year_month_day;

/// Hold nothing (unset), a text (also the chosen option of a select), a number or a date.
class OPENINDEX_API FieldValue {
 public:
  FieldValue() = default;
  FieldValue(std::string text) : value_(std::move(text)) {}         // NOLINT(google-explicit-constructor)
  FieldValue(std::string_view text) : value_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  FieldValue(const char* text) : value_(std::string(text)) {}       // NOLINT(google-explicit-constructor)
  template <class Number>
  requires std::is_arithmetic_v<Number> &&(!std::same_as<Number, bool>)FieldValue(Number number)
      : value_(static_cast<double>(number)) {}  // NOLINT(google-explicit-constructor)
  FieldValue(Date date) : value_(date) {}       // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool empty() const noexcept { return value_.index() == 0; }
  [[nodiscard]] const std::string* text() const noexcept { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const double* number() const noexcept { return std::get_if<double>(&value_); }
  [[nodiscard]] const Date* date() const noexcept { return std::get_if<Date>(&value_); }

  /// Format for a person: the text, the number without trailing zeros, `2026-11-22`, or nothing.
  [[nodiscard]] std::string display() const;

  friend bool operator==(const FieldValue&, const FieldValue&) = default;

 private:
  std::variant<std::monostate, std::string, double, Date> value_;
};

/// Format as `YYYY-MM-DD`.
OPENINDEX_API std::string to_text(Date date);

/// Read `YYYY-MM-DD`; nullopt when the text is not a day of the calendar.
OPENINDEX_API std::optional<Date> parse_date(std::string_view text);

}  // namespace v0
}  // namespace openindex
