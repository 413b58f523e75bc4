// Rules: what may happen to an item next. Pure functions: no I/O, no clock, no randomness.
//
// `decide` is the only place that knows what is legal; every door (engine, queue, dispatcher, tools, later HTTP and
// CLI) goes through it. It turns a snapshot and a command into a Decision, which lists changes, or into an Error with
// the code, the text and the alternatives.
//
// Thread safety: pure functions of their arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/agent_run.hpp>
#include <openindex/work/audit_entry.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

namespace openindex {
inline namespace v0 {

/// What the rules look at. References must outlive the call.
struct ItemSnapshot {
  const CompiledWorkflow& workflow;
  const WorkItem& item;
  StatusIndex status = 0;   ///< `item.status` looked up.
  std::string_view worker;  ///< Id of the last actor who claimed the item or changed its fields.
};

/// Take the item for an agent. Allowed when it is free, past its deadline, or already this agent's: then the hold is
/// extended and its epoch stays.
struct Claim {
  std::string to_status = {};  ///< Empty: stay if in progress, else the first legal in-progress status, else stay.
  Duration hold{std::chrono::minutes(30)};  ///< 1 second to 7 days.
};
/// Give the item back.
struct Release {
  std::string note = {};
};
/// Say that the holder is alive; extends the hold and changes nothing else.
struct Heartbeat {
  Duration hold{std::chrono::minutes(30)};
};
/// Set custom fields; an empty value clears one. All or none.
struct SetFields {
  FieldValues values = {};
};
struct AddComment {
  std::string body = {};
  bool external = false;
};
/// Move to a status that one transition leads to.
struct ChangeStatus {
  std::string to_status = {};
};
/// Progress through a stage gate.
struct Progress {
  std::string gate = {};
  bool accept_text = false;
  std::vector<std::string> checked = {};  ///< Checklist items, word for word.
};
/// Move to a terminal status.
struct Complete {
  std::string to_status = {};  ///< Empty: the only terminal status that one transition leads to.
};

using Command = std::variant<Claim, Release, Heartbeat, SetFields, AddComment, ChangeStatus, Progress, Complete>;

/// How the hold changes.
struct HoldChange {
  enum class Kind : std::uint8_t { none, take, extend, clear };
  Kind kind = Kind::none;
  Time deadline{};        ///< take, extend; zero on extend: by the length that the hold was taken with.
  bool takeover = false;  ///< take: another holder's deadline had passed.
};

/// An audit entry before it has a number, a time and a place in the chain.
struct AuditDraft {
  std::string_view type;
  std::vector<AuditChange> changes = {};
  std::string note = {};
};

/// What a command changes: the changes, not a copy of the item.
struct Decision {
  std::optional<StatusIndex> status = {};
  std::optional<StageIndex> stage_entered = {};
  HoldChange hold;
  FieldValues fields = {};  ///< Values to set; empty ones clear.
  std::optional<AddComment> comment = {};
  bool worked = false;                    ///< The actor becomes the stage's worker.
  std::optional<RunState> run_ends = {};  ///< The stage's run ends like this.
  std::vector<AuditDraft> audit = {};

  /// Tell whether only the hold's deadline changes: then no item version and no audit entry.
  [[nodiscard]] bool only_extends() const noexcept { return hold.kind == HoldChange::Kind::extend && audit.empty(); }
};

/// Judge a command. `fence` is the epoch the caller believes it holds; 0: none given.
/// @par Errors status_transition_not_allowed, completion_status_not_terminal, requirements_not_acknowledged,
/// checklist_incomplete, agent_id_required, required_fields_missing, gate_not_available, gate_required,
/// gate_for_people, approver_is_worker, already_resolved, not_for_agents, already_claimed, hold_lost, hold_required,
/// not_permitted, outside_run, unknown_field, invalid_field_value, invalid_argument
OPENINDEX_API Result<Decision> decide(const ItemSnapshot& snapshot, const Command& command, const Actor& actor,
                                      Time now, std::uint64_t fence = 0);

/// Judge the creation of an item: status, fields, sizes. Returns the status it starts in.
/// @par Errors invalid_argument, status_transition_not_allowed, unknown_field, invalid_field_value, not_permitted
OPENINDEX_API Result<StatusIndex> decide_create(const CompiledWorkflow& workflow, const NewItem& item,
                                                const Actor& actor);

/// List the ways out of the current status as this actor finds them. Fills goal, exits, required fields and terminal
/// statuses of a context; the rest is the engine's.
OPENINDEX_API AgentContext context_of(const ItemSnapshot& snapshot, const Actor& actor, Time now);

/// Tell whether a hold still counts.
[[nodiscard]] inline bool is_held(const std::optional<Hold>& hold, Time now) noexcept {
  return hold && now < hold->deadline;
}

}  // namespace v0
}  // namespace openindex
