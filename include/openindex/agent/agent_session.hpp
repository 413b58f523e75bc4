// AgentSession: a hold on one item, as a handle.
//
// `AgentQueue` hands it out. It carries the epoch of its claim, so that whatever it writes after somebody else took
// over is refused with `hold_lost`. Move-only; the finishing calls are for rvalues. Dropping a session that was not
// finished releases the item at once, as far as the storage can be reached; a process that dies leaves it to the
// deadline. In a `BlockingRunner` the hold is its dispatcher's, and goes when the function has returned.
//
// Thread safety: one session, one thread at a time. Lifetime: the engine must outlive it.
#pragma once

#include <cstdint>
#include <string>

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/call_options.hpp>
#include <openindex/work/rules.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {

class WorkflowEngine;

class OPENINDEX_API AgentSession {
 public:
  /// Made by `AgentQueue`. @pre `item.hold` is the actor's
  AgentSession(WorkflowEngine& engine, Actor actor, WorkItem item, Duration hold);
  AgentSession(AgentSession&& other) noexcept;
  AgentSession& operator=(AgentSession&& other) noexcept;
  ~AgentSession();

  [[nodiscard]] const WorkItem& item() const noexcept { return item_; }  ///< As of the last call that succeeded.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  // Each call's errors are those of `decide`, and idempotency_conflict; `hold_lost` means: stop, somebody else works on
  // it. What a call says comes along with the session's own epoch: `CallOptions::fence` is of no use here.
  Result<void> set_field(const std::string& key, FieldValue value, const CallOptions& call = {});
  Result<void> set_fields(FieldValues values, const CallOptions& call = {});
  Result<void> comment(std::string body, const CallOptions& call = {});
  Result<void> transition(std::string to_status, const CallOptions& call = {});
  Result<void> progress(const std::string& gate, Progress acknowledged = {}, const CallOptions& call = {});
  Result<void> heartbeat();
  Result<AgentContext> context();

  /// Move to a terminal status and finish. A refusal leaves the session as it was.
  Result<WorkItem> complete(const Complete& complete = {}, const CallOptions& call = {}) &&;
  /// Give the item back and finish.
  Result<WorkItem> release(std::string note = {}, const CallOptions& call = {}) &&;

 private:
  Result<void> execute(const Command& command, const CallOptions& call);
  void drop() noexcept;

  WorkflowEngine* engine_;
  Actor actor_;
  WorkItem item_;
  std::uint64_t epoch_;
  Duration hold_;
};

}  // namespace v0
}  // namespace openindex
