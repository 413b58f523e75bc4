#include <openindex/core/clock.hpp>

#include <charconv>

namespace openindex {
inline namespace v0 {
namespace {

using namespace std::chrono;

class SystemClock final : public Clock {
 public:
  Time now() const override { return time_point_cast<Duration>(std::chrono::system_clock::now()); }
  Duration steady() const override { return duration_cast<Duration>(steady_clock::now().time_since_epoch()); }
};

/// By hand, because every audit entry has a time and formatting it took longer than its digest.
void append_digits(std::string& out, std::int64_t value, std::size_t width) {
  char digits[20];
  const auto count = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits);
  if (count < width) out.append(width - count, '0');
  out.append(digits, count);
}

std::optional<int> digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + count, value);
  if (problem != std::errc() || end != text.data() + count || text[0] == '-') return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool skip(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

milliseconds fraction(std::string_view& text) {
  int value = 0;
  int scale = 100;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    value += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return milliseconds(value);
}

std::optional<minutes> offset(std::string_view& text) {
  if (skip(text, "Zz")) return minutes(0);
  const bool west = !text.empty() && text.front() == '-';
  if (!skip(text, "+-")) return std::nullopt;
  const auto hour = digits(text, 2);
  if (!hour || !skip(text, ":")) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const minutes total = hours(*hour) + minutes(*minute);
  return west ? -total : total;
}

}  // namespace

Clock::~Clock() = default;

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string to_rfc3339(Time time) {
  const auto day_start = floor<days>(time);
  const year_month_day date(day_start);
  const hh_mm_ss clock(time - day_start);
  std::string text;
  text.reserve(24);
  append_digits(text, static_cast<int>(date.year()), 4);
  append_digits(text.append(1, '-'), static_cast<unsigned>(date.month()), 2);
  append_digits(text.append(1, '-'), static_cast<unsigned>(date.day()), 2);
  append_digits(text.append(1, 'T'), clock.hours().count(), 2);
  append_digits(text.append(1, ':'), clock.minutes().count(), 2);
  append_digits(text.append(1, ':'), clock.seconds().count(), 2);
  append_digits(text.append(1, '.'), clock.subseconds().count(), 3);
  text.push_back('Z');
  return text;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto y = digits(text, 4);
  if (!y || !skip(text, "-")) return std::nullopt;
  const auto mo = digits(text, 2);
  if (!mo || !skip(text, "-")) return std::nullopt;
  const auto d = digits(text, 2);
  if (!d || !skip(text, "Tt ")) return std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d)));
  const auto h = digits(text, 2);
  if (!date.ok() || !h || !skip(text, ":")) return std::nullopt;
  const auto mi = digits(text, 2);
  if (!mi || !skip(text, ":")) return std::nullopt;
  const auto s = digits(text, 2);
  if (!s || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  const milliseconds part = skip(text, ".") ? fraction(text) : milliseconds(0);
  const auto shift = offset(text);
  if (!shift || !text.empty()) return std::nullopt;
  return sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s) + part - *shift;
}

}  // namespace v0
}  // namespace openindex
