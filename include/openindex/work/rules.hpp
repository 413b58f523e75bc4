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
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/access/domain.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/agent_run.hpp>
#include <openindex/work/audit_entry.hpp>
#include <openindex/work/migration.hpp>
#include <openindex/work/transitions.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

namespace openindex {
inline namespace v0 {

/// What the rules must know of another item.
struct RelatedItem {
  ItemKey key = {};
  std::string domain = {};
  Resolution resolution = Resolution::unresolved;
  WorkKind kind = WorkKind::task;
  bool depends_on_this = false;  ///< Over any number of steps.
};

/// What the rules look at. References must outlive the call.
struct ItemSnapshot {
  const CompiledWorkflow& workflow;
  const WorkItem& item;
  StatusIndex status = 0;                         ///< `item.status` looked up.
  std::span<const std::string> workers = {};      ///< Ids of those who claimed it or changed its content.
  std::string_view title = {}, description = {};  ///< `item` may be without them.
  const RelatedItem* related = nullptr;           ///< Of the item that the command names, if it names one.
  const CompiledWorkflow* target = nullptr;       ///< The version of the workflow that the command names, if any.
  bool claims_by_hand = true;                     ///< As the settings of its stage say.
  const AgentRun* run = nullptr;                  ///< The last run of the item, to commands that are about it.
  std::span<const ProviderId> providers = {};     ///< Of its stage, to the same.
  std::span<const ItemKey> needed_by = {};        ///< Items below it or dependent on it, to whoever wants to delete it.
};

/// Take the item for an agent. Allowed when it is free, past its deadline, or already this agent's: then the hold is
/// extended and its epoch stays. With a fence only that hold is extended, or taken anew when it is past its deadline.
/// An agent-required stage may keep agents out: `StageSettings::claims_by_hand`.
struct Claim {
  /// Empty: stay if in progress; else the first in-progress status, in the order of the transitions, that a plain move
  /// leads to in this stage or one that the definition lists after it; else stay.
  std::string to_status = {};
  Duration hold{std::chrono::minutes(30)};  ///< 1 second to 7 days.
  friend bool operator==(const Claim&, const Claim&) = default;
};
/// Give the item back.
struct Release {
  std::string note = {};
  friend bool operator==(const Release&, const Release&) = default;
};
/// Say that the holder is alive; extends the hold and changes nothing else.
struct Heartbeat {
  Duration hold{std::chrono::minutes(30)};
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
/// Set custom fields; an empty value clears one. All or none.
struct SetFields {
  FieldValues values = {};
  friend bool operator==(const SetFields&, const SetFields&) = default;
};
struct AddComment {
  std::string body = {};
  bool external = false;
  friend bool operator==(const AddComment&, const AddComment&) = default;
};
/// Move to a status that one transition leads to.
struct ChangeStatus {
  std::string to_status = {};
  friend bool operator==(const ChangeStatus&, const ChangeStatus&) = default;
};
/// Progress through a stage gate.
struct Progress {
  std::string gate = {};
  bool accept_text = false;
  std::vector<std::string> checked = {};  ///< Checklist items, word for word.
  friend bool operator==(const Progress&, const Progress&) = default;
};
/// Move to a terminal status.
struct Complete {
  std::string to_status = {};  ///< Empty: the only terminal status that one transition leads to.
  friend bool operator==(const Complete&, const Complete&) = default;
};
/// Go all the way to a completion status, through gates that ask for nothing, or not at all. Stops before stages that
/// agents must do.
struct Done {
  std::string to_status = {};  ///< Empty: the nearest terminal status that resolves.
  friend bool operator==(const Done&, const Done&) = default;
};
/// Vouch again for gates that went stale.
struct Reacknowledge {
  std::string gate = {};  ///< Empty: every stale one.
  bool accept_text = false;
  std::vector<std::string> checked = {};
  friend bool operator==(const Reacknowledge&, const Reacknowledge&) = default;
};
/// Take the item from whoever holds it, and hand it to an agent or set it free. For people and the host.
struct TakeOver {
  AgentId agent = {};                       ///< Empty: it becomes free.
  Duration hold{std::chrono::minutes(30)};  ///< 1 second to 7 days.
  std::string reason = {};
  friend bool operator==(const TakeOver&, const TakeOver&) = default;
};
/// Open a resolved item again. For people and the host.
struct Reopen {
  std::string to_status = {};  ///< Not terminal; empty: the initial status.
  std::string reason = {};
  friend bool operator==(const Reopen&, const Reopen&) = default;
};
/// Change what the item says of itself; absent members stay as they are.
struct UpdateItem {
  std::optional<std::string> title = {};
  std::optional<std::string> description = {};
  std::optional<Priority> priority = {};
  std::optional<ExecutionTarget> execution_target = {};
  std::optional<std::string> owner = {};     ///< Empty: nobody.
  std::optional<std::string> assignee = {};  ///< Empty: nobody.
  std::optional<std::vector<std::string>> categories = {};
  std::optional<Schedule> schedule = {};
  std::optional<std::string> objective_state = {};
  friend bool operator==(const UpdateItem&, const UpdateItem&) = default;
};
/// Let the item wait until another is resolved.
struct AddDependency {
  ItemKey on = {};
  friend bool operator==(const AddDependency&, const AddDependency&) = default;
};
struct RemoveDependency {
  ItemKey on = {};
  friend bool operator==(const RemoveDependency&, const RemoveDependency&) = default;
};
struct AddAttachment {
  Attachment attachment = {};  ///< Name, media type, size and URI; the rest is filled in.
  friend bool operator==(const AddAttachment&, const AddAttachment&) = default;
};
struct RemoveAttachment {
  std::uint32_t number = 0;
  friend bool operator==(const RemoveAttachment&, const RemoveAttachment&) = default;
};

/// Go on under another version of the item's workflow. For people and the host. What was acknowledged at a gate that
/// asks for something else there is stale afterwards; the run of a stage that is another one there is cancelled.
struct Migrate {
  std::uint32_t version = 0;  ///< 0: the latest.
  StatusMapping mapping = {};
  friend bool operator==(const Migrate&, const Migrate&) = default;
};

/// Delete the item for good, whatever it is doing: a run ends, a hold is gone. For people and the host. Its key is
/// never given again; its audit trail stays, tells of `work_item.deleted`, and can still be read and verified.
struct DeleteItem {
  std::string reason = {};  ///< At most 2000 bytes.
  friend bool operator==(const DeleteItem&, const DeleteItem&) = default;
};

/// End the run of the item's stage at once, whatever it is doing: what it asked for and did not get yet is cancelled
/// within moments, wherever its dispatcher runs. The item stays where it is, without a run. For people and the host.
struct CancelRun {
  RunId run = {};           ///< Which one is meant; empty: the one it has.
  std::string reason = {};  ///< At most 2000 bytes.
  friend bool operator==(const CancelRun&, const CancelRun&) = default;
};
/// Let the item's run go on that waits, for whatever it waits: a person's answer, a pause after failures. Its journal
/// continues. Counts that made it wait begin anew. For people and the host.
struct ResumeRun {
  RunId run = {};  ///< Which one is meant; empty: the one it has.
  /// `AgentRun::steps` as the person saw it who answers: what it asks later is not answered by it. Has to be given with
  /// `approved`; 0: whatever it asks.
  std::uint32_t step = 0;
  std::optional<bool> approved = {};  ///< The call that it wants approved, and only then: it is made, or refused.
  std::string answer = {};            ///< To what it asked, or advice: told to the model. At most 16,384 bytes.
  ProviderId provider = {};           ///< Of the stage: asked first from now on; empty: as before.
  friend bool operator==(const ResumeRun&, const ResumeRun&) = default;
};
/// Give an agent-required stage another run, after its last one has failed or was cancelled. For people and the host.
struct StartRun {
  ProviderId provider = {};  ///< Of the stage: asked first; empty: in the order of the stage.
  friend bool operator==(const StartRun&, const StartRun&) = default;
};

using Command = std::variant<Claim, Release, Heartbeat, SetFields, AddComment, ChangeStatus, Progress, Complete, Done,
                             Reacknowledge, TakeOver, Reopen, UpdateItem, AddDependency, RemoveDependency,
                             AddAttachment, RemoveAttachment, Migrate, DeleteItem, CancelRun, ResumeRun, StartRun>;

/// How the hold changes.
struct HoldChange {
  enum class Kind : std::uint8_t { none, take, extend, clear };
  Kind kind = Kind::none;
  Time deadline{};        ///< take, extend; zero on extend: by the length that the hold was taken with.
  bool takeover = false;  ///< take: another holder's deadline had passed, or it was taken from them.
  AgentId agent = {};     ///< take: for whom; empty: the actor.
};

/// An audit entry before it has a number, a time and a place in the chain.
struct AuditDraft {
  std::string_view type;
  std::vector<AuditChange> changes = {};
  std::string note = {};
};

/// What becomes of an item's acknowledgements under another version of its workflow.
struct MigrationChange {
  std::vector<std::string> gates_gone = {};     ///< Not there any more: forgotten.
  std::vector<std::string> gates_changed = {};  ///< They ask for something else: stale.
};

/// How the item's run goes on that waited.
struct RunResumption {
  std::optional<bool> approved = {};
  std::string answer = {};
  ProviderId provider = {};
};

/// What a command changes: the changes, not a copy of the item.
struct Decision {
  std::optional<MigrationChange> migration = {};  ///< Indexes below are those of the version named.
  std::optional<StatusIndex> status = {};
  std::optional<StageIndex> stage_entered = {};
  HoldChange hold;
  FieldValues fields = {};  ///< Values to set; empty ones clear.
  std::optional<AddComment> comment = {};
  UpdateItem update = {};                              ///< What changes of the item itself.
  std::vector<GateAcknowledgement> acknowledged = {};  ///< Gates vouched for; time and digest are filled in.
  std::vector<std::string> outdated = {};  ///< Covered content that changes: acknowledgements of it go stale.
  ItemKey depends = {};                    ///< A dependency to add.
  ItemKey independent = {};                ///< A dependency to take away.
  std::optional<Attachment> attach = {};
  std::uint32_t detach = 0;                       ///< Number of an attachment to take away.
  bool reopened = false;                          ///< The resolution is taken back.
  bool worked = false;                            ///< The actor becomes one of the item's workers.
  std::optional<RunState> run_ends = {};          ///< The stage's run ends like this.
  std::optional<std::string> run_stopped = {};    ///< run_ends: since somebody wants it to, for this reason.
  std::optional<RunResumption> run_resumes = {};  ///< The run that waits goes on.
  std::optional<ProviderId> run_starts = {};      ///< The stage gets another run, which asks this provider first.
  bool deletes = false;                           ///< The item goes.
  std::vector<AuditDraft> audit = {};

  /// Tell whether the item's content record changes.
  [[nodiscard]] bool changes_content() const noexcept {
    return !fields.empty() || update.title || update.description || update.categories || update.objective_state ||
           attach || detach != 0 || !depends.empty() || !independent.empty();
  }
  /// Tell whether what was acknowledged at gates changes.
  [[nodiscard]] bool changes_gates() const noexcept {
    return !acknowledged.empty() || !outdated.empty() || migration.has_value();
  }
  /// Tell whether only the hold's deadline changes: then no item version and no audit entry.
  [[nodiscard]] bool only_extends() const noexcept { return hold.kind == HoldChange::Kind::extend && audit.empty(); }
};

/// The role in the item's domain that a person needs for a command, and an agent that works for one. Whoever has a
/// smaller one is refused with not_permitted before anything else is judged; `decide` knows nothing of roles.
OPENINDEX_API Role role_needed(const Command& command) noexcept;

/// Judge a command. `fence` is the epoch the caller believes it holds; 0: none given.
/// @par Errors status_transition_not_allowed, completion_status_not_terminal, requirements_not_acknowledged,
/// checklist_incomplete, agent_id_required, required_fields_missing, gate_not_available, gate_required,
/// gate_for_people, approver_is_worker, already_resolved, not_for_agents, already_claimed, hold_lost, hold_required,
/// not_permitted, outside_run, unknown_field, invalid_field_value, invalid_argument, gate_stale,
/// dependencies_unresolved, dependency_cycle, not_resolved, agent_stage_in_the_way, stage_for_runs, not_found (a
/// related item or version), migration_refused, item_needed, run_not_active, run_not_waiting, run_in_the_way,
/// run_moved_on
OPENINDEX_API Result<Decision> decide(const ItemSnapshot& snapshot, const Command& command, const Actor& actor,
                                      Time now, std::uint64_t fence = 0);

/// Judge the creation of an item: status, fields, sizes, and its parent (null: there is none of that name). Returns the
/// status it starts in.
/// @par Errors invalid_argument, status_transition_not_allowed, unknown_field, invalid_field_value, not_permitted
OPENINDEX_API Result<StatusIndex> decide_create(const CompiledWorkflow& workflow, const NewItem& item,
                                                const Actor& actor, const RelatedItem* parent = nullptr);

/// List the ways out of the current status as this actor finds them. Fills all of a context but the runs and comments,
/// which are the engine's.
OPENINDEX_API AgentContext context_of(const ItemSnapshot& snapshot, const Actor& actor, Time now);

/// List the moves and gates that lead on from the current status; none of a resolved item. A move that is listed is
/// accepted from whoever may work on the item; a gate asks for its acknowledgement and its missing fields first, and
/// one that resolves the item for stale gates to be acknowledged again.
OPENINDEX_API Transitions transitions_of(const ItemSnapshot& snapshot);

/// Tell whether a hold still counts.
[[nodiscard]] inline bool is_held(const std::optional<Hold>& hold, Time now) noexcept {
  return hold && now < hold->deadline;
}

}  // namespace v0
}  // namespace openindex
