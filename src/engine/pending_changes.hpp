// A storage that keeps what is committed to it, and reads it back: many changes, each decided on what those before it
// leave behind, become one change set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex::engine {

/// Lies over another storage and never writes to it. `get` sees what is pending; `scan` and `count` do not.
///
/// What was read below may change there meanwhile. That is no conflict here: the whole expects what was read first, so
/// whoever commits it is told.
///
/// Thread safety: one thread at a time, but for `wait_for_change` and `wake`, which go to the storage below.
class PendingChanges final : public Storage {
 public:
  explicit PendingChanges(Storage& below) : below_(below) {}

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override { return below_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return below_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override { return below_.wait_for_change(request); }
  void wake() noexcept override { below_.wake(); }

  [[nodiscard]] bool empty() const noexcept {
    return whole_.puts.empty() && whole_.appends.empty() && whole_.erases.empty();
  }

  /// Everything that is pending, under the id of the first change set.
  [[nodiscard]] const ChangeSet& whole() const noexcept { return whole_; }

 private:
  struct Written {
    std::size_t position = 0;  ///< Among the puts of the whole, or its appends.
    enum class As : std::uint8_t { put, append, erased };
    As as = As::put;
    std::optional<std::uint64_t> version = {};  ///< As the storage below will give it, once somebody had to know.
  };
  Result<CommitReceipt> add(const ChangeSet& changes);
  Result<void> check(const ChangeSet& changes) const;
  void expect(const Expectation& expectation);
  void put(const Put& put);
  void erase(const RecordId& id);
  void take_back_put(std::size_t position);

  Storage& below_;
  ChangeSet whole_;
  std::map<RecordId, Written> written_;
  std::map<RecordId, std::uint64_t> expected_;
};

}  // namespace openindex::engine
