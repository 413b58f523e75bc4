// Many callers, one durable write: whoever finds no commit in progress leads, and takes those who wait along.
//
// The leader works on its own thread, so a lone caller pays for no hand-off; while it waits for the disk, the next
// group gathers. Calls that append nothing go first: they keep a hold or a lease alive, and somebody's time runs out.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex::storage {

/// A change set within its bounds, and where its answer goes.
struct Entry {
  const ChangeSet* changes;
  Result<CommitReceipt>* result;
};

/// Check the bounds of every change set: those within them as entries, and an answer for each in `results`.
std::vector<Entry> entries_of(std::span<const ChangeSet> changes, std::vector<Result<CommitReceipt>>& results);

class CommitQueue {
 public:
  class Lead;

  /// Commits a group, and answers each of its entries. Called by up to `leaders_max` threads at once.
  using Run = std::function<void(Lead&)>;

  CommitQueue(Run run, std::size_t leaders_max) : run_(std::move(run)), leaders_max_(leaders_max) {}

  /// Return when each of these has its answer. Without any, somebody leads once more, soon.
  void commit(std::span<const Entry> entries);

  /// Do something as a leader, unless there are as many as there may be; then the answer is false.
  bool lead_at_once(const std::function<void()>& work);

 private:
  enum class News { none, answered, lead };

  /// Shared with the leader, which tells its news after the caller may have gone. Each has a lock of its own: callers
  /// that are answered at once do not queue up for one.
  struct Call {
    std::span<const Entry> entries;
    bool urgent = false;
    std::mutex mutex;
    std::condition_variable told;
    News news = News::none;

    void tell(News its_news);
    News wait();
  };
  using CallPtr = std::shared_ptr<Call>;
  using Group = std::vector<CallPtr>;

  bool may_lead();
  bool enter(const CallPtr& call);
  void lead(const CallPtr& mine);
  Group take_group(const CallPtr& mine);
  CallPtr take_next_leader();
  void pass_on();
  std::size_t count_waiting();

  const Run run_;
  const std::size_t leaders_max_;
  std::mutex mutex_;
  std::deque<CallPtr> urgent_;
  std::deque<CallPtr> waiting_;
  bool passed_over_ = false;  ///< What waits longest did not fit into the last group.
  std::size_t leaders_ = 0;   ///< Who lead, or were told to.
};

/// A leader's turn. What its run leaves undone is done behind it.
class CommitQueue::Lead {
 public:
  Lead(CommitQueue& queue, Group group);

  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

  /// How many calls wait for a leader.
  [[nodiscard]] std::size_t waiting_count() const { return queue_.count_waiting(); }

  /// Let the next caller lead.
  void pass_on();

  /// Tell the callers that they have their answers.
  void answer();

 private:
  CommitQueue& queue_;
  Group group_;
  std::vector<Entry> entries_;
  bool leads_ = true;
};

}  // namespace openindex::storage
