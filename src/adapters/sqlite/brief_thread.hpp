// A thread that lives only as long as one piece of work: nobody's call waits for it, and an idle storage has none.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace openindex::sqlite {

/// Used by one thread at a time, except `is_working`.
class BriefThread {
 public:
  BriefThread() = default;
  ~BriefThread() { wait(); }
  BriefThread(const BriefThread&) = delete;
  BriefThread& operator=(const BriefThread&) = delete;

  [[nodiscard]] bool is_working() const noexcept { return working_; }

  /// Begin, unless it is still at work or no thread can be had; then the answer is false. `work` must not throw.
  bool start(std::function<void()> work);

  /// Return when nothing is under way.
  void wait();

 private:
  std::thread thread_;
  std::atomic<bool> working_{false};
};

}  // namespace openindex::sqlite
