// A storage inside a transaction of the host.
#pragma once

#include <memory>

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/change_watch.hpp"
#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/rows.hpp"
#include "adapters/postgres/transaction.hpp"

namespace openindex::postgres {

class EnlistedStorage final : public Storage {
 public:
  /// All of them must outlive this. @par Errors as PostgresStorage::enlist
  static Result<std::unique_ptr<Storage>> open(PGconn* transaction, const Statements& statements, ChangeWatch& watch);

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override { return watch_.wait(request); }
  void wake() noexcept override { watch_.wake(); }

 private:
  EnlistedStorage(PGconn* transaction, const Statements& statements, ChangeWatch& watch);
  void run(std::span<const storage::Entry> entries);

  const std::unique_ptr<Connection> connection_;
  const Statements& statements_;
  ChangeWatch& watch_;
  const Statement savepoint_;
  const Statement roll_back_to_;
  const Statement release_;
};

}  // namespace openindex::postgres
