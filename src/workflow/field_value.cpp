#include <openindex/workflow/field_value.hpp>

#include <charconv>

#include <fmt/format.h>

#include "json/writer.hpp"

namespace openindex {
inline namespace v0 {

std::string to_text(Date date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) -> int {
    int value = -1;
    const char* end = text.data() + at + size;
    const auto read = std::from_chars(text.data() + at, end, value);
    return read.ec == std::errc() && read.ptr == end ? value : -1;
  };
  const int year = part(0, 4);
  const int month = part(5, 2);
  const int day = part(8, 2);
  if (year < 0 || month < 1 || day < 1) return std::nullopt;
  const Date date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                  std::chrono::day(static_cast<unsigned>(day)));
  return date.ok() ? std::optional(date) : std::nullopt;
}

std::string FieldValue::display() const {
  if (const std::string* value = text()) return *value;
  if (const Date* value = date()) return to_text(*value);
  std::string out;
  if (const double* value = number()) json::append_number(out, *value);
  return out;
}

}  // namespace v0
}  // namespace openindex
