#include "codecs/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

#include "codecs/reply_reader.hpp"

namespace openindex::codecs {
namespace {

constexpr double most_ms = 30.0 * 24 * 3600 * 1000;
constexpr double reset_most_ms = 60'000;

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

// `1s`, `6m0s`, `20ms`: as OpenAI says how long a limit lasts.
std::optional<double> read_span_ms(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr std::array<Unit, 4> units = {{{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};
  double sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto digits = text.find_first_not_of("0123456789.");
    const auto number = read_number(text.substr(0, digits));
    if (!number || digits == std::string_view::npos) return std::nullopt;
    text.remove_prefix(digits);
    const auto unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& one) { return text.starts_with(one.name); });
    if (unit == units.end()) return std::nullopt;
    sum += *number * unit->ms;
    text.remove_prefix(unit->name.size());
  }
  return sum;
}

// What is left of a limit, and until when or how long.
struct Limit {
  std::string_view remaining;
  std::string_view reset;
};

// A limit that is used up lets the next request through long before it is all there again, which is what the headers
// tell; when, they do not. So they are believed as far as a minute.
template <class Read>
std::optional<double> longest_reset(const HttpResponse& response, std::span<const Limit> limits, const Read& read) {
  std::optional<double> longest;
  for (const Limit& limit : limits) {
    const auto remaining = read_number(response.header(limit.remaining));
    if (!remaining || *remaining > 0) continue;
    const std::optional<double> ms = read(response.header(limit.reset));
    if (ms && (!longest || *longest < *ms)) longest = std::min(*ms, reset_most_ms);
  }
  return longest;
}

std::optional<double> openai_reset(const HttpResponse& response) {
  constexpr std::array<Limit, 2> limits = {{{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
                                            {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"}}};
  return longest_reset(response, limits, read_span_ms);
}

std::optional<double> anthropic_reset(const HttpResponse& response, std::chrono::sys_seconds now) {
  constexpr std::array<Limit, 4> limits = {
      {{"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
       {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
       {"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
       {"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"}}};
  const auto read = [&](std::string_view text) -> std::optional<double> {
    const auto until = parse_rfc3339(text);
    if (!until) return std::nullopt;
    return std::max(0.0, static_cast<double>((*until - Time(now.time_since_epoch())).count()));
  };
  return longest_reset(response, limits, read);
}

Duration bounded(double ms) { return Duration(static_cast<Duration::rep>(std::clamp(ms, 0.0, most_ms))); }

}  // namespace

std::optional<Duration> retry_after(const HttpResponse& response) {
  if (const auto ms = read_number(response.header("retry-after-ms"))) return bounded(*ms);
  const auto value = response.header("retry-after");
  if (const auto seconds = read_number(value)) return bounded(std::ceil(*seconds * 1000));
  const auto now = read_http_date(response.header("date"));
  const auto until = now ? read_http_date(value) : std::nullopt;
  if (until) return bounded(static_cast<double>((*until - *now).count()) * 1000);
  if (response.status != 429) return std::nullopt;  // other answers tell how the limits stand, too
  if (const auto reset = openai_reset(response)) return bounded(std::ceil(*reset));
  if (!now) return std::nullopt;
  if (const auto reset = anthropic_reset(response, *now)) return bounded(*reset);
  const auto reset = read_number(response.header("x-ratelimit-reset"));
  if (!reset) return std::nullopt;
  const double left = *reset - static_cast<double>(now->time_since_epoch().count());
  // Some count from now instead; such a number would be a moment in 1970.
  return left < -most_ms / 1000 ? std::nullopt : std::optional(bounded(std::ceil(left * 1000)));
}

std::optional<Duration> retry_delay(const boost::json::object& body) {
  if (const auto* loaded_in = member(body, "estimated_time"); loaded_in != nullptr && loaded_in->is_number()) {
    const auto seconds = loaded_in->to_number<double>();
    if (std::isfinite(seconds) && seconds >= 0) return bounded(std::ceil(seconds * 1000));
  }
  const auto* error = object_member(body, "error");
  const auto* details = error == nullptr ? nullptr : member(*error, "details");
  if (details == nullptr || !details->is_array()) return std::nullopt;
  for (const auto& detail : details->get_array()) {
    if (!detail.is_object()) continue;
    const auto text = text_member(detail.get_object(), "retryDelay");
    if (!text.ends_with('s')) continue;
    if (const auto seconds = read_number(text.substr(0, text.size() - 1))) return bounded(std::ceil(*seconds * 1000));
  }
  return std::nullopt;
}

}  // namespace openindex::codecs
