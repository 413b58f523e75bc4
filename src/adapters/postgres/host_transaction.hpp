// A transaction that the host began on a connection of its own, as a storage.
#pragma once

#include <functional>
#include <memory>

#include <openindex/storage/enlistment.hpp>

#include "adapters/postgres/change_watch.hpp"
#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/rows.hpp"
#include "adapters/postgres/transaction.hpp"

namespace openindex::postgres {

class HostTransaction final : public Enlistment {
 public:
  using Announce = std::function<void()>;

  /// `announce`: tells of a commit, in other processes, too. All of them must outlive this.
  /// @par Errors as PostgresStorage::enlist
  static Result<std::unique_ptr<Enlistment>> enlist(PGconn* transaction, const Storage& storage,
                                                    const Statements& statements, ChangeWatch& watch,
                                                    Announce announce);

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override { return watch_.wait(request); }
  void wake() noexcept override { watch_.wake(); }
  [[nodiscard]] const Storage& enlisted_in() const noexcept override { return storage_; }

 private:
  void announce() noexcept override { announce_(); }

  HostTransaction(PGconn* transaction, const Storage& storage, const Statements& statements, ChangeWatch& watch,
                  Announce announce);
  void run(std::span<const storage::Entry> entries);

  const std::unique_ptr<Connection> connection_;
  const Storage& storage_;
  const Statements& statements_;
  ChangeWatch& watch_;
  const Announce announce_;
  const Statement savepoint_;
  const Statement roll_back_to_;
  const Statement release_;
};

}  // namespace openindex::postgres
