// ThreadExecutor: an executor with one thread of its own, for hosts that have no thread pool.
//
// What it is given runs one after the other, in order. Thread safety: all methods, from any threads; not to be
// destroyed by what it runs.
#pragma once

#include <memory>

#include <openindex/core/api.hpp>
#include <openindex/core/executor.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API ThreadExecutor {
 public:
  ThreadExecutor();
  /// Waits for what is running; what did not begin never runs.
  ~ThreadExecutor();
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;

  /// Return the executor to hand out. It may outlive this object: then it drops what it is given.
  [[nodiscard]] Executor executor() const;

 private:
  class Worker;
  std::shared_ptr<Worker> worker_;
};

}  // namespace v0
}  // namespace openindex
