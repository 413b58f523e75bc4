// Heartbeats while others saturate the disk: 16 writers in 4 processes commit with synchronous FULL as fast as they
// can, and in each of the processes an agent keeps the shortest hold that there is.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/percentiles.hpp"
#include "bench/processes.hpp"

namespace openindex::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t process_count = 4;
constexpr std::size_t writers_per_process = 4;
constexpr std::size_t items_per_process = writers_per_process + 1;
constexpr Duration shortest_hold{1000};
constexpr std::chrono::milliseconds between_beats{20};  // far more often than needed, for enough of them
constexpr double default_seconds = 10;

/// What a process has to tell.
struct Told {
  std::vector<double> beats;  ///< Milliseconds.
  double writes = 0;
  double missed = 0;  ///< Refused, or so late that the hold could have run out.

  [[nodiscard]] std::vector<double> numbers() const {
    std::vector<double> all{writes, missed};
    all.insert(all.end(), beats.begin(), beats.end());
    return all;
  }
  static Told from(const std::vector<double>& numbers) {
    return {{numbers.begin() + 2, numbers.end()}, numbers[0], numbers[1]};
  }
};

void beat(WorkflowEngine& engine, const Actor& holder, const ItemKey& item, Clock::time_point until, Told& told) {
  auto last = Clock::now();
  for (auto due = last; due < until; due = std::max(due + between_beats, Clock::now())) {
    std::this_thread::sleep_until(due);
    const auto start = Clock::now();
    const bool kept = engine.heartbeat(holder, item, {.hold = shortest_hold}).has_value();
    const auto end = Clock::now();
    told.beats.push_back(std::chrono::duration<double, std::milli>(end - start).count());
    if (!kept || end - last >= shortest_hold) ++told.missed;
    last = end;
  }
}

Told work(const std::filesystem::path& file, std::span<const ItemKey> items, std::size_t process, double seconds) {
  OpenDesk open(file);
  const Actor holder = Actor::agent("agent-" + std::to_string(process));
  require(open.engine.claim(holder, items.front(), {.hold = shortest_hold}));
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::atomic<std::size_t> writes{0};
  const auto write = [&](const ItemKey& item) {
    for (; Clock::now() < until; ++writes) require(open.engine.comment(Actor::system("host"), item, "Still at it."));
  };
  Told told;
  {
    std::vector<std::jthread> writers;
    for (const ItemKey& item : items.subspan(1)) writers.emplace_back([&write, &item] { write(item); });
    beat(open.engine, holder, items.front(), until, told);
  }
  told.writes = static_cast<double>(writes.load());
  return told;
}

std::vector<Reading> heartbeats(const Place& place) {
  const double seconds = place.seconds.value_or(default_seconds);
  const auto file = place.folder / "heartbeats.db";
  std::vector<ItemKey> items;
  {
    OpenDesk open(file);
    items = file_requests(open.engine, process_count * items_per_process);
  }
  Latencies latencies;
  double writes = 0;
  double missed = 0;
  const auto all_told = in_processes(process_count, [&](std::size_t process) {
    const auto own = std::span(items).subspan(process * items_per_process, items_per_process);
    return work(file, own, process, seconds).numbers();
  });
  for (const auto& numbers : all_told) {
    auto told = Told::from(numbers);
    latencies.push_back(std::move(told.beats));
    writes += told.writes / seconds;
    missed += told.missed;
  }
  auto readings = latency_readings("sqlite.heartbeat_", "ms", std::move(latencies), {});
  for (auto& reading : readings) {
    if (reading.name == "sqlite.heartbeat_p99_ms") reading.measured.baseline = shortest_hold.count() / 10.0;
  }
  readings.push_back({"sqlite.heartbeat_missed", "beats", {missed, missed, missed, {}}});
  readings.push_back({"sqlite.heartbeat_beside", "per second", {writes, writes, writes, {}}});
  return readings;
}

}  // namespace

std::vector<Figure> heartbeat_figures() {
  return {{.name = "sqlite.heartbeat_p99_ms", .unit = "ms", .on_disk = true, .read = heartbeats}};
}

}  // namespace openindex::bench
