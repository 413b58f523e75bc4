// One subscription: what waits for its listener, and the way to it over the host's executor.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include <openindex/core/executor.hpp>
#include <openindex/work/subscription.hpp>

namespace openindex {
namespace engine {
class EventFeed;
using EventPtr = std::shared_ptr<const Event>;
}  // namespace engine

inline namespace v0 {

class EventChannel : public std::enable_shared_from_this<EventChannel> {
 public:
  EventChannel(std::weak_ptr<engine::EventFeed> feed, EventFilter filter, Executor executor, EventListener listener);

  [[nodiscard]] bool wants(const Event& event) const;

  /// Put an event in line. Calls nothing of the host's, so the feed may do it under its lock.
  void push(engine::EventPtr event);
  /// Count an event that cannot be told.
  void miss();

  /// Ask the executor to deliver what waits, unless it was asked already.
  void schedule();

  void close() noexcept;

 private:
  void deliver();
  [[nodiscard]] bool has_news() const { return missed_ != 0 || !waiting_.empty(); }
  engine::EventPtr take();

  const std::weak_ptr<engine::EventFeed> feed_;
  const EventFilter filter_;
  Executor executor_;
  EventListener listener_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<engine::EventPtr> waiting_;
  std::uint64_t missed_ = 0;
  int posting_ = 0;         ///< Calls of the executor under way.
  bool scheduled_ = false;  ///< The executor was asked and has not finished.
  bool running_ = false;
  bool closed_ = false;
};

}  // namespace v0
}  // namespace openindex
