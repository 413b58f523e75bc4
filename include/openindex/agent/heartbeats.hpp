// Heartbeats: keeps the holds of sessions while their work takes long.
//
// An `AgentQueue` that is given one has the hold of each of its sessions beaten at a third of its length, from the
// claim until the session is finished or dropped. A beat that is refused because somebody took over requests the
// session's stop; so does a hold that ran out while the storage could not be reached, where nobody knows who has the
// item now.
//
// No thread is started: the host gives `run` one, or calls `beat` from a loop of its own.
//
//   Heartbeats beats;
//   AgentQueue queue{engine, beats};
//   std::jthread beating{[&](std::stop_token stop) { beats.run(stop); }};
//
// Thread safety: all methods, from any threads. Lifetime: must outlive the queues that it is given to; their sessions
// may outlive it, and are then beaten no more.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>

namespace openindex {
namespace queue {
class SessionHold;
}
inline namespace v0 {

class OPENINDEX_API Heartbeats {
 public:
  /// `clock`: the engine's; must outlive it.
  explicit Heartbeats(Clock& clock = system_clock());
  ~Heartbeats();
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  /// Beat what is due; says at which `Clock::steady()` the next beat is, nullopt when there is nothing to beat.
  std::optional<Duration> beat();

  /// Beat at the right times until asked to stop. A manual clock wakes nobody: with one, call `beat`.
  void run(const std::stop_token& stop);

  /// Of the inside: begin to beat a hold.
  void add(const std::shared_ptr<queue::SessionHold>& hold);

 private:
  class Round;
  std::unique_ptr<Round> round_;
};

}  // namespace v0
}  // namespace openindex
