// Latencies of several rounds, and what they come to: p50, p99, p99.9.
#pragma once

#include <string>
#include <vector>

#include "bench/figure.hpp"

namespace openindex::bench {

/// Return the value that so much of all (0.99) does not exceed; 0 of nothing. Sorts them.
double percentile(std::vector<double>& values, double part);

/// The latencies of each round.
using Latencies = std::vector<std::vector<double>>;

/// Three readings `<prefix>p50_<unit>`, `p99` and `p999`: of all rounds together, with the range that single rounds
/// have, beside the same of the baseline.
std::vector<Reading> latency_readings(const std::string& prefix, const std::string& unit, Latencies values,
                                      Latencies baselines);

}  // namespace openindex::bench
