#include "engine/event_channel.hpp"

#include <algorithm>
#include <utility>

#include "engine/callback_depth.hpp"
#include "engine/event_feed.hpp"

namespace openindex {
inline namespace v0 {
namespace {

class InsideCallback {
 public:
  InsideCallback() { ++engine::callback_depth(); }
  ~InsideCallback() { --engine::callback_depth(); }
  InsideCallback(const InsideCallback&) = delete;
  InsideCallback& operator=(const InsideCallback&) = delete;
};

// A callback's trouble is not the trouble of whoever made the change.
template <class Call>
bool call_host(const Call& call) {
  const InsideCallback inside;
  try {
    call();
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

EventChannel::EventChannel(std::weak_ptr<engine::EventFeed> feed, EventFilter filter, Executor executor,
                           EventListener listener)
    : feed_(std::move(feed)),
      filter_(std::move(filter)),
      executor_(std::move(executor)),
      listener_(std::move(listener)) {}

bool EventChannel::wants(const Event& event) const {
  const auto fits = [](const auto& wanted, const auto& has) { return wanted.empty() || wanted == has; };
  const bool deleted = event.workflow.empty();  // then nobody knows where it stood
  return fits(filter_.domain, event.domain) && (deleted || fits(filter_.workflow, event.workflow)) &&
         (deleted || fits(filter_.stage, event.stage)) && fits(filter_.item, event.item) &&
         (filter_.type.empty() || std::find(event.types.begin(), event.types.end(), filter_.type) != event.types.end());
}

void EventChannel::push(engine::EventPtr event) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (waiting_.size() == Subscription::events_max) {
    waiting_.pop_front();
    ++missed_;
  }
  waiting_.push_back(std::move(event));
}

void EventChannel::miss() {
  const std::lock_guard lock(mutex_);
  if (!closed_) ++missed_;
}

void EventChannel::schedule() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || scheduled_ || !has_news()) return;
    scheduled_ = true;
    ++posting_;
  }
  const bool posted = call_host([&] { executor_([self = shared_from_this()] { self->deliver(); }); });
  const std::lock_guard lock(mutex_);
  if (!posted) scheduled_ = false;  // the next event asks again
  --posting_;
  idle_.notify_all();
}

engine::EventPtr EventChannel::take() {
  if (missed_ != 0) return std::make_shared<Event>(Event{.missed = std::exchange(missed_, 0)});
  engine::EventPtr next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

void EventChannel::deliver() {
  std::unique_lock lock(mutex_);
  if (running_) return;  // an executor that runs things twice must not break the order
  running_ = true;
  while (!closed_ && has_news()) {
    engine::EventPtr next = take();
    lock.unlock();
    call_host([&] { listener_(*next); });
    next.reset();
    lock.lock();
  }
  running_ = false;
  scheduled_ = false;
  idle_.notify_all();
}

void EventChannel::close() noexcept {
  if (const auto feed = feed_.lock()) feed->leave(*this);
  // What the callbacks hold goes after the lock, and not while they run.
  std::deque<engine::EventPtr> dropped;
  Executor executor;
  EventListener listener;
  std::unique_lock lock(mutex_);
  closed_ = true;
  waiting_.swap(dropped);
  const auto idle = [&] { return !running_ && posting_ == 0; };
  if (engine::callback_depth() == 0) idle_.wait(lock, idle);
  if (!idle()) return;
  executor_.swap(executor);
  listener_.swap(listener);
}

Subscription::Subscription(std::shared_ptr<EventChannel> channel) noexcept : channel_(std::move(channel)) {}
Subscription::Subscription(Subscription&& other) noexcept : channel_(std::move(other.channel_)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    close();
    channel_ = std::move(other.channel_);
  }
  return *this;
}

Subscription::~Subscription() { close(); }

void Subscription::close() noexcept {
  if (const auto channel = std::exchange(channel_, nullptr)) channel->close();
}

}  // namespace v0
}  // namespace openindex
