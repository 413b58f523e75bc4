#include "bench/percentiles.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace openindex::bench {
namespace {

std::vector<double> joined(const Latencies& rounds) {
  std::vector<double> all;
  for (const auto& round : rounds) all.insert(all.end(), round.begin(), round.end());
  return all;
}

}  // namespace

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
  return values[std::min(values.size(), std::max<std::size_t>(rank, 1)) - 1];
}

std::vector<Reading> latency_readings(const std::string& prefix, const std::string& unit, Latencies values,
                                      Latencies baselines) {
  auto all = joined(values);
  auto all_baselines = joined(baselines);
  std::vector<Reading> readings;
  for (const auto& [name, part] : {std::pair("p50", 0.5), std::pair("p99", 0.99), std::pair("p999", 0.999)}) {
    std::vector<double> of_rounds;
    for (auto& round : values) of_rounds.push_back(percentile(round, part));
    const auto [min, max] = std::minmax_element(of_rounds.begin(), of_rounds.end());
    Measured measured{percentile(all, part), *min, *max, {}};
    if (!all_baselines.empty()) measured.baseline = percentile(all_baselines, part);
    readings.push_back({prefix + name + "_" + unit, unit, measured});
  }
  return readings;
}

}  // namespace openindex::bench
