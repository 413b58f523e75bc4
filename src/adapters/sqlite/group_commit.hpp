// Many callers, one durable write: whoever finds no commit in progress leads, and takes those who wait along.
//
// The leader works on its own thread, so a lone caller pays for no hand-off; while it waits for the disk, the next
// group gathers.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/sqlite/change_watch.hpp"
#include "adapters/sqlite/checkpoint.hpp"
#include "adapters/sqlite/connection.hpp"

namespace openindex::sqlite {

class GroupCommit {
 public:
  /// All of them must outlive this; `writer` is used by nobody else.
  GroupCommit(Connection& writer, Checkpoint& checkpoint, ChangeWatch& watch)
      : writer_(writer), checkpoint_(checkpoint), watch_(watch) {}

  /// @par Errors as Storage::commit
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes);

 private:
  /// A change set within its bounds, and where its answer goes.
  struct Entry {
    const ChangeSet* changes;
    Result<CommitReceipt>* result;
  };
  struct Call {
    std::vector<Entry> entries;
    bool answered = false;
    std::condition_variable turn;
  };
  enum class Outcome { answered, try_each_alone };

  void lead(std::unique_lock<std::mutex>& lock);
  std::vector<Call*> take_group();
  void run(std::span<Call* const> group);
  void run_each_alone(std::span<const Entry> entries);
  Outcome attempt(std::span<const Entry> entries);
  Outcome apply(std::span<const Entry> entries);
  Outcome finish(std::span<const Entry> entries);
  void tidy(std::unique_lock<std::mutex>& lock);

  Connection& writer_;
  Checkpoint& checkpoint_;
  ChangeWatch& watch_;

  std::mutex mutex_;
  std::deque<Call*> waiting_;
  bool leading_ = false;  ///< Somebody uses the writer connection.
};

}  // namespace openindex::sqlite
