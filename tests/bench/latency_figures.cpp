// How long a durable claim takes when claims arrive at a fixed rate, whether or not earlier ones are done: what a
// caller sees, with the time it waits because others are slow.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>

#include "bench/callers.hpp"
#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/percentiles.hpp"
#include "bench/postgres_desk.hpp"

namespace openindex::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double default_seconds = 1;
constexpr double fixed_rate = 500;

/// Claims an item for a caller, both from 0.
using Call = std::function<void(std::size_t caller, std::size_t item)>;
using Pass = std::function<void(const Call&)>;

/// What is measured, and how to get at it.
struct Subject {
  std::string name;
  std::size_t callers;
  std::function<void(std::size_t items)> fill;         ///< Make so many free items, in place of those before.
  std::function<void(const Pass&)> on_engine, on_raw;  ///< Make a pass over the items as they were made.
};

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

void serve(Arrivals& arrivals, std::atomic<std::size_t>& next, std::size_t caller, const Call& call) {
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // wake up when it is due, not within 50 microseconds of it
  for (std::size_t i = next++; i < arrivals.count; i = next++) {
    std::this_thread::sleep_until(arrivals.due(i));
    call(caller, i);
    arrivals.latencies[i] = std::chrono::duration<double, std::micro>(Clock::now() - arrivals.due(i)).count();
  }
}

/// Call `count` times at that rate. A call that fails ends the program: a latency of failures means nothing.
std::vector<double> open_loop(double rate, std::size_t count, std::size_t callers, const Call& call) {
  Arrivals arrivals{.rate = rate, .count = count, .start = Clock::now() + std::chrono::milliseconds(20)};
  std::atomic<std::size_t> next{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t caller = 0; caller < callers; ++caller) {
      threads.emplace_back([&, caller] { serve(arrivals, next, caller, call); });
    }
  }
  return std::move(arrivals.latencies);
}

/// What the callers get done when each claims again as soon as it can.
double capacity(const Subject& subject, std::size_t items) {
  Stopwatch watch;
  std::size_t count = 0;
  subject.on_engine([&](const Call& call) {
    count = run_callers(watch, subject.callers, items, [&](std::size_t item) { call(0, item); });
  });
  return static_cast<double>(count) / watch.seconds();
}

std::vector<Reading> at_rate(const Subject& subject, const std::string& rate_name, double rate, double seconds) {
  const auto count = static_cast<std::size_t>(rate * seconds);
  Latencies engine;
  Latencies raw;
  for (std::size_t i = 0; i < round_count && !asked_to_stop(); ++i) {
    subject.on_engine([&](const Call& call) { engine.push_back(open_loop(rate, count, subject.callers, call)); });
    subject.on_raw([&](const Call& call) { raw.push_back(open_loop(rate, count, subject.callers, call)); });
  }
  return latency_readings(subject.name + ".latency." + rate_name + "_", "us", std::move(engine), std::move(raw));
}

std::vector<Reading> latencies(const Place& place, const Subject& subject) {
  constexpr std::size_t capacity_items = 10'000;
  const double seconds = place.seconds.value_or(default_seconds);
  subject.fill(capacity_items);
  const double half = capacity(subject, capacity_items) / 2;
  subject.fill(static_cast<std::size_t>(std::ceil(std::max(half, fixed_rate) * seconds)));
  std::vector<Reading> readings{{subject.name + ".latency.half_rate", "per second", {half, half, half, {}}}};
  for (auto& reading : at_rate(subject, "500", fixed_rate, seconds)) readings.push_back(reading);
  for (auto& reading : at_rate(subject, "half", half, seconds)) readings.push_back(reading);
  return readings;
}

std::vector<Reading> sqlite_latencies(const Place& place) {
  std::optional<Desk> desk;
  return latencies(place, {.name = "sqlite",
                           .callers = 64,
                           .fill = [&](std::size_t items) { desk.emplace(place, "latency", items); },
                           .on_engine =
                               [&](const Pass& pass) {
                                 desk->on_copy([&](const std::filesystem::path& file) {
                                   OpenDesk open(file);
                                   pass([&](std::size_t, std::size_t item) {
                                     require(open.engine.claim(agent(), desk->keys()[item]));
                                   });
                                 });
                               },
                           .on_raw =
                               [&](const Pass& pass) {
                                 desk->on_copy([&](const std::filesystem::path& file) {
                                   RawSqlite raw(file, desk->program());
                                   RawGroup group(raw);
                                   pass([&](std::size_t, std::size_t item) { group.commit(desk->claims()[item]); });
                                 });
                               }});
}

std::vector<Reading> postgres_latencies(const Place& place) {
  constexpr std::size_t callers = 16;
  const auto server = start_postgres(place);
  std::optional<PostgresDesk> desk;
  return latencies(
      place,
      {.name = "postgres",
       .callers = callers,
       .fill = [&](std::size_t items) { desk.emplace(*server, desk ? "latency" : "capacity", items); },
       .on_engine =
           [&](const Pass& pass) {
             desk->reset();
             OpenPostgres open(*server, desk->schema());
             pass([&](std::size_t, std::size_t item) { require(open.engine.claim(agent(), desk->keys()[item])); });
           },
       .on_raw =
           [&](const Pass& pass) {
             desk->reset();
             const auto connections = desk->connect(callers);
             pass([&](std::size_t caller, std::size_t item) { connections[caller]->claim(desk->claims()[item]); });
           }});
}

}  // namespace

std::vector<Figure> latency_figures() {
  return {{.name = "sqlite.latency", .on_disk = true, .read = sqlite_latencies},
          {.name = "postgres.latency", .on_disk = true, .read = postgres_latencies}};
}

}  // namespace openindex::bench
