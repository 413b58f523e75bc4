// A transaction that the host began on a connection of its own, as a storage.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <openindex/storage/enlistment.hpp>

#include "adapters/sqlite/change_watch.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/group_commit.hpp"

namespace openindex::sqlite {

/// Turn a connection's automatic checkpoints off. @par Errors as SqliteStorage::prepare_host
Result<void> stop_automatic_checkpoints(sqlite3* host);

class HostTransaction final : public Enlistment {
 public:
  /// `file` is the database's, as SQLite names it. Storage and watch must outlive the transaction.
  /// @par Errors as SqliteStorage::enlist
  static Result<std::unique_ptr<Enlistment>> enlist(sqlite3* host, const std::string& file, const Storage& storage,
                                                    ChangeWatch& watch, GroupCommit& commits);

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override { return watch_.wait(request); }
  void wake() noexcept override { watch_.wake(); }
  [[nodiscard]] const Storage& enlisted_in() const noexcept override { return storage_; }

 private:
  void announce() noexcept override;

  HostTransaction(sqlite3* host, const Storage& storage, ChangeWatch& watch, GroupCommit& commits)
      : connection_(host),
        storage_(storage),
        watch_(watch),
        commits_(commits),
        rows_before_(sqlite3_total_changes(host)) {}

  Result<void> check_open() const;
  Result<CommitReceipt> apply(const ChangeSet& changes);
  Result<CommitReceipt> apply_in_savepoint(const ChangeSet& changes);
  void undo();

  Connection connection_;
  const Storage& storage_;
  ChangeWatch& watch_;
  GroupCommit& commits_;
  int rows_before_;        ///< That the connection had changed.
  std::size_t bytes_ = 0;  ///< Of the bodies written.
};

}  // namespace openindex::sqlite
