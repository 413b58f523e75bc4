// How long callers wait while the log is copied into the database: commits that write all the time, more than the log
// ever holds, and reads beside them.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>

#include "bench/figures.hpp"
#include "bench/percentiles.hpp"

namespace openindex::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t writers_count = 8;
constexpr std::size_t readers_count = 2;
constexpr std::size_t records_count = 20'000;
constexpr std::size_t puts_per_commit = 4;
constexpr std::size_t records_per_read = 20;  // more than are read on the connection that commits
constexpr double default_seconds = 3;
constexpr std::chrono::milliseconds between_reads{1};

RecordId record(std::size_t number) { return {"host.bench", std::to_string(number % records_count)}; }

/// Numbers without a pattern, the same in every run.
std::size_t scattered(std::size_t number) { return (number * 0x9E3779B97F4A7C15ULL) >> 20U; }

void fill(Storage& storage) {
  for (std::size_t next = 0; next < records_count;) {
    ChangeSet set;
    set.id = "commit_1";
    for (std::size_t i = 0; i < 500; ++i) set.puts.push_back({record(next++), std::string(4'000, '.'), {}});
    require(storage.commit({&set, 1}).front());
  }
}

/// Call again and again, and note how many milliseconds each call takes.
std::vector<double> repeat(Clock::time_point until, std::size_t first, const std::function<void(std::size_t)>& call) {
  std::vector<double> latencies;
  for (auto number = first; Clock::now() < until; ++number) {
    const auto start = Clock::now();
    call(number);
    latencies.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return latencies;
}

void write(Storage& storage, std::size_t number) {
  ChangeSet set;
  set.id = "commit_1";
  for (std::size_t i = 0; i < puts_per_commit; ++i) {
    // Another body each time: SQLite does not write pages that stay the same.
    auto body = std::to_string(number) + std::string(4'000, static_cast<char>('a' + number % 26));
    set.puts.push_back({record(scattered(number * puts_per_commit + i)), std::move(body), {}});
  }
  require(storage.commit({&set, 1}).front());
}

void read(Storage& storage, std::size_t number) {
  std::vector<RecordId> ids;
  for (std::size_t i = 0; i < records_per_read; ++i) ids.push_back(record(scattered(number * records_per_read + i)));
  require(storage.get(ids));
  std::this_thread::sleep_for(between_reads);
}

struct Waits {
  Latencies commits, reads;  ///< Of each round.
};

void add_round(Storage& storage, Clock::time_point until, std::size_t round, Waits& waits) {
  std::vector<std::vector<double>> of_threads(writers_count + readers_count);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < of_threads.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto call = i < writers_count ? write : read;
        const auto first = (round * of_threads.size() + i) * 1'000'000;
        of_threads[i] = repeat(until, first, [&](std::size_t number) { call(storage, number); });
      });
    }
  }
  auto& commits = waits.commits.emplace_back();
  auto& reads = waits.reads.emplace_back();
  for (std::size_t i = 0; i < of_threads.size(); ++i) {
    auto& all = i < writers_count ? commits : reads;
    all.insert(all.end(), of_threads[i].begin(), of_threads[i].end());
  }
}

void add_readings(std::vector<Reading>& readings, const std::string& prefix, Latencies waits) {
  std::vector<double> longest;
  for (const auto& round : waits) longest.push_back(round.empty() ? 0 : *std::max_element(round.begin(), round.end()));
  const auto [min, max] = std::minmax_element(longest.begin(), longest.end());
  const Measured measured{*max, *min, *max, {}};
  for (auto& reading : latency_readings(prefix, "ms", std::move(waits), {})) readings.push_back(std::move(reading));
  readings.push_back({prefix + "max_ms", "ms", measured});
}

std::vector<Reading> checkpoint_waits(const Place& place) {
  const auto storage = SqliteStorage::open({.path = place.folder / "checkpoints.db"}).value();
  fill(*storage);
  const std::chrono::duration<double> length(place.seconds.value_or(default_seconds));
  Waits waits;
  double log_bytes = 0;
  for (std::size_t round = 0; round < round_count && !asked_to_stop(); ++round) {
    add_round(*storage, Clock::now() + std::chrono::duration_cast<Clock::duration>(length), round, waits);
    log_bytes = static_cast<double>(storage->status().value().wal_bytes);
  }
  if (waits.commits.empty()) return {};
  double commits = 0;
  for (const auto& round : waits.commits) commits += static_cast<double>(round.size());
  const double rate = commits / length.count() / static_cast<double>(waits.commits.size());
  std::vector<Reading> readings;
  add_readings(readings, "sqlite.checkpoint_commit_", std::move(waits.commits));
  add_readings(readings, "sqlite.checkpoint_read_", std::move(waits.reads));
  readings.push_back({"sqlite.checkpoint_beside", "per second", {rate, rate, rate, {}}});
  const double megabytes = log_bytes / 1e6;
  readings.push_back({"sqlite.checkpoint_log_mb", "MB", {megabytes, megabytes, megabytes, {}}});
  return readings;
}

}  // namespace

std::vector<Figure> checkpoint_figures() {
  return {{.name = "sqlite.checkpoint", .on_disk = true, .read = checkpoint_waits}};
}

}  // namespace openindex::bench
