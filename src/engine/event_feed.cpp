#include "engine/event_feed.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include <openindex/workflow_engine.hpp>

#include "engine/commit.hpp"
#include "engine/core.hpp"

namespace openindex::engine {
namespace {

constexpr std::string_view item_kind = "item";

const IndexEntry* entry_of(const Put& put, Index index) {
  const auto found =
      std::find_if(put.index.begin(), put.index.end(), [&](const IndexEntry& entry) { return entry.index == index; });
  return found == put.index.end() ? nullptr : &*found;
}

const std::string& text_of(const IndexEntry& entry, std::size_t field) {
  return std::get<std::string>(entry.values[field]);
}

// One event for each item whose state the change set writes. A heartbeat writes none. Positions as index.hpp lists
// them.
std::vector<EventPtr> events_of(const ChangeSet& changes) {
  std::vector<std::shared_ptr<Event>> out;
  std::unordered_map<std::string_view, Event*> by_item;
  std::unordered_map<std::string_view, std::uint64_t>
      versions;  // every write of an item's state expects the one before
  for (const Expectation& expected : changes.expectations) {
    if (expected.id.kind == item_kind) versions.emplace(expected.id.key, expected.version);
  }
  for (const Put& put : changes.puts) {
    const IndexEntry* item = entry_of(put, Index::items);
    if (item == nullptr) continue;
    auto event = std::make_shared<Event>();
    event->item = put.id.key;
    event->domain = text_of(*item, 0);
    event->workflow = text_of(*item, 3);
    event->status = text_of(*item, 4);
    event->stage = text_of(*item, 5);
    const auto before = versions.find(put.id.key);
    event->version = before == versions.end() ? 0 : before->second + 1;
    by_item.emplace(event->item.str(), event.get());
    out.push_back(std::move(event));
  }
  for (const Put& append : changes.appends) {
    const IndexEntry* audit = entry_of(append, Index::audit);
    if (audit == nullptr) continue;
    auto found = by_item.find(text_of(*audit, 4));
    if (found == by_item.end() && text_of(*audit, 2) == "work_item.deleted") {
      auto event = std::make_shared<Event>();
      event->item = text_of(*audit, 4);
      event->domain = text_of(*audit, 1);
      const auto before = versions.find(event->item.str());
      event->version = before == versions.end() ? 0 : before->second + 1;
      found = by_item.emplace(event->item.str(), event.get()).first;
      out.push_back(std::move(event));
    }
    if (found == by_item.end()) continue;
    Event& event = *found->second;
    event.at = Time(Duration(std::get<std::int64_t>(audit->values[0])));
    event.types.push_back(text_of(*audit, 2));
    event.actor = text_of(*audit, 3);
  }
  return {out.begin(), out.end()};
}

bool may_have_happened(const Result<CommitReceipt>& result) {
  return result || result.error().code() == errc::commit_unknown;
}

}  // namespace

/// The registrations of one call of `commit`; those that nobody settles are taken back.
class EventFeed::Attempts {
 public:
  Attempts(EventFeed& feed, std::span<const ChangeSet> changes) : feed_(feed) {
    for (const ChangeSet& set : changes) events_.push_back(events_of(set));
    const std::lock_guard lock(feed_.mutex_);
    for (const auto& events : events_) {
      for (const EventPtr& event : events) feed_.lines_[event->item.str()].open.push_back(event->version);
    }
  }
  ~Attempts() { settle({}); }
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  void settle(const Results& results) {
    const auto all = std::exchange(events_, {});
    if (all.empty()) return;
    {
      const std::lock_guard lock(feed_.mutex_);
      for (std::size_t i = 0; i < all.size(); ++i) feed_.settle(all[i], i < results.size() && results[i]);
    }
    feed_.schedule_all();
  }

 private:
  EventFeed& feed_;
  std::vector<std::vector<EventPtr>> events_;
};

/// What a transaction of the host has done, for when it is committed. Never told: the attempts are taken back.
struct EventFeed::Later {
  Later(std::shared_ptr<EventFeed> told_by, std::vector<ChangeSet> done)
      : feed(std::move(told_by)), changes(std::move(done)) {}

  std::shared_ptr<EventFeed> feed;
  std::vector<ChangeSet> changes;
  std::optional<Attempts> attempts;
};

std::vector<Result<CommitReceipt>> EventFeed::commit(std::span<const ChangeSet> changes) {
  if (transaction_ != nullptr) {
    auto results = engine::commit(storage_, changes);
    std::vector<ChangeSet> done;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i]) done.push_back(changes[i]);
    }
    outside_->tell_after(*transaction_, std::move(done));
    return results;
  }
  std::optional<Attempts> attempts;
  if (channel_count_.load(std::memory_order_relaxed) != 0) attempts.emplace(*this, changes);
  auto results = engine::commit(storage_, changes);
  tell(changes, results, attempts);
  return results;
}

// Nobody outside can have read what the transaction wrote yet: it is early enough to register the attempts now.
void EventFeed::tell_after(Enlistment& transaction, std::vector<ChangeSet> changes) {
  if (changes.empty()) return;
  auto later = std::make_shared<Later>(shared_from_this(), std::move(changes));
  if (channel_count_.load() != 0) later->attempts.emplace(*this, later->changes);
  transaction.after_commit([later = std::move(later)] {
    const bool heard =
        later->attempts || later->feed->channel_count_.load() != 0 || later->feed->watcher_count_.load() != 0;
    if (!heard) return;
    later->feed->tell(later->changes, later->feed->find_out_all(later->changes), later->attempts);
  });
}

EventFeed::Results EventFeed::find_out_all(std::span<const ChangeSet> changes) {
  Results results;
  for (const ChangeSet& set : changes) results.push_back(find_out(storage_, set, errc::commit_unknown));
  return results;
}

void EventFeed::tell(std::span<const ChangeSet> changes, const Results& results, std::optional<Attempts>& attempts) {
  tell_watchers(changes, results);
  if (channel_count_.load(std::memory_order_relaxed) == 0 && !attempts) return;
  // Somebody may have subscribed since it began, and have read an item before this commit changed it. They must learn
  // of it, but its place in the order is not known; as little as when nobody knows whether it happened.
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (may_have_happened(results[i]) && !(attempts && results[i])) miss(changes[i]);
  }
  if (attempts) return attempts->settle(results);
  schedule_all();
}

Result<CommitReceipt> EventFeed::commit(const ChangeSet& changes) {
  return std::move(commit(std::span(&changes, 1)).front());
}

// Takes the registrations back, and tells what they held up. The caller has the lock.
void EventFeed::settle(std::span<const EventPtr> events, bool happened) {
  for (const EventPtr& event : events) {
    const auto found = lines_.find(event->item.str());
    assert(found != lines_.end() && "settled without a registration");
    Line& line = found->second;
    line.open.erase(std::find(line.open.begin(), line.open.end(), event->version));
    const auto earlier = [](const EventPtr& a, const EventPtr& b) { return a->version < b->version; };
    if (happened) line.held.insert(std::upper_bound(line.held.begin(), line.held.end(), event, earlier), event);
    const auto lowest = std::min_element(line.open.begin(), line.open.end());
    const auto held_back = std::find_if(line.held.begin(), line.held.end(), [&](const EventPtr& held) {
      return lowest != line.open.end() && *lowest < held->version;
    });
    std::for_each(line.held.begin(), held_back, [&](const EventPtr& held) { publish(held); });
    line.held.erase(line.held.begin(), held_back);
    if (line.open.empty()) lines_.erase(found);
  }
}

void EventFeed::publish(const EventPtr& event) {
  for (const auto& channel : channels_) {
    if (channel->wants(*event)) channel->push(event);
  }
}

void EventFeed::miss(const ChangeSet& changes) {
  const auto events = events_of(changes);
  const std::lock_guard lock(mutex_);
  for (const EventPtr& event : events) {
    for (const auto& channel : channels_) {
      if (channel->wants(*event)) channel->miss();
    }
  }
}

// The executor is the host's: it is called without the lock.
void EventFeed::schedule_all() {
  std::vector<std::shared_ptr<EventChannel>> channels;
  {
    const std::lock_guard lock(mutex_);
    channels = channels_;
  }
  for (const auto& channel : channels) channel->schedule();
}

std::shared_ptr<EventChannel> EventFeed::subscribe(EventFilter filter, Executor executor, EventListener listener) {
  if (outside_) return outside_->subscribe(std::move(filter), std::move(executor), std::move(listener));
  auto channel =
      std::make_shared<EventChannel>(weak_from_this(), std::move(filter), std::move(executor), std::move(listener));
  const std::lock_guard lock(mutex_);
  channels_.push_back(channel);
  channel_count_ = channels_.size();
  return channel;
}

void EventFeed::leave(const EventChannel& channel) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(channels_, [&](const auto& known) { return known.get() == &channel; });
  channel_count_ = channels_.size();
}

void EventFeed::tell_watchers(std::span<const ChangeSet> changes, const Results& results) {
  if (watcher_count_.load() == 0) return;
  std::vector<std::shared_ptr<CommitWatcher>> watchers;
  {
    const std::lock_guard lock(mutex_);
    watchers = watchers_;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!may_have_happened(results[i])) continue;
    for (const auto& watcher : watchers) watcher->committed(changes[i]);
  }
}

void EventFeed::watch(std::shared_ptr<CommitWatcher> watcher) {
  if (outside_) return outside_->watch(std::move(watcher));
  const std::lock_guard lock(mutex_);
  watchers_.push_back(std::move(watcher));
  watcher_count_ = watchers_.size();
}

void EventFeed::unwatch(const CommitWatcher& watcher) noexcept {
  if (outside_) return outside_->unwatch(watcher);
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [&](const auto& known) { return known.get() == &watcher; });
  watcher_count_ = watchers_.size();
}

}  // namespace openindex::engine

namespace openindex {
inline namespace v0 {

Subscription WorkflowEngine::subscribe(EventFilter filter, Executor executor, EventListener listener) {
  assert(executor && listener && "a subscription needs an executor and a listener");
  auto& feed = core_->door.feed();
  return Subscription(feed.subscribe(std::move(filter), std::move(executor), std::move(listener)));
}

}  // namespace v0
}  // namespace openindex
