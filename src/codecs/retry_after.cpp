#include "codecs/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace openindex::codecs {
namespace {

constexpr double most_ms = 30.0 * 24 * 3600 * 1000;

std::optional<double> read_number(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(number) || number < 0)
    return std::nullopt;
  return number;
}

std::optional<int> read_digits(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is sent today.
std::optional<std::chrono::sys_seconds> read_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT" || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto day = read_digits(text.substr(5, 2)), year = read_digits(text.substr(12, 4));
  const auto hour = read_digits(text.substr(17, 2)), minute = read_digits(text.substr(20, 2)),
             second = read_digits(text.substr(23, 2));
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  if (!day || !year || !hour || !minute || !second || month == months.end()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

Duration bounded(double ms) { return Duration(static_cast<Duration::rep>(std::clamp(ms, 0.0, most_ms))); }

}  // namespace

std::optional<Duration> retry_after(const HttpResponse& response) {
  if (const auto ms = read_number(response.header("retry-after-ms"))) return bounded(*ms);
  const auto value = response.header("retry-after");
  if (const auto seconds = read_number(value)) return bounded(std::ceil(*seconds * 1000));
  const auto until = read_http_date(value), now = read_http_date(response.header("date"));
  if (!until || !now) return std::nullopt;
  return bounded(static_cast<double>((*until - *now).count()) * 1000);
}

}  // namespace openindex::codecs
