// Many callers, one durable write: whoever finds no commit in progress leads, and takes those who wait along.
//
// The leader works on its own thread, so a lone caller pays for no hand-off; while it waits for the disk, the next
// group gathers. Calls that append nothing go first: they keep a hold or a lease alive, and somebody's time runs out.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/sqlite/change_watch.hpp"
#include "adapters/sqlite/checkpoint.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/write_turn.hpp"

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
  /// A change set within its bounds, and where its answer goes.
  struct Entry {
    const ChangeSet* changes;
    Result<CommitReceipt>* result;
  };
  enum class News { none, answered, lead };

  /// Shared with the leader, which tells its news after the caller may have gone. Each has a lock of its own: callers
  /// that are answered at once do not queue up for one.
  struct Call {
    std::vector<Entry> entries;
    std::mutex mutex;
    std::condition_variable told;
    News news = News::none;

    void tell(News its_news);
    News wait();
  };
  using CallPtr = std::shared_ptr<Call>;
  using Group = std::vector<CallPtr>;
  enum class Outcome { answered, try_each_alone };

  void take_part(const CallPtr& mine);
  bool enter(const CallPtr& call);
  void lead();
  Group take_group();
  bool somebody_waits();
  void pass_on();
  void tidy(const Group& group);
  void run(const Group& group);
  void run_each_alone(std::span<const Entry> entries);
  Outcome attempt(std::span<const Entry> entries);
  Outcome apply(std::span<const Entry> entries);
  Outcome finish(std::span<const Entry> entries);
  Result<void> begin();

  Connection& writer_;
  Checkpoint& checkpoint_;
  ChangeWatch& watch_;
  WriteTurn turn_;  ///< Among processes.

  std::mutex mutex_;
  std::deque<CallPtr> urgent_;
  std::deque<CallPtr> waiting_;
  bool passed_over_ = false;  ///< What waits longest did not fit into the last group.
  bool leading_ = false;      ///< Somebody uses the writer connection, or was told to.
};

}  // namespace openindex::sqlite
