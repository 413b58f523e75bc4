#include "bench/callers.hpp"

#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace openindex::bench {

std::size_t run_callers(Stopwatch& watch, std::size_t callers, std::size_t count,
                        const std::function<void(std::size_t)>& call) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::atomic<bool> stop{false};
  std::mutex failing;
  std::exception_ptr failure;
  std::barrier all_there(static_cast<std::ptrdiff_t>(callers) + 1);
  const auto work = [&] {
    all_there.arrive_and_wait();
    try {
      for (std::size_t i = next++; i < count && !stop; i = next++, ++done) {
        call(i);
        if (watch.full()) stop = true;
      }
    } catch (...) {
      const std::lock_guard lock(failing);
      failure = std::current_exception();
      stop = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i) threads.emplace_back(work);
    watch.start();
    all_there.arrive_and_wait();
  }
  watch.stop();
  if (failure) std::rethrow_exception(failure);
  return done;
}

}  // namespace openindex::bench
