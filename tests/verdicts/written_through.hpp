// A transaction of a host that has nothing else to say: what is committed in it lands at once.
#pragma once

#include <openindex/storage/enlistment.hpp>

namespace openindex::verdicts {

class WrittenThrough final : public Enlistment {
 public:
  explicit WrittenThrough(Storage& storage) : storage_(storage) {}

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return storage_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return storage_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return storage_.count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    return storage_.commit(changes);
  }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return storage_.wait_for_change(request); }
  void wake() noexcept override { storage_.wake(); }
  const Storage& enlisted_in() const noexcept override { return storage_; }

 private:
  void announce() noexcept override {}

  Storage& storage_;
};

}  // namespace openindex::verdicts
