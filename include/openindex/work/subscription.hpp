// Subscription: keeps a listener told of events. (`WorkflowEngine::subscribe`)
//
// Thread safety: one owner at a time, on any thread. Lifetime: may outlive the engine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <openindex/core/api.hpp>
#include <openindex/work/event.hpp>

namespace openindex {
inline namespace v0 {

class EventChannel;

/// Called on the subscription's executor, one event after the other. What it throws is ignored.
using EventListener = std::function<void(const Event&)>;

class OPENINDEX_API Subscription {
 public:
  /// Events that wait for a slow listener, at most; beyond that the oldest are dropped and counted in `Event::missed`.
  static constexpr std::size_t events_max = 10'000;

  Subscription() noexcept = default;  ///< Of nothing.
  explicit Subscription(std::shared_ptr<EventChannel> channel) noexcept;
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription();

  /// End it, as the destructor does. Events that wait are dropped.
  ///
  /// Outside of listeners this waits for a call under way: when it returns, listener and executor are called no more.
  /// Inside a listener, its own or another's, it does not wait (two that end each other would wait for ever): a call
  /// under way in another thread then ends by itself. So do not call it outside while you hold a lock that the
  /// listener takes.
  void close() noexcept;

 private:
  std::shared_ptr<EventChannel> channel_;
};

}  // namespace v0
}  // namespace openindex
