// How a commit wakes sleepers in every process: through the kernel, with no thread, no socket and no file of our own.
//
// Whoever has committed opens the log (`-wal`) to read and closes it; whoever sleeps has asked inotify to be told of
// that, by name. SQLite has no locks on the log, so closing it drops none, and opens it to write only, so nothing else
// rings. A stamp of the time would be told of, too, but would have the next commit write the inode to the disk.
//
// A ring may be missing: a process dies between its commit and its ring, or something else writes, such as an
// operator's shell. But every commit writes to the log just before it can be seen, and of that inotify tells, too. So
// after such a write, and only then, the sleeper looks a few times by the clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <openindex/core/clock.hpp>

namespace openindex::sqlite {

/// When to look by the clock: after this time, and after four times as long each time, until it is too long ago.
/// Where the kernel gives no news at all (no inotify, none left), every time after this time.
struct LookPeriods {
  Duration first{250};
  Duration last{16'000};
};

class LogBell {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  LogBell(std::string log, LookPeriods periods) : log_(std::move(log)), periods_(periods) {}
  ~LogBell();
  LogBell(const LogBell&) = delete;
  LogBell& operator=(const LogBell&) = delete;

  /// Tell the sleepers of all processes that something was committed. Any thread.
  void ring() noexcept;

  /// Listen from now on. Of what was committed before nobody will be told, so look afterwards.
  void listen() noexcept;

  /// Sleep until somebody rings or pokes, until it is time to look by the clock, or until then. Look afterwards. One
  /// thread at a time, between `listen` and `stop`.
  void sleep(SteadyTime until) noexcept;

  /// End the sleep of this object alone, the next one if it is awake. Any thread, between `listen` and `stop`.
  void poke() noexcept;

  /// Nobody sleeps any more: cost nobody anything until `listen`.
  void stop() noexcept;

 private:
  bool open_descriptors() noexcept;
  bool watch_log(std::uint32_t events) noexcept;
  [[nodiscard]] bool log_was_written_lately() const noexcept;
  bool read_news() noexcept;
  void expect_commit(SteadyTime now) noexcept;

  const std::string log_;
  const LookPeriods periods_;
  bool hears_ = false;  ///< The kernel tells us; else by the clock alone.
  int kernel_ = -1;     ///< inotify
  int poked_ = -1;      ///< eventfd
  int watch_ = -1;
  Duration pause_{0};
  SteadyTime next_look_ = SteadyTime::max();
};

}  // namespace openindex::sqlite
