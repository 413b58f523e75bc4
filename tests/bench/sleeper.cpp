#include "bench/sleeper.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

namespace openindex::bench {

/// What the two processes tell each other, in memory that both have. The steady clock is the same for both.
struct Sleeper::Board {
  std::atomic<std::uint64_t> sleeps{0};  ///< How often the sleeper has gone to sleep.
  std::atomic<std::uint64_t> wakes{0};
  std::atomic<Clock::duration::rep> woken_at{0};
};

Sleeper::Board& Sleeper::board() const { return *static_cast<Board*>(board_); }

Sleeper::Sleeper(std::uint64_t wakes, const std::function<Sleep(const std::function<void()>&)>& make_sleep)
    : wakes_(wakes), board_(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
  if (board_ == MAP_FAILED) throw std::runtime_error("no memory to share with another process");
  new (board_) Board;
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("no other process can be made");
  if (child_ == 0) live(make_sleep);
}

Sleeper::~Sleeper() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  munmap(board_, sizeof(Board));
}

void Sleeper::live(const std::function<Sleep(const std::function<void()>&)>& make_sleep) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    std::uint64_t number = 0;
    const auto sleep = make_sleep([&] { board().sleeps = number; });
    for (number = 1; number <= wakes_; ++number) {
      sleep();
      board().woken_at = Clock::now().time_since_epoch().count();
      board().wakes = number;
    }
    _exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the sleeping process failed: %s\n", error.what());
    _exit(1);
  }
}

double Sleeper::median_us(const std::function<Clock::time_point()>& wake,
                          const std::function<std::chrono::microseconds(std::uint64_t)>& pause) {
  std::vector<double> times;
  for (std::uint64_t i = 1; i <= wakes_; ++i) {
    wait_for(board().sleeps, i);
    const auto asleep = Clock::now() + pause(i - 1);
    while (Clock::now() < asleep) std::this_thread::yield();
    const auto before = wake();
    wait_for(board().wakes, i);
    const Clock::time_point woken{Clock::duration(board().woken_at)};
    times.push_back(std::chrono::duration<double, std::micro>(woken - before).count());
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

template <class Count>
void Sleeper::wait_for(const Count& count, std::uint64_t value) {
  while (count < value) {
    if (waitpid(child_, nullptr, WNOHANG) == child_ && count < value) {
      child_ = -1;
      throw std::runtime_error("the sleeping process has died");
    }
    std::this_thread::yield();
  }
}

double pipe_wake_us(std::uint64_t wakes) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe can be made");
  char byte = 0;
  double median = 0;
  {
    Sleeper sleeper(wakes, [&](const auto& about_to_sleep) {
      return [&, about_to_sleep] {
        about_to_sleep();
        if (read(ends[0], &byte, 1) != 1) throw std::runtime_error("the pipe has ended");
      };
    });
    const auto wake = [&] {
      const auto before = Sleeper::Clock::now();
      if (write(ends[1], &byte, 1) != 1) throw std::runtime_error("the pipe has ended");
      return before;
    };
    median = sleeper.median_us(wake, [](std::uint64_t) { return std::chrono::microseconds(300); });
  }
  close(ends[0]);
  close(ends[1]);
  return median;
}

}  // namespace openindex::bench
