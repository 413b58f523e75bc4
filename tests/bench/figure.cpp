#include "bench/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

namespace openindex::bench {
namespace {

volatile std::sig_atomic_t stopping = 0;

using Values = std::array<double, round_count>;

/// Times need a decimal, rates do not.
std::string shown(double value) { return fmt::format("{:.{}f}", value, value < 1000 ? 1 : 0); }

std::string number_or_null(std::optional<double> value) { return value ? fmt::format("{:.4f}", *value) : "null"; }

}  // namespace

std::optional<double> Measured::ratio() const {
  if (!baseline) return std::nullopt;
  return value / *baseline;
}

std::optional<Measured> measure(const Rounds& rounds) {
  Values values{};
  Values baselines{};
  for (std::size_t i = 0; i < round_count; ++i) {
    if (asked_to_stop()) return std::nullopt;
    values[i] = rounds.value();
    if (rounds.baseline) baselines[i] = rounds.baseline();
  }
  std::sort(values.begin(), values.end());
  std::sort(baselines.begin(), baselines.end());
  Measured measured{values[round_count / 2], values.front(), values.back(), {}};
  if (rounds.baseline) measured.baseline = baselines[round_count / 2];
  return measured;
}

std::optional<std::vector<Reading>> measure(const Figure& figure, const Place& place) {
  if (figure.read) {
    auto readings = figure.read(place);
    if (asked_to_stop()) return std::nullopt;
    return readings;
  }
  const auto measured = measure(figure.prepare(place));
  if (!measured) return std::nullopt;
  return std::vector<Reading>{{figure.name, figure.unit, *measured}};
}

std::string to_text(const Reading& reading) {
  const auto& measured = reading.measured;
  auto line = fmt::format("{:<28} {:>10} {:<10}  {} to {}", reading.name, shown(measured.value), reading.unit,
                          shown(measured.min), shown(measured.max));
  if (const auto ratio = measured.ratio()) {
    line = fmt::format("{:<76}  baseline {:>10}  ratio {:.3f}", line, shown(*measured.baseline), *ratio);
  }
  return line;
}

std::string to_json(const Reading& reading) {
  const auto& measured = reading.measured;
  return fmt::format(R"({{"name":"{}","value":{},"unit":"{}","baseline":{},"ratio":{},"min":{},"max":{}}})",
                     reading.name, number_or_null(measured.value), reading.unit, number_or_null(measured.baseline),
                     number_or_null(measured.ratio()), number_or_null(measured.min), number_or_null(measured.max));
}

void ask_to_stop() noexcept { stopping = 1; }
bool asked_to_stop() noexcept { return stopping != 0; }

}  // namespace openindex::bench
