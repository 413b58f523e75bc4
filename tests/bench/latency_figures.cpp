// How long a durable claim takes when claims arrive at a fixed rate, whether or not earlier ones are done: what a
// caller sees, with the time it waits because others are slow.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>

#include "bench/callers.hpp"
#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/percentiles.hpp"

namespace openindex::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Call = std::function<void(std::size_t)>;

constexpr std::size_t callers = 64;
constexpr double default_seconds = 1;
constexpr double fixed_rate = 500;

/// When arrivals come and what became of them.
struct Arrivals {
  double rate;
  std::size_t count;
  Clock::time_point start;
  std::vector<double> latencies = std::vector<double>(count);  ///< Microseconds, from when each was due.

  [[nodiscard]] Clock::time_point due(std::size_t arrival) const {
    return start + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(arrival) / rate));
  }
};

void serve(Arrivals& arrivals, std::atomic<std::size_t>& next, const Call& call) {
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // wake up when it is due, not within 50 microseconds of it
  for (std::size_t i = next++; i < arrivals.count; i = next++) {
    std::this_thread::sleep_until(arrivals.due(i));
    call(i);
    arrivals.latencies[i] = std::chrono::duration<double, std::micro>(Clock::now() - arrivals.due(i)).count();
  }
}

/// Call `count` times at that rate. A call that fails ends the program: a latency of failures means nothing.
std::vector<double> open_loop(double rate, std::size_t count, const Call& call) {
  Arrivals arrivals{.rate = rate, .count = count, .start = Clock::now() + std::chrono::milliseconds(20)};
  std::atomic<std::size_t> next{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i) {
      threads.emplace_back([&] { serve(arrivals, next, call); });
    }
  }
  return std::move(arrivals.latencies);
}

std::vector<double> engine_latencies(const Desk& desk, double rate, std::size_t count) {
  std::vector<double> latencies;
  desk.on_copy([&](const std::filesystem::path& file) {
    OpenDesk open(file);
    latencies = open_loop(rate, count, [&](std::size_t i) { require(open.engine.claim(agent(), desk.keys()[i])); });
  });
  return latencies;
}

std::vector<double> raw_latencies(const Desk& desk, double rate, std::size_t count) {
  std::vector<double> latencies;
  desk.on_copy([&](const std::filesystem::path& file) {
    RawSqlite raw(file, desk.program());
    RawGroup group(raw);
    latencies = open_loop(rate, count, [&](std::size_t i) { group.commit(desk.claims()[i]); });
  });
  return latencies;
}

/// What the callers get done when each claims again as soon as it can.
double capacity(const Desk& desk) {
  Stopwatch watch;
  std::size_t count = 0;
  desk.on_copy([&](const std::filesystem::path& file) {
    OpenDesk open(file);
    count = run_callers(watch, callers, desk.keys().size(),
                        [&](std::size_t i) { require(open.engine.claim(agent(), desk.keys()[i])); });
  });
  return static_cast<double>(count) / watch.seconds();
}

std::vector<Reading> at_rate(const Desk& desk, const std::string& prefix, double rate, double seconds) {
  const auto count = std::min(desk.keys().size(), static_cast<std::size_t>(rate * seconds));
  Latencies engine;
  Latencies raw;
  for (std::size_t i = 0; i < round_count && !asked_to_stop(); ++i) {
    engine.push_back(engine_latencies(desk, rate, count));
    raw.push_back(raw_latencies(desk, rate, count));
  }
  return latency_readings(prefix, "us", std::move(engine), std::move(raw));
}

std::vector<Reading> latencies(const Place& place) {
  const double seconds = place.seconds.value_or(default_seconds);
  const double half = capacity(Desk(place, "capacity", 10'000)) / 2;
  const Desk desk(place, "latency", static_cast<std::size_t>(std::ceil(std::max(half, fixed_rate) * seconds)));
  std::vector<Reading> readings{{"sqlite.latency.half_rate", "per second", {half, half, half, {}}}};
  for (auto& reading : at_rate(desk, "sqlite.latency.500_", fixed_rate, seconds)) readings.push_back(reading);
  for (auto& reading : at_rate(desk, "sqlite.latency.half_", half, seconds)) readings.push_back(reading);
  return readings;
}

}  // namespace

std::vector<Figure> latency_figures() { return {{.name = "sqlite.latency", .on_disk = true, .read = latencies}}; }

}  // namespace openindex::bench
