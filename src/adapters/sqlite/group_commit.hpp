// Commits that share a transaction, and the checkpoints between them.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/sqlite/change_watch.hpp"
#include "adapters/sqlite/checkpoint.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/write_turn.hpp"
#include "storage/commit_queue.hpp"

namespace openindex::sqlite {

class GroupCommit {
 public:
  /// All of them must outlive this; `writer` is used by nobody else.
  GroupCommit(Connection& writer, Checkpoint& checkpoint, ChangeWatch& watch);

  /// @par Errors as Storage::commit
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes);

  /// Have this read on the writer connection, unless it is in use; then the answer is false. What was committed last is
  /// in its cache, while the cache of another connection begins anew after each commit. Keep it short: a commit waits.
  bool read_at_once(const std::function<void(Connection&)>& read);

  /// Another connection has written about this many pages, and nobody may have looked after the log since.
  void written_by_others(int pages);

 private:
  using Entry = storage::Entry;
  using Lead = storage::CommitQueue::Lead;
  enum class Outcome { answered, try_each_alone };

  void run(Lead& lead);
  void look_after_log(Lead& lead);
  void write(std::span<const Entry> entries);
  void run_each_alone(std::span<const Entry> entries);
  Outcome attempt(std::span<const Entry> entries);
  Outcome apply(std::span<const Entry> entries);
  Outcome finish(std::span<const Entry> entries);
  Result<void> begin(bool waits);

  Connection& writer_;
  Checkpoint& checkpoint_;
  ChangeWatch& watch_;
  WriteTurn turn_;  ///< Among processes.
  storage::CommitQueue queue_;
};

}  // namespace openindex::sqlite
