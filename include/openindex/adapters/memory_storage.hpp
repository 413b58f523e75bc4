// MemoryStorage: a Storage that forgets everything when it is destroyed.
//
// For tests, for trying things out, and for hosts whose work may be lost. Fast and exact: it passes the same contract
// suite as the durable backends. `Storage`'s promises about surviving a crash do not hold, of course.
//
// Thread safety: all methods, from any threads.
#pragma once

#include <memory>

#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API MemoryStorage final : public Storage {
 public:
  MemoryStorage();
  ~MemoryStorage() override;

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override;
  void wake() noexcept override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace v0
}  // namespace openindex
