// A hold, as a session and whoever beats it share it: the session's thread writes, another one beats, shuts or stops.
//
// Thread safety: all methods, from any threads. Lifetime: the engine until `shut` has returned or the session is gone.
#pragma once

#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>

#include <openindex/access/actor.hpp>
#include <openindex/workflow_engine.hpp>

namespace openindex::queue {

class SessionHold {
 public:
  enum class Owner : std::uint8_t {
    session,     ///< The hold ends with the session.
    dispatcher,  ///< It is a run's: a session that ends gives nothing back.
  };
  enum class Beat : std::uint8_t { kept, over, failed };

  SessionHold(WorkflowEngine& engine, Actor actor, const WorkItem& item, Duration period, Owner owner);

  Result<WorkItem> execute(const Command& command, const CallOptions& call);
  Result<AgentContext> context();
  /// Give the item back. A run's stays with the dispatcher, which is told the note.
  Result<WorkItem> release(const std::string& note, const CallOptions& call, const WorkItem& item);
  /// Let go: what comes after is refused, and nothing is beaten any more.
  void end() noexcept;
  /// The same, giving back an item that is still held.
  void drop() noexcept;

  Beat beat();

  /// End the work from outside. When `shut` has returned, no call is under way in the engine, and none comes any more.
  void stop() { stop_.request_stop(); }
  void shut() noexcept { end(); }

  [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] Duration period() const noexcept { return period_; }
  [[nodiscard]] std::string note() const;

 private:
  Result<WorkItem> tell(const Command& command, const CallOptions& call);
  [[nodiscard]] bool says_lost(const Error& error) const;

  // A listener that the engine calls during a call of this session may call it in turn.
  mutable std::recursive_mutex mutex_;
  WorkflowEngine* engine_;  ///< Null: over.
  const Actor actor_;
  const ItemKey item_;
  const std::uint64_t epoch_;
  const Duration period_;
  const Owner owner_;
  bool held_ = true;  ///< As far as it is known here.
  std::string note_;
  std::stop_source stop_;
};

}  // namespace openindex::queue
