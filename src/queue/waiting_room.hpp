// Those who wait for work. One of them, the lookout, sleeps in the storage and looks for all; the others sleep until
// they are told. When the lookout leaves, another takes its place.
//
// There are two ways to learn of work. What this engine commits is compared with the filters as it is committed: no
// look-up, no detour over another thread. What others commit, and holds that run out, the lookout finds.
//
// No wake-up is lost. Everybody is registered before their first look, so a commit of this engine is either found by
// that look or told. The lookout takes the storage's sequence before it looks, so a commit that the look missed ends
// the sleep that follows. Whoever sets a flag for the lookout wakes the storage, which ends a sleep that is about to
// begin just as well.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <openindex/agent_queue.hpp>

#include "engine/event_feed.hpp"
#include "engine/loaded_item.hpp"
#include "queue/free_items.hpp"

namespace openindex {
inline namespace v0 {

class AgentQueue::WaitingRoom final : public engine::CommitWatcher,
                                      public std::enable_shared_from_this<AgentQueue::WaitingRoom> {
 public:
  explicit WaitingRoom(WorkflowEngine& engine) : engine_(engine) {}

  Result<bool> wait(const Actor& actor, const QueueFilter& filter, Duration timeout, const std::stop_token& stop);
  void committed(const ChangeSet& changes) override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Wish;
  using Wishes = std::map<std::string, Wish>;  ///< By name.
  using Names = std::set<std::string>;
  struct Waiter;
  class Seat;
  struct Rest;

  Result<bool> sit(Waiter& self);
  Result<void> look_out(Waiter& self, Lock& lock);
  Result<void> rest(Waiter& self, Lock& lock, Rest& rest);
  Result<bool> sleep_in_storage(Lock& lock, Duration due, Rest& rest);
  Result<std::vector<engine::LoadedItemPtr>> load(const ScanPage& page);
  Result<bool> is_open_stage(const Record& row);
  Result<bool> may_take(const engine::LoadedItem& item, const Wish& wish, Time now);
  Result<bool> look_among_unheld(const Wish& wish);
  Result<void> look_among_expired(const Wishes& wishes, queue::FreePart part, Names& found);
  Result<Names> look(const Wishes& wishes);
  Result<void> look_for_all();
  Result<Duration> time_to_next_due(Time now);
  [[nodiscard]] bool is_done(const Waiter& waiter) const;
  void tell(Waiter& waiter);
  void interrupt(Waiter& waiter);

  WorkflowEngine& engine_;
  std::mutex mutex_;
  std::vector<Waiter*> waiters_;
  Waiter* lookout_ = nullptr;
  bool lookout_sleeps_ = false;  ///< In the storage, or about to.
};

}  // namespace v0
}  // namespace openindex
