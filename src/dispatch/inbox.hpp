// Where answers from the network wait for the dispatcher's thread. Outlives the dispatcher if an answer comes late.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
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

/// A function of the host that works on a run. `awaited_since`: of the dispatcher's thread.
struct Hand {
  std::stop_source stop;
  std::optional<Duration> awaited_since;
};

/// It has returned.
struct HostDone {
  RunId run;
  ItemKey item;
  std::shared_ptr<Hand> hand;
  Result<void> result;
  std::string note;  ///< With which it gave the item back.
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
  /// Parts of one answer that arrive before anybody looks are one.
  void put(Part part) {
    const std::lock_guard lock(mutex_);
    if (!parts_.empty() && parts_.back().request == part.request && parts_.back().run == part.run) {
      parts_.back().bytes += part.bytes;
      return;
    }
    const bool first = parts_.empty();
    parts_.push_back(std::move(part));
    if (!first) return;  // somebody was woken for those before
    if (storage_ != nullptr) storage_->wake();
    arrived_.notify_all();
  }
  void put(HostDone done) {
    const std::lock_guard lock(mutex_);
    done_.push_back(std::move(done));
    if (storage_ != nullptr) storage_->wake();
    arrived_.notify_all();
  }
  /// Sleep until an answer comes, without the storage.
  void wait(Duration timeout) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout, [&] { return !answers_.empty() || !parts_.empty() || !done_.empty(); });
  }
  std::vector<Answer> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }
  std::vector<HostDone> take_done() {
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, {});
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
  std::vector<HostDone> done_;
};

}  // namespace openindex::dispatch
