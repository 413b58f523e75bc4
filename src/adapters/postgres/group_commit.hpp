// Commits that share a transaction, and what to do when one does not go through.
#pragma once

#include <span>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>

#include "adapters/postgres/change_watch.hpp"
#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/rows.hpp"
#include "adapters/postgres/transaction.hpp"
#include "storage/commit_queue.hpp"

namespace openindex::postgres {

class GroupCommit {
 public:
  /// All of them must outlive this.
  GroupCommit(const PostgresOptions& options, const Statements& statements, Pool& pool, ChangeWatch& watch);

  /// @par Errors as Storage::commit
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes);

 private:
  using Entries = std::span<const storage::Entry>;
  enum class Server { usable, out_of_reach };

  Attempt attempt_and_tell(Connection& connection, const Bracket& around, Entries entries,
                           const storage::Entry* witness = nullptr);
  Server run(Entries entries, Duration lock_wait);
  void run_each_alone(Entries entries, Duration lock_wait);
  Duration group_wait() const;
  Bracket bracket(Duration lock_wait) const;
  enum class Found { told, never, open };
  void resolve(Entries entries, Duration lock_wait, const Error& loss);
  Found try_to_resolve(Connection& connection, Entries entries, const storage::Entry& witness,
                       std::vector<Result<CommitReceipt>>& promised);

  const PostgresOptions& options_;
  const Statements& statements_;
  Pool& pool_;
  ChangeWatch& watch_;
  const Statement begin_;
  const Statement rollback_;
  storage::CommitQueue queue_;
  storage::CommitQueue locked_out_;  ///< Of sets that met a lock: they wait for it here, and keep no others waiting.
};

}  // namespace openindex::postgres
