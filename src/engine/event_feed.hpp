// From commits to events: every commit that changes items goes through here, and who listens is told afterwards.
//
// Order. Two threads that change one item one after the other may come back from the storage in the other order. So
// while somebody listens, each attempt is registered with the item versions it would write before it commits, and the
// event of a finished one is held back while an attempt at a lower version of that item is registered. That is enough:
// whoever writes version n + 1 has read version n, so the commit of n had happened before the attempt at n + 1 was
// registered, and the attempt at n had been registered before that. When n + 1 finishes, n is therefore either told
// already or still registered. Attempts that fail only take their registration back; nothing waits for an attempt
// that is yet to come.
//
// In a transaction of the host the feed of the engine outside tells, once the host has said that it is committed, and
// only of what is found to be there: a host may have rolled back to a savepoint. The attempts stay registered until
// then.
//
// An event is read off the change set (the index entries of the item's state and of its audit entries), so whatever
// commits items needs nothing but to commit them here.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <openindex/storage/enlistment.hpp>
#include <openindex/storage/storage.hpp>

#include "engine/event_channel.hpp"

namespace openindex::engine {

/// Told of every commit of this engine, in the committing thread, in no particular order. Must be quick.
class CommitWatcher {
 public:
  CommitWatcher() = default;
  virtual ~CommitWatcher() = default;
  CommitWatcher(const CommitWatcher&) = delete;
  CommitWatcher& operator=(const CommitWatcher&) = delete;
  virtual void committed(const ChangeSet& changes) = 0;
};

class EventFeed : public std::enable_shared_from_this<EventFeed> {
 public:
  explicit EventFeed(Storage& storage) : storage_(storage) {}

  /// Of a transaction: the feed outside tells of it afterwards.
  EventFeed(Enlistment& transaction, std::shared_ptr<EventFeed> outside)
      : storage_(transaction), transaction_(&transaction), outside_(std::move(outside)) {}

  /// As `engine::commit`, and tell who listens.
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes);
  Result<CommitReceipt> commit(const ChangeSet& changes);

  std::shared_ptr<EventChannel> subscribe(EventFilter filter, Executor executor, EventListener listener);
  void leave(const EventChannel& channel) noexcept;

  /// Tell a watcher of every commit that begins from now on.
  void watch(std::shared_ptr<CommitWatcher> watcher);
  void unwatch(const CommitWatcher& watcher) noexcept;

 private:
  class Attempts;
  struct Later;
  using Results = std::vector<Result<CommitReceipt>>;

  /// The attempts at one item that have not been told of yet.
  struct Line {
    std::vector<std::uint64_t> open;  ///< Versions that are being attempted.
    std::vector<EventPtr> held;       ///< Committed, in order of version.
  };

  void tell_after(Enlistment& transaction, std::vector<ChangeSet> changes);
  Results find_out_all(std::span<const ChangeSet> changes);
  void tell(std::span<const ChangeSet> changes, const Results& results, std::optional<Attempts>& attempts);
  void tell_watchers(std::span<const ChangeSet> changes, const Results& results);
  void miss(const ChangeSet& changes);
  void settle(std::span<const EventPtr> events, bool happened);
  void publish(const EventPtr& event);
  void schedule_all();

  Storage& storage_;
  Enlistment* const transaction_ = nullptr;
  const std::shared_ptr<EventFeed> outside_;  ///< Of a transaction; else null.
  std::atomic<std::size_t> channel_count_{0};
  std::atomic<std::size_t> watcher_count_{0};
  std::mutex mutex_;
  std::unordered_map<std::string, Line> lines_;
  std::vector<std::shared_ptr<EventChannel>> channels_;
  std::vector<std::shared_ptr<CommitWatcher>> watchers_;
};

}  // namespace openindex::engine
