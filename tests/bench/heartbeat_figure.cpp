// Heartbeats while others saturate the disk: 16 writers in 4 processes commit with synchronous FULL as fast as they
// can, and in each of the processes an agent keeps the shortest hold that there is.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/percentiles.hpp"

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
};

class Pipe {
 public:
  Pipe() {
    if (pipe(ends_.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~Pipe() {
    for (const int end : ends_) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void write_all(const void* bytes, std::size_t size) const {
    for (const auto* next = static_cast<const char*>(bytes); size > 0;) {
      const auto written = write(ends_[1], next, size);
      if (written <= 0) throw std::system_error(errno, std::generic_category(), "writing to a pipe");
      next += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void read_all(void* bytes, std::size_t size) const {
    for (auto* next = static_cast<char*>(bytes); size > 0;) {
      const auto found = read(ends_[0], next, size);
      if (found <= 0) throw std::runtime_error("a process of the benchmark died");
      next += found;
      size -= static_cast<std::size_t>(found);
    }
  }
  void close_writing() {
    close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{};
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

/// The whole life of a process; never returns, since what the parent owns is not its own to destroy.
[[noreturn]] void live(const Pipe& pipe, const std::filesystem::path& file, std::span<const ItemKey> items,
                       std::size_t process, double seconds) {
  try {
    const Told told = work(file, items, process, seconds);
    const std::array<double, 3> head{static_cast<double>(told.beats.size()), told.writes, told.missed};
    pipe.write_all(head.data(), sizeof head);
    pipe.write_all(told.beats.data(), told.beats.size() * sizeof(double));
    _exit(0);
  } catch (const BadResult& error) {
    std::fprintf(stderr, "a process failed: %s\n", error.error().describe().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a process failed: %s\n", error.what());
  }
  _exit(1);
}

Told hear(const Pipe& pipe) {
  std::array<double, 3> head{};
  pipe.read_all(head.data(), sizeof head);
  Told told{std::vector<double>(static_cast<std::size_t>(head[0])), head[1], head[2]};
  pipe.read_all(told.beats.data(), told.beats.size() * sizeof(double));
  return told;
}

std::vector<Told> run_processes(const std::filesystem::path& file, const std::vector<ItemKey>& items, double seconds) {
  std::vector<pid_t> children;
  std::array<Pipe, process_count> pipes;
  for (std::size_t i = 0; i < process_count; ++i) {
    const auto own = std::span(items).subspan(i * items_per_process, items_per_process);
    const pid_t child = fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) live(pipes[i], file, own, i, seconds);
    children.push_back(child);
    pipes[i].close_writing();
  }
  std::vector<Told> told;
  for (const Pipe& pipe : pipes) told.push_back(hear(pipe));
  for (const pid_t child : children) waitpid(child, nullptr, 0);
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
  for (Told& told : run_processes(file, items, seconds)) {
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
