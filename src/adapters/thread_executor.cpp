#include <openindex/adapters/thread_executor.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace openindex {
inline namespace v0 {

class ThreadExecutor::Worker {
 public:
  void start() {
    thread_ = std::thread([this] { work(); });
  }

  void post(std::function<void()> function) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      waiting_.push_back(std::move(function));
    }
    posted_.notify_one();
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    posted_.notify_one();
    thread_.join();
    waiting_.clear();  // nobody posts any more
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      posted_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (ended_) return;
      std::function<void()> next = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      next();
      next = nullptr;  // what it holds may take this lock when it goes
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> waiting_;
  bool ended_ = false;
  std::thread thread_;
};

ThreadExecutor::ThreadExecutor() : worker_(std::make_shared<Worker>()) { worker_->start(); }
ThreadExecutor::~ThreadExecutor() { worker_->end(); }

Executor ThreadExecutor::executor() const {
  return [worker = worker_](std::function<void()> function) { worker->post(std::move(function)); };
}

}  // namespace v0
}  // namespace openindex
