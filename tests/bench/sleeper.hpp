// A sleeper in another process, to be woken again and again.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>

namespace openindex::bench {

class Sleeper {
 public:
  using Clock = std::chrono::steady_clock;
  using Sleep = std::function<void()>;  ///< Sleeps until it is woken.

  /// Make the process, before this one opens a database. `make_sleep` is called there; what it returns calls
  /// `about_to_sleep` each time.
  Sleeper(std::uint64_t wakes, const std::function<Sleep(const std::function<void()>& about_to_sleep)>& make_sleep);
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// Wake it as often as it sleeps; the median in microseconds from the moment that `wake` names to where the sleeper
  /// goes on. Before each one, `pause` goes by: the time to fall asleep, of the n-th sleep from 0.
  double median_us(const std::function<Clock::time_point()>& wake,
                   const std::function<std::chrono::microseconds(std::uint64_t)>& pause);

 private:
  struct Board;
  [[noreturn]] void live(const std::function<Sleep(const std::function<void()>&)>& make_sleep);
  [[nodiscard]] Board& board() const;
  template <class Count>
  void wait_for(const Count& count, std::uint64_t value);

  std::uint64_t wakes_;
  void* board_;
  pid_t child_ = -1;
};

/// The baseline: wake a sleeper with a byte in a bare pipe. The median in microseconds.
double pipe_wake_us(std::uint64_t wakes);

}  // namespace openindex::bench
