// AgentSession: a hold on one item, as a handle.
//
// `AgentQueue` hands it out, and `BlockingRunner` to its function. It carries the epoch of its claim, so that whatever
// it writes after somebody else took over is refused with `hold_lost`. Move-only; the finishing calls are for rvalues,
// so that a session that has a name cannot be finished by the way, nor twice. Dropping a session that was not finished
// releases the item at once, as far as the storage can be reached; a process that dies leaves it to the deadline. In
// a `BlockingRunner` the hold is its dispatcher's, and goes when the function has returned.
//
// Every write extends the hold. What takes longer than a hold needs beats: `Heartbeats` gives them to the sessions of a
// queue, the dispatcher to those of its runs, each at a third of the hold. `stop_token` tells that the hold was lost.
//
// Thread safety: one session, one thread at a time; beats do not disturb it. Lifetime: the engine must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/call_options.hpp>
#include <openindex/work/rules.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
namespace queue {
class SessionHold;
}
inline namespace v0 {

class WorkflowEngine;

class OPENINDEX_API AgentSession {
 public:
  /// Made by `AgentQueue` and `Dispatcher`. @pre `item.hold` is the actor's
  AgentSession(WorkflowEngine& engine, Actor actor, WorkItem item, Duration hold);
  /// Of the inside.
  AgentSession(std::shared_ptr<queue::SessionHold> hold, WorkItem item);
  AgentSession(AgentSession&& other) noexcept;
  AgentSession& operator=(AgentSession&& other) noexcept;
  ~AgentSession();

  [[nodiscard]] const WorkItem& item() const noexcept { return item_; }  ///< As of the last call that succeeded.
  [[nodiscard]] std::uint64_t epoch() const noexcept;                    ///< 0 when it is finished or moved from.
  /// Stop is requested once the hold is known to be lost: by a call that was refused so, or by a beat. Of a run also
  /// when the work is to end for another reason, see `BlockingRunner`.
  [[nodiscard]] std::stop_token stop_token() const;

  // Each call's errors are those of `decide`, and idempotency_conflict; `hold_lost` means: stop, somebody else works on
  // it, or the session is over. What a call says comes along with the session's own epoch: `CallOptions::fence` is of
  // no use here.
  Result<void> set_field(const std::string& key, FieldValue value, const CallOptions& call = {});
  Result<void> set_fields(FieldValues values, const CallOptions& call = {});
  Result<void> comment(std::string body, const CallOptions& call = {});
  Result<void> transition(std::string to_status, const CallOptions& call = {});
  Result<void> progress(const std::string& gate, Progress acknowledged = {}, const CallOptions& call = {});
  Result<void> heartbeat();
  Result<AgentContext> context();

  /// Move to a terminal status and finish. A refusal leaves the session as it was.
  Result<WorkItem> complete(const Complete& complete = {}, const CallOptions& call = {}) &&;
  /// Give the item back and finish. A run that does so waits for a person, who reads the note.
  Result<WorkItem> release(std::string note = {}, const CallOptions& call = {}) &&;

 private:
  Result<void> execute(const Command& command, const CallOptions& call);

  std::shared_ptr<queue::SessionHold> hold_;  ///< Null: finished or moved from.
  WorkItem item_;
};

}  // namespace v0
}  // namespace openindex
