// FlawedStorage: a backend that is right but for one flaw, to see whether the storage contract notices.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/testing/storage_contract.hpp>

namespace openindex {

using Commits = std::vector<Result<CommitReceipt>>;

/// A change set that was committed, or refused.
struct Committed {
  ChangeSet set;
  bool accepted;
};

/// What a flaw can get hold of. An empty function: nothing is wrong there.
struct Flaw {
  std::string name;
  std::vector<std::string> broken;  ///< Cases of the contract that must notice; others may.

  std::function<Commits(Storage&, std::span<const ChangeSet>)> commit = {};
  std::function<void(Storage&, ChangeSet&)> set = {};  ///< Before it is committed.
  std::function<void(Result<CommitReceipt>&)> answer = {};
  std::function<void(Record&)> record = {};                ///< Every record that is read.
  std::function<void(std::vector<RecordId>&)> names = {};  ///< Before a get.
  std::function<void(std::vector<std::optional<Record>>&)> got = {};
  std::function<void(std::vector<std::optional<Record>>&)> got_bodies = {};
  std::function<Result<ScanPage>(Storage&, ScanRequest)> scan = {};
  std::function<void(ScanPage&)> page = {};
  std::function<Result<std::uint64_t>(Storage&, CountRequest)> count = {};
  std::function<Result<Changed>(Storage&, const WaitRequest&)> wait = {};
  std::function<void(std::vector<Committed>& history)> crash = {};  ///< Before what was accepted is replayed.
};

/// Make a flaw anew for each storage: it may have a state of its own.
using MakeFlaw = std::function<Flaw()>;

class FlawedStorage final : public Storage {
 public:
  explicit FlawedStorage(Flaw flaw) : flaw_(std::move(flaw)) {}

  /// Begin again with what was accepted, as a backend does that keeps a log.
  static std::unique_ptr<Storage> crash_and_reopen(std::unique_ptr<Storage> dying);

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<std::vector<std::optional<Record>>> get_bodies(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  Commits commit(std::span<const ChangeSet> sets) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override;
  void wake() noexcept override { memory_.wake(); }

 private:
  Flaw flaw_;
  MemoryStorage memory_;
  std::mutex mutex_;  // of the history, which is in the order of the commits
  std::vector<Committed> history_;
};

/// Return every flaw that the contract must notice.
std::vector<MakeFlaw> all_flaws();

std::vector<MakeFlaw> commit_flaws();
std::vector<MakeFlaw> content_flaws();
std::vector<MakeFlaw> scan_flaws();
std::vector<MakeFlaw> thread_flaws();
std::vector<MakeFlaw> crash_flaws();

}  // namespace openindex
