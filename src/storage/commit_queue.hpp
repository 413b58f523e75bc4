// Many callers, one durable write: whoever finds no commit in progress leads, and takes those who wait along.
//
// The leader works on its own thread, so a lone caller pays for no hand-off; while it waits for the disk, the next
// group gathers.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
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

class CommitQueue {
 public:
  /// Commits a group, and answers each of its entries. Called by up to `leaders_max` threads at once.
  using Run = std::function<void(std::span<const Entry>)>;

  CommitQueue(Run run, std::size_t leaders_max) : run_(std::move(run)), leaders_max_(leaders_max) {}

  /// Return when each of these has its answer.
  void commit(std::span<const Entry> entries);

 private:
  struct Call {
    std::span<const Entry> entries;
    bool answered = false;
    std::condition_variable turn;
  };

  void lead(std::unique_lock<std::mutex>& lock);
  std::vector<Call*> take_group();
  void pass_on();

  const Run run_;
  const std::size_t leaders_max_;
  std::mutex mutex_;
  std::deque<Call*> waiting_;
  std::size_t leaders_ = 0;
};

/// Check the bounds of every change set: those within them as entries, and an answer for each in `results`.
std::vector<Entry> entries_of(std::span<const ChangeSet> changes, std::vector<Result<CommitReceipt>>& results);

}  // namespace openindex::storage
