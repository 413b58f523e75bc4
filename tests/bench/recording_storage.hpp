// A storage that remembers what was committed to it, so that a baseline can write the very same rows.
#pragma once

#include <utility>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>

namespace openindex::bench {

/// For one thread.
class RecordingStorage final : public Storage {
 public:
  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return memory_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return memory_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return memory_.count(request); }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return memory_.wait_for_change(request); }
  void wake() noexcept override { memory_.wake(); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    recorded_.insert(recorded_.end(), changes.begin(), changes.end());
    return memory_.commit(changes);
  }

  /// Hand out what was committed since the last time.
  [[nodiscard]] std::vector<ChangeSet> take() { return std::exchange(recorded_, {}); }

 private:
  MemoryStorage memory_;
  std::vector<ChangeSet> recorded_;
};

}  // namespace openindex::bench
