#include "queue/waiting_room.hpp"

#include <algorithm>
#include <utility>

#include "engine/core.hpp"
#include "queue/free_items.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr Duration longest = std::chrono::hours(1);

// On a storage where much is committed that is nobody's work here, looking takes turns with pausing.
constexpr Duration pause_max{20};

// Puts feed the queue index exactly when the item could be found there; positions as index.hpp lists them.
bool makes_available(const IndexEntry& entry, const QueueFilter& filter) {
  const auto is = [&](std::size_t field, const std::string& wanted) {
    return wanted.empty() || std::get<std::string>(entry.values[field]) == wanted;
  };
  return entry.index == Index::queue && std::get<std::string>(entry.values[0]).empty() && is(3, filter.domain) &&
         is(4, filter.workflow.str()) && is(5, filter.stage) &&
         (!filter.priority || std::get<std::int64_t>(entry.values[1]) == static_cast<std::int64_t>(*filter.priority));
}

}  // namespace

struct AgentQueue::WaitingRoom::Waiter {
  const QueueFilter& filter;
  Duration deadline;  ///< By the engine's steady clock.
  bool told = false;
  bool stopped = false;
  bool looked = false;
  std::condition_variable woken = {};
};

/// A place in the room, for as long as somebody waits.
class AgentQueue::WaitingRoom::Seat {
 public:
  Seat(WaitingRoom& room, Waiter& waiter) : room_(room), waiter_(waiter) {
    const std::lock_guard lock(room_.mutex_);
    if (room_.waiters_.empty()) room_.engine_.core().door.feed().watch(room_.shared_from_this());
    room_.waiters_.push_back(&waiter_);
  }
  ~Seat() {
    const std::lock_guard lock(room_.mutex_);
    std::erase(room_.waiters_, &waiter_);
    if (room_.lookout_ == &waiter_) room_.lookout_ = nullptr;  // it was thrown out
    if (room_.waiters_.empty()) room_.engine_.core().door.feed().unwatch(room_);
    if (room_.lookout_ != nullptr) return;
    const auto next = std::find_if(room_.waiters_.begin(), room_.waiters_.end(),
                                   [&](const Waiter* other) { return !room_.is_done(*other); });
    if (next != room_.waiters_.end()) (*next)->woken.notify_one();
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  WaitingRoom& room_;
  Waiter& waiter_;
};

/// What the lookout remembers from one sleep to the next.
struct AgentQueue::WaitingRoom::Rest {
  std::uint64_t seen = 0;  ///< The storage's sequence before the last look.
  Duration looked{0};      ///< When that was.
  Duration pause{0};       ///< After the next change.
  Duration patience{0};    ///< Sleep at least so long: the clock did not move during the last sleep.
};

Result<bool> AgentQueue::WaitingRoom::wait(const QueueFilter& filter, Duration timeout, const std::stop_token& stop) {
  constexpr Duration timeout_max = std::chrono::hours(24 * 365);
  Waiter self{.filter = filter,
              .deadline = engine_.clock().steady() + std::clamp(timeout, Duration::zero(), timeout_max)};
  const Seat seat(*this, self);
  const std::stop_callback on_stop(stop, [&] { interrupt(self); });
  return sit(self);
}

bool AgentQueue::WaitingRoom::is_done(const Waiter& waiter) const {
  return waiter.told || waiter.stopped || (waiter.looked && engine_.clock().steady() >= waiter.deadline);
}

Result<bool> AgentQueue::WaitingRoom::sit(Waiter& self) {
  Lock lock(mutex_);
  Duration patience{0};
  while (!is_done(self)) {
    if (lookout_ == nullptr) {
      if (auto done = look_out(self, lock); !done) return done.error();
      continue;
    }
    if (!self.looked) {
      lock.unlock();
      auto found = look({self.filter});
      lock.lock();
      if (!found) return found.error();
      self.looked = true;
      if (!found->empty()) self.told = true;
      continue;
    }
    const Duration before = engine_.clock().steady();
    const Duration sleep = std::clamp(std::max(self.deadline - before, patience), Duration(1), longest);
    self.woken.wait_for(lock, sleep, [&] { return is_done(self) || lookout_ == nullptr; });
    // Under a clock that stands still, a deadline never comes near by waiting for it.
    patience = engine_.clock().steady() != before ? Duration(0) : std::min(longest, std::max(sleep, patience) * 2);
  }
  return self.told;
}

Result<void> AgentQueue::WaitingRoom::look_out(Waiter& self, Lock& lock) {
  lookout_ = &self;
  lock.unlock();
  Result<void> done;
  Rest state;
  auto first = engine_.storage().wait_for_change({.seen = 0, .timeout = Duration(0)});
  if (first) {
    state.seen = first->sequence;
  } else {
    done = first.error();
  }
  lock.lock();
  while (done && !is_done(self)) done = rest(self, lock, state);
  lookout_ = nullptr;
  return done;
}

// Look, then sleep until something happens or something is due.
Result<void> AgentQueue::WaitingRoom::rest(Waiter& self, Lock& lock, Rest& rest) {
  lock.unlock();
  rest.looked = engine_.clock().steady();
  const Time now = engine_.clock().now();  // before looking: a hold that runs out during the look is due next
  auto looked = look_for_all();
  lock.lock();
  if (!looked) return looked.error();
  self.looked = true;
  if (is_done(self)) return {};
  lock.unlock();
  auto due = time_to_next_due(now);
  lock.lock();
  if (!due) return due.error();
  if (is_done(self)) return {};
  auto changed = sleep_in_storage(lock, *due, rest);
  if (!changed) return changed.error();
  if (!*changed || engine_.clock().steady() - rest.looked >= pause_max) {
    rest.pause = Duration(0);
    return {};
  }
  self.woken.wait_for(lock, rest.pause, [&] { return is_done(self); });
  rest.pause = std::clamp(rest.pause * 2, Duration(1), pause_max);
  return {};
}

// Tells whether something was committed.
Result<bool> AgentQueue::WaitingRoom::sleep_in_storage(Lock& lock, Duration due, Rest& rest) {
  const Duration before = engine_.clock().steady();
  Duration sleep = due;
  for (const Waiter* waiter : waiters_) {
    if (waiter->deadline > before) sleep = std::min(sleep, waiter->deadline - before);
  }
  sleep = std::clamp(std::max(sleep, rest.patience), Duration(1), longest);
  lookout_sleeps_ = true;
  lock.unlock();
  auto woken = engine_.storage().wait_for_change({.seen = rest.seen, .timeout = sleep});
  lock.lock();
  lookout_sleeps_ = false;
  if (!woken) return woken.error();
  const Duration after = engine_.clock().steady();
  for (Waiter* waiter : waiters_) {
    if (after >= waiter->deadline) waiter->woken.notify_one();
  }
  const bool changed = std::exchange(rest.seen, woken->sequence) != woken->sequence;
  rest.patience = changed || after != before ? Duration(0) : std::min(longest, sleep * 2);
  return changed;
}

Result<std::vector<engine::LoadedItemPtr>> AgentQueue::WaitingRoom::load(const ScanPage& page) {
  std::vector<ItemKey> keys;
  for (const Record& row : page.rows) keys.emplace_back(row.id.key);
  return engine_.core().door.load_all(keys);
}

// Tells whether the index alone says that agents may claim it.
Result<bool> AgentQueue::WaitingRoom::is_open_stage(const Record& row) {
  for (const IndexEntry& entry : row.index) {
    if (entry.index != Index::queue) continue;
    auto settings = engine_.core().shelf.known_settings(std::get<std::string>(entry.values[4]),
                                                        std::get<std::string>(entry.values[5]));
    if (!settings) return settings.error();
    return (*settings)->claims_by_hand;
  }
  return false;
}

// One row of the index is enough, unless words must be looked for, or agents are kept out of its stage.
Result<bool> AgentQueue::WaitingRoom::look_among_free(const QueueFilter& filter) {
  const Time now = engine_.clock().now();
  constexpr std::uint32_t page_size = 100;
  ScanRequest request = queue::free_items(filter, filter.search.empty() ? 1 : page_size, {});
  do {  // a page may be empty and not the last one: it looks at a bounded number of rows
    auto page = engine_.storage().scan(request);
    if (!page) return page.error();
    if (filter.search.empty() && !page->rows.empty()) {
      auto open = is_open_stage(page->rows.front());
      if (!open) return open.error();
      if (*open) return true;
    }
    auto found = any_takeable(*page, filter, now);
    if (!found) return found.error();
    if (*found) return true;
    request.after = std::move(page->next);
    request.limit_count = page_size;
  } while (!request.after.empty());
  return false;
}

Result<bool> AgentQueue::WaitingRoom::any_takeable(const ScanPage& page, const QueueFilter& filter, Time now) {
  auto items = load(page);
  if (!items) return items.error();
  for (const auto& item : *items) {
    auto free = queue::takeable(engine_.core().shelf, *item, filter, now);
    if (!free || *free) return free;
  }
  return false;
}

// Which of the filters find something.
Result<AgentQueue::WaitingRoom::Filters> AgentQueue::WaitingRoom::look(const Filters& filters) {
  Filters found;
  // What woke the lookout may have been new settings, and nothing will wake it a second time.
  if (auto followed = engine_.core().shelf.follow_settings(); !followed) return followed.error();
  for (const QueueFilter& filter : filters) {
    auto any = look_among_free(filter);
    if (!any) return any.error();
    if (*any) found.insert(filter);
  }
  if (found.size() == filters.size()) return found;
  const Time now = engine_.clock().now();
  auto expired = engine_.storage().scan(queue::expired_items(now, 1000, {}));
  if (!expired) return expired.error();
  auto items = load(*expired);
  if (!items) return items.error();
  for (const auto& item : *items) {
    for (const QueueFilter& filter : filters) {
      auto free = queue::takeable(engine_.core().shelf, *item, filter, now);
      if (!free) return free.error();
      if (*free) found.insert(filter);
    }
  }
  return found;
}

Result<void> AgentQueue::WaitingRoom::look_for_all() {
  Filters filters;
  {
    const std::lock_guard lock(mutex_);
    for (const Waiter* waiter : waiters_) {
      if (!waiter->told) filters.insert(waiter->filter);
    }
  }
  auto found = look(filters);
  if (!found) return found.error();
  const std::lock_guard lock(mutex_);
  for (Waiter* waiter : waiters_) {
    if (found->contains(waiter->filter)) tell(*waiter);
  }
  return {};
}

Result<Duration> AgentQueue::WaitingRoom::time_to_next_due(Time now) {
  auto page = engine_.storage().scan({.index = Index::due,
                                      .prefix = {std::string("hold")},
                                      .from = now.time_since_epoch().count() + 1,
                                      .where = {},
                                      .limit_count = 1,
                                      .after = {}});
  if (!page) return page.error();
  if (page->rows.empty()) return longest;
  for (const IndexEntry& entry : page->rows.front().index) {
    if (entry.index == Index::due) return Time(Duration(std::get<std::int64_t>(entry.values[1]))) - now;
  }
  return longest;
}

void AgentQueue::WaitingRoom::tell(Waiter& waiter) {
  waiter.told = true;
  waiter.woken.notify_one();
}

void AgentQueue::WaitingRoom::interrupt(Waiter& waiter) {
  bool in_storage = false;
  {
    const std::lock_guard lock(mutex_);
    waiter.stopped = true;
    waiter.woken.notify_one();
    in_storage = lookout_ == &waiter && lookout_sleeps_;
  }
  if (in_storage) engine_.storage().wake();
}

void AgentQueue::WaitingRoom::committed(const ChangeSet& changes) {
  bool in_storage = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Put& put : changes.puts) {
      for (const IndexEntry& entry : put.index) {
        for (Waiter* waiter : waiters_) {
          if (waiter->told || !makes_available(entry, waiter->filter)) continue;
          tell(*waiter);
          in_storage = in_storage || (lookout_ == waiter && lookout_sleeps_);
        }
      }
    }
  }
  if (in_storage) engine_.storage().wake();
}

}  // namespace v0
}  // namespace openindex
