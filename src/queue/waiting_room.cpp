#include "queue/waiting_room.hpp"

#include <algorithm>
#include <utility>

#include "engine/core.hpp"
#include "queue/window.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using queue::free_items;
using queue::FreePart;
using queue::may_claim;
using queue::takeable;

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

/// What somebody waits for, and whose role in a domain counts.
struct AgentQueue::WaitingRoom::Wish {
  Actor actor;
  QueueFilter filter;

  /// An agent of the host's own may claim everywhere.
  [[nodiscard]] bool goes_by_role() const { return actor.kind() != ActorKind::agent || !actor.on_behalf_of().empty(); }
  [[nodiscard]] std::string name() const {
    return std::to_string(static_cast<int>(actor.kind())) + (actor.kind() == ActorKind::agent ? "" : actor.id()) +
           '\n' + Window::name(actor, filter);
  }
};

struct AgentQueue::WaitingRoom::Waiter {
  Wish wish;
  std::string name;
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

Result<bool> AgentQueue::WaitingRoom::wait(const Actor& actor, const QueueFilter& filter, Duration timeout,
                                           const std::stop_token& stop) {
  constexpr Duration timeout_max = std::chrono::hours(24 * 365);
  const Wish wish{actor, filter};
  Waiter self{.wish = wish,
              .name = wish.name(),
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
      self.looked = true;  // before looking: a commit in between has it look again
      lock.unlock();
      auto found = look({{self.name, self.wish}});
      lock.lock();
      if (!found) return found.error();
      if (!found->empty()) self.told = true;
      continue;
    }
    const Duration before = engine_.clock().steady();
    const Duration sleep = std::clamp(std::max(self.deadline - before, patience), Duration(1), longest);
    self.woken.wait_for(lock, sleep, [&] { return is_done(self) || !self.looked || lookout_ == nullptr; });
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
  self.looked = true;  // before looking: a commit in between has it look again
  lock.unlock();
  rest.looked = engine_.clock().steady();
  const Time now = engine_.clock().now();  // before looking: a hold that runs out during the look is due next
  auto looked = look_for_all();
  lock.lock();
  if (!looked) return looked.error();
  if (is_done(self)) return {};
  lock.unlock();
  auto due = time_to_next_due(now);
  lock.lock();
  if (!due) return due.error();
  if (is_done(self) || !self.looked) return {};
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
    return (*settings)->claims_by_hand &&
           engine_.core().stops.check(std::get<std::string>(entry.values[4])).has_value();
  }
  return false;
}

Result<bool> AgentQueue::WaitingRoom::may_take(const engine::LoadedItem& item, const Wish& wish, Time now) {
  auto free = takeable(engine_.core(), item, wish.filter, now);
  if (!free || !*free) return free;
  return may_claim(engine_.core(), wish.actor, item.item.domain);
}

// One row of the index is enough, unless words or roles must be looked for, or agents are kept out of its stage.
Result<bool> AgentQueue::WaitingRoom::look_among_unheld(const Wish& wish) {
  const Time now = engine_.clock().now();
  const bool any_will_do = wish.filter.search.empty() && !wish.goes_by_role();
  constexpr std::uint32_t page_size = 100;
  ScanRequest request = free_items(FreePart::unheld, wish.filter, now, any_will_do ? 1 : page_size);
  do {  // a page may be empty and not the last one: it looks at a bounded number of rows
    auto page = engine_.storage().scan(request);
    if (!page) return page.error();
    if (any_will_do && !page->rows.empty()) {
      auto open = is_open_stage(page->rows.front());
      if (!open || *open) return open;
    }
    auto items = load(*page);
    if (!items) return items.error();
    for (const auto& item : *items) {
      auto taken = may_take(*item, wish, now);
      if (!taken || *taken) return taken;
    }
    request.after = std::move(page->next);
    request.limit_count = page_size;
  } while (!request.after.empty());
  return false;
}

Result<void> AgentQueue::WaitingRoom::look_among_expired(const Wishes& wishes, FreePart part, Names& found) {
  const Time now = engine_.clock().now();
  ScanRequest request = free_items(part, {}, now, 1000);
  do {
    auto page = engine_.storage().scan(request);
    if (!page) return page.error();
    auto items = load(*page);
    if (!items) return items.error();
    for (const auto& item : *items) {
      for (const auto& [name, wish] : wishes) {
        if (found.contains(name)) continue;
        auto taken = may_take(*item, wish, now);
        if (!taken) return taken.error();
        if (*taken) found.insert(name);
      }
    }
    request.after = std::move(page->next);
  } while (!request.after.empty() && found.size() < wishes.size());
  return {};
}

// Which of the wishes find something.
Result<AgentQueue::WaitingRoom::Names> AgentQueue::WaitingRoom::look(const Wishes& wishes) {
  Names found;
  // What woke the lookout may have been new settings, and nothing will wake it a second time.
  if (auto followed = engine_.core().shelf.follow_settings(); !followed) return followed.error();
  if (auto followed = engine_.core().stops.follow(); !followed) return followed.error();
  for (const auto& [name, wish] : wishes) {
    auto any = look_among_unheld(wish);
    if (!any) return any.error();
    if (*any) found.insert(name);
  }
  for (const FreePart part : {FreePart::expired, FreePart::expired_run}) {
    if (found.size() == wishes.size()) break;
    if (auto looked = look_among_expired(wishes, part, found); !looked) return looked.error();
  }
  return found;
}

Result<void> AgentQueue::WaitingRoom::look_for_all() {
  Wishes wishes;
  {
    const std::lock_guard lock(mutex_);
    for (const Waiter* waiter : waiters_) {
      if (!waiter->told) wishes.try_emplace(waiter->name, waiter->wish);
    }
  }
  auto found = look(wishes);
  if (!found) return found.error();
  const std::lock_guard lock(mutex_);
  for (Waiter* waiter : waiters_) {
    if (found->contains(waiter->name)) tell(*waiter);
  }
  return {};
}

Result<Duration> AgentQueue::WaitingRoom::time_to_next_due(Time now) {
  Duration next = longest;
  for (const char* topic : {"hold", "run_hold"}) {
    auto page = engine_.storage().scan({.index = Index::due,
                                        .prefix = {std::string(topic)},
                                        .from = now.time_since_epoch().count() + 1,
                                        .where = {},
                                        .limit_count = 1,
                                        .after = {}});
    if (!page) return page.error();
    if (page->rows.empty()) continue;
    for (const IndexEntry& entry : page->rows.front().index) {
      if (entry.index != Index::due) continue;
      next = std::min(next, Time(Duration(std::get<std::int64_t>(entry.values[1]))) - now);
    }
  }
  return next;
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

// Roles are not looked up here, on the committer's thread: whoever goes by one looks again.
void AgentQueue::WaitingRoom::committed(const ChangeSet& changes) {
  bool in_storage = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Put& put : changes.puts) {
      for (const IndexEntry& entry : put.index) {
        for (Waiter* waiter : waiters_) {
          if (waiter->told || !makes_available(entry, waiter->wish.filter)) continue;
          if (waiter->wish.goes_by_role()) {
            waiter->looked = false;
            waiter->woken.notify_one();
          } else {
            tell(*waiter);
          }
          in_storage = in_storage || (lookout_ == waiter && lookout_sleeps_);
        }
      }
    }
  }
  if (in_storage) engine_.storage().wake();
}

}  // namespace v0
}  // namespace openindex
