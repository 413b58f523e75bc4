// Where answers from the network wait for the dispatcher's thread. Outlives the dispatcher if an answer comes late.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex::dispatch {

struct Answer {
  RunId run;
  std::uint64_t request = 0;  ///< Which request of this dispatcher; an answer to an older one is ignored.
  Result<HttpResponse> response;
};

/// A part of an answer that is still coming.
struct Part {
  RunId run;
  std::uint64_t request = 0;
  std::string bytes;
};

class Inbox {
 public:
  explicit Inbox(Storage& storage) : storage_(&storage) {}

  void put(Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    if (storage_ != nullptr) storage_->wake();  // the dispatcher sleeps on the storage
    arrived_.notify_all();
  }
  void put(Part part) {
    const std::lock_guard lock(mutex_);
    parts_.push_back(std::move(part));
    if (storage_ != nullptr) storage_->wake();
    arrived_.notify_all();
  }
  /// Sleep until an answer comes, without the storage.
  void wait(Duration timeout) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout, [&] { return !answers_.empty() || !parts_.empty(); });
  }
  std::vector<Answer> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }
  std::vector<Part> take_parts() {
    const std::lock_guard lock(mutex_);
    return std::exchange(parts_, {});
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    if (storage_ != nullptr) storage_->wake();
  }
  /// Forget the storage, which may be gone when a late answer comes.
  void close() {
    const std::lock_guard lock(mutex_);
    storage_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  Storage* storage_;
  std::vector<Answer> answers_;
  std::vector<Part> parts_;
};

}  // namespace openindex::dispatch
