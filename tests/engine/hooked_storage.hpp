// A storage that is looked into: it tells of commits and sleeps, counts them, and can be made deaf to commits.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex::tests {

class HookedStorage final : public Storage {
 public:
  explicit HookedStorage(Storage& behind) : behind_(behind) {}

  std::function<void()> on_commit;     ///< Before a commit.
  std::function<void()> on_committed;  ///< After a commit, before its caller gets the answer.
  /// Before somebody sleeps. Something else than nullopt is the answer, and nobody sleeps.
  std::function<std::optional<Changed>(const WaitRequest&)> on_sleep;
  std::atomic<int> scans{0};
  std::atomic<std::uint64_t> reads{0};      ///< Records that were read by name.
  std::atomic<std::uint64_t> commits{0};    ///< Change sets that were to be committed.
  std::atomic<std::uint64_t> conflicts{0};  ///< Those of them that lost against another.
  std::atomic<int> sleepers_max{0};         ///< Who slept at the same time, at most.

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override {
    reads += ids.size();
    return behind_.get(ids);
  }
  Result<std::vector<std::optional<Record>>> get_bodies(std::span<const RecordId> ids) override {
    reads += ids.size();
    return behind_.get_bodies(ids);
  }
  Result<ScanPage> scan(const ScanRequest& request) override {
    ++scans;
    return behind_.scan(request);
  }
  Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    if (on_commit) on_commit();
    auto results = behind_.commit(changes);
    commits += results.size();
    for (const auto& result : results) {
      if (!result && result.error().code() == errc::conflict) ++conflicts;
    }
    if (on_committed) on_committed();
    return results;
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override {
    if (request.timeout == Duration(0)) return behind_.wait_for_change(request);
    const int now = ++sleepers_;
    sleepers_max = std::max(sleepers_max.load(), now);
    const auto answer = on_sleep ? on_sleep(request) : std::nullopt;
    auto woken = answer ? Result<Changed>(*answer) : behind_.wait_for_change(request);
    --sleepers_;
    return woken;
  }
  void wake() noexcept override { behind_.wake(); }

 private:
  Storage& behind_;
  std::atomic<int> sleepers_{0};
};

/// A storage that hears nothing but `wake`: as if every commit were told too late.
class DeafStorage final : public Storage {
 public:
  explicit DeafStorage(Storage& behind) : behind_(behind) {}

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return behind_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return behind_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return behind_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    return behind_.commit(changes);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return bell_.wait_for_change(request); }
  void wake() noexcept override { bell_.wake(); }

 private:
  Storage& behind_;
  MemoryStorage bell_;  ///< Nothing is ever committed to it.
};

}  // namespace openindex::tests
