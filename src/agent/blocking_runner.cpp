#include <openindex/agent/blocking_runner.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace openindex {
inline namespace v0 {
namespace {

// Everything that happens to the run happens in the function.
class BlockingProgram final : public RunProgram {
 public:
  explicit BlockingProgram(WorkOnHost work) : work_(std::move(work)) {}
  RunAction on(const RunEvent&) override { return work_; }

 private:
  WorkOnHost work_;
};

}  // namespace

// Threads that are started when there is something to do, and kept.
class BlockingRunner::Threads {
 public:
  explicit Threads(std::uint32_t most) : most_(std::max(most, 1u)) {}

  void post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    waiting_.push_back(std::move(function));
    if (idle_ < waiting_.size() && threads_.size() < most_) threads_.emplace_back([this] { work(); });
    posted_.notify_one();
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    posted_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    waiting_.clear();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      posted_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      --idle_;
      if (ended_) return;
      std::function<void()> next = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      next();
      next = nullptr;
      lock.lock();
    }
  }

  const std::uint32_t most_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ended_ = false;
};

BlockingRunner::BlockingRunner(HostWork work, BlockingRunnerOptions options)
    : work_(std::move(work)), executor_(std::move(options.executor)) {
  if (executor_) return;
  threads_ = std::make_shared<Threads>(options.threads_max);
  executor_ = [threads = threads_](std::function<void()> function) { threads->post(std::move(function)); };
}

BlockingRunner::~BlockingRunner() {
  if (threads_) threads_->end();
}

Result<void> BlockingRunner::operator()(AgentSession& work, const std::stop_token& stop) const {
  try {
    return work_(work, stop);
  } catch (const std::exception& thrown) {
    return Error(errc::host_callback_failed, std::string("the runner threw: ") + thrown.what());
  } catch (...) {
    return Error(errc::host_callback_failed, "the runner threw");
  }
}

std::unique_ptr<RunProgram> BlockingRunner::start() {
  return std::make_unique<BlockingProgram>(WorkOnHost{work_, executor_});
}

}  // namespace v0
}  // namespace openindex
