// Waking across processes: how long after a commit a sleeper in another process goes on, beside a bare pipe.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>

#include "bench/disk.hpp"
#include "bench/figures.hpp"

namespace openindex::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t wakes_per_round = 1000;

/// What the two processes tell each other, in memory that both have. The steady clock is the same for both.
struct Board {
  std::atomic<std::uint64_t> sleeps{0};  ///< How often the sleeper has gone to sleep.
  std::atomic<std::uint64_t> wakes{0};
  std::atomic<SteadyClock::duration::rep> woken_at{0};
};

/// A child that goes to sleep again and again. It is made before its parent opens a database.
class Sleeper {
 public:
  /// `make_sleep` is called in the child; what it returns sleeps until the child is woken.
  explicit Sleeper(const std::function<std::function<void()>()>& make_sleep)
      : board_(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (board_ == MAP_FAILED) throw std::runtime_error("no memory to share with another process");
    new (board_) Board;
    child_ = fork();
    if (child_ < 0) throw std::runtime_error("no other process can be made");
    if (child_ != 0) return;
    try {
      const auto sleep = make_sleep();
      for (std::uint64_t i = 1; i <= wakes_per_round; ++i) {
        board().sleeps = i;
        sleep();
        board().woken_at = SteadyClock::now().time_since_epoch().count();
        board().wakes = i;
      }
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  ~Sleeper() {
    if (child_ > 0) kill_and_wait();
    munmap(board_, sizeof(Board));
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// Wake it a thousand times; the median in microseconds from where `wake` is called to where the sleeper goes on.
  double median_us(const std::function<void()>& wake) {
    std::vector<double> times;
    for (std::uint64_t i = 1; i <= wakes_per_round; ++i) {
      wait_for(board().sleeps, i);
      // It is about to sleep: give it the time to do so.
      const auto asleep = SteadyClock::now() + std::chrono::microseconds(300);
      while (SteadyClock::now() < asleep) std::this_thread::yield();
      const auto before = SteadyClock::now();
      wake();
      wait_for(board().wakes, i);
      const SteadyClock::time_point woken{SteadyClock::duration(board().woken_at)};
      times.push_back(std::chrono::duration<double, std::micro>(woken - before).count());
    }
    std::nth_element(times.begin(), times.begin() + wakes_per_round / 2, times.end());
    return times[wakes_per_round / 2];
  }

 private:
  Board& board() { return *static_cast<Board*>(board_); }

  void wait_for(const std::atomic<std::uint64_t>& count, std::uint64_t value) {
    while (count < value) {
      if (waitpid(child_, nullptr, WNOHANG) == child_ && count < value) {
        child_ = -1;
        throw std::runtime_error("the sleeping process has died");
      }
      std::this_thread::yield();
    }
  }

  void kill_and_wait() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  void* board_;
  pid_t child_ = -1;
};

SqliteOptions options_of(const Place& place) {
  // No sync: how long the disk takes for one is disk.fdatasync.
  return {.path = place.folder / "wake.db", .synchronous = SqliteOptions::Synchronous::normal};
}

double sqlite_wake(const Place& place) {
  double median = 0;
  {
    Sleeper sleeper([&] {
      const std::shared_ptr<SqliteStorage> storage = SqliteStorage::open(options_of(place)).value();
      return [storage, seen = std::uint64_t{0}]() mutable {
        if (seen == 0) seen = storage->wait_for_change({}).value().sequence;
        const auto before = seen;
        while (seen == before) {
          seen = storage->wait_for_change({.seen = before, .timeout = std::chrono::hours(1)}).value().sequence;
        }
      };
    });
    const auto storage = SqliteStorage::open(options_of(place)).value();
    ChangeSet changes;
    changes.id = "commit_1";
    changes.puts = {{{"host.bench", "news"}, "{}", {}}};
    median = sleeper.median_us([&] { require(storage->commit({&changes, 1}).at(0)); });
  }
  remove_database(options_of(place).path);
  return median;
}

double pipe_wake() {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe can be made");
  char byte = 0;
  double median = 0;
  {
    Sleeper sleeper([&] {
      return [&] {
        if (read(ends[0], &byte, 1) != 1) throw std::runtime_error("the pipe has ended");
      };
    });
    median = sleeper.median_us([&] {
      if (write(ends[1], &byte, 1) != 1) throw std::runtime_error("the pipe has ended");
    });
  }
  close(ends[0]);
  close(ends[1]);
  return median;
}

}  // namespace

std::vector<Figure> wake_figures() {
  return {{.name = "sqlite.wake_p50_us", .unit = "us", .on_disk = true, .prepare = [](const Place& place) {
             return Rounds{.value = [place] { return sqlite_wake(place); }, .baseline = pipe_wake};
           }}};
}

}  // namespace openindex::bench
