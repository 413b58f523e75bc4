#include <openindex/work/rules.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "work/actor_rules.hpp"
#include "work/exit_rules.hpp"
#include "work/field_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using work::check_actor;
using work::check_move;

constexpr Duration hold_min = std::chrono::seconds(1);
constexpr Duration hold_max = std::chrono::hours(24 * 7);

std::string shown(const FieldValue& value) {
  std::string text = value.display();
  constexpr std::size_t shown_max = 100;
  return text.size() <= shown_max ? text : fmt::format("({} bytes)", text.size());
}

class Judge {
 public:
  Judge(const ItemSnapshot& snapshot, const Actor& actor, Time now, std::uint64_t fence)
      : snapshot_(snapshot),
        workflow_(snapshot.workflow),
        item_(snapshot.item),
        actor_(actor),
        now_(now),
        fence_(fence) {}

  Result<Decision> operator()(const Claim& claim);
  Result<Decision> operator()(const Release& release);
  Result<Decision> operator()(const Heartbeat& beat);
  Result<Decision> operator()(const SetFields& set);
  Result<Decision> operator()(const AddComment& comment);
  Result<Decision> operator()(const ChangeStatus& change);
  Result<Decision> operator()(const Progress& progress);
  Result<Decision> operator()(const Complete& complete);

 private:
  Result<void> check_open() const {
    if (item_.resolution == Resolution::unresolved) return {};
    return Error(errc::already_resolved).with("status", item_.status);
  }
  Result<void> check_worker() const {
    if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed;
    return check_open();
  }
  Result<StatusIndex> status_named(const std::string& key) const {
    if (const auto index = workflow_.find_status(key)) return *index;
    return Error(errc::status_transition_not_allowed)
        .with("from", item_.status)
        .with("to", key)
        .with_allowed(work::open_moves(snapshot_));
  }
  Result<Time> deadline(Duration hold) const {
    if (hold >= hold_min && hold <= hold_max) return now_ + hold;
    return Error(errc::invalid_argument, "A hold lasts 1 second to 7 days")
        .with("hold_ms", std::to_string(hold.count()));
  }
  void extend_hold(Decision& decision) const;
  void move(Decision& decision, StatusIndex to) const;
  Result<std::optional<StatusIndex>> claim_status(const Claim& claim) const;

  const ItemSnapshot& snapshot_;
  const CompiledWorkflow& workflow_;
  const WorkItem& item_;
  const Actor& actor_;
  Time now_;
  std::uint64_t fence_;
};

// Any accepted write by the holder shows that the holder is alive.
void Judge::extend_hold(Decision& decision) const {
  if (decision.hold.kind == HoldChange::Kind::none && work::holds(item_.hold, actor_)) {
    decision.hold.kind = HoldChange::Kind::extend;
  }
}

void Judge::move(Decision& decision, StatusIndex to) const {
  const StageIndex from_stage = workflow_.stage_of(snapshot_.status);
  const StageIndex to_stage = workflow_.stage_of(to);
  const bool terminal = workflow_.status(to).resolution.has_value();
  decision.status = to;
  decision.audit.push_back({"work_item.status_changed", {{"status", item_.status, workflow_.status(to).key}}, {}});
  if (from_stage != to_stage) {
    decision.stage_entered = to_stage;
    if (!item_.run.empty()) {
      const bool by_its_run = actor_.kind() == ActorKind::run && actor_.run_id() == item_.run;
      decision.run_ends = by_its_run ? RunState::succeeded : RunState::cancelled;
    }
  } else if (terminal && !item_.run.empty()) {
    decision.run_ends = actor_.kind() == ActorKind::run ? RunState::succeeded : RunState::cancelled;
  }
  // An agent that works by hand keeps its item from stage to stage; a run ends with its stage, and a person who moves
  // an item on takes it out of the agent's hands.
  const bool own_hold = actor_.kind() == ActorKind::agent && decision.hold.kind == HoldChange::Kind::take;
  const bool keeps = actor_.kind() == ActorKind::agent && (own_hold || work::holds(item_.hold, actor_));
  if (terminal || (decision.stage_entered && !keeps)) {
    if (item_.hold || own_hold) decision.hold = {HoldChange::Kind::clear, {}, false};
  }
}

Result<std::optional<StatusIndex>> Judge::claim_status(const Claim& claim) const {
  if (claim.to_status.empty()) {
    if (workflow_.status(snapshot_.status).in_progress) return std::optional<StatusIndex>();
    for (const StatusIndex to : workflow_.exits(snapshot_.status)) {
      if (workflow_.status(to).in_progress && check_move(snapshot_, to)) return std::optional(to);
    }
    return std::optional<StatusIndex>();
  }
  const auto to = status_named(claim.to_status);
  if (!to) return to.error();
  if (*to == snapshot_.status) return std::optional<StatusIndex>();
  if (auto legal = check_move(snapshot_, *to); !legal) return legal.error();
  if (workflow_.status(*to).resolution) {
    return Error(errc::status_transition_not_allowed, "A claim cannot lead to a terminal status")
        .with("to", claim.to_status);
  }
  return std::optional(*to);
}

Result<Decision> Judge::operator()(const Claim& claim) {
  if (!actor_.is_agent()) return Error(errc::agent_id_required).with("actor", actor_.id());
  if (actor_.id().empty()) return errc::agent_id_required;
  const auto until = deadline(claim.hold);
  if (!until) return until.error();
  if (actor_.kind() == ActorKind::run) {
    if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  }
  if (auto open = check_open(); !open) return open.error();
  const bool mine = work::holds(item_.hold, actor_);
  if (is_held(item_.hold, now_) && !mine) {
    return Error(errc::already_claimed)
        .with("holder", item_.hold->agent.str())
        .with("deadline", to_rfc3339(item_.hold->deadline));
  }
  if (item_.execution_target == ExecutionTarget::human && !mine) return errc::not_for_agents;
  const auto to = claim_status(claim);
  if (!to) return to.error();

  Decision decision;
  if (mine && is_held(item_.hold, now_)) {
    decision.hold = {HoldChange::Kind::extend, *until, false};
  } else {
    decision.hold = {HoldChange::Kind::take, *until, item_.hold.has_value()};
    if (item_.hold) {
      decision.audit.push_back({"agent.hold_expired",
                                {{"holder", item_.hold->agent.str(), ""}},
                                "deadline " + to_rfc3339(item_.hold->deadline)});
    }
    decision.audit.push_back({"agent.claimed", {{"holder", "", actor_.id()}}, {}});
    decision.worked = true;
  }
  if (*to) move(decision, **to);
  return decision;
}

Result<Decision> Judge::operator()(const Release& release) {
  if (!actor_.is_agent()) return Error(errc::agent_id_required).with("actor", actor_.id());
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  if (release.note.size() > 2000 || !is_utf8(release.note)) {
    return Error(errc::invalid_argument, "A release note is UTF-8 of at most 2000 bytes");
  }
  Decision decision;
  decision.hold.kind = HoldChange::Kind::clear;
  decision.audit.push_back({"agent.released", {{"holder", actor_.id(), ""}}, release.note});
  return decision;
}

Result<Decision> Judge::operator()(const Heartbeat& beat) {
  if (!actor_.is_agent()) return Error(errc::agent_id_required).with("actor", actor_.id());
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  const auto until = deadline(beat.hold);
  if (!until) return until.error();
  Decision decision;
  decision.hold = {HoldChange::Kind::extend, *until, false};
  return decision;
}

Result<Decision> Judge::operator()(const SetFields& set) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  if (set.values.empty()) return Error(errc::invalid_argument, "No field is named");
  if (auto fit = work::check_fields(workflow_, set.values); !fit) return fit.error();
  Decision decision;
  AuditDraft draft{"work_item.custom_fields_updated", {}, {}};
  for (const auto& [key, value] : set.values) {
    const auto current = item_.fields.find(key);
    const FieldValue before = current == item_.fields.end() ? FieldValue() : current->second;
    if (before == value) continue;
    draft.changes.push_back({key, shown(before), shown(value)});
    decision.fields.emplace(key, value);
  }
  if (!draft.changes.empty()) {
    decision.audit.push_back(std::move(draft));
    decision.worked = true;
  }
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const AddComment& comment) {
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  constexpr std::size_t bytes_max = 65'536;
  if (comment.body.empty() || comment.body.size() > bytes_max || !is_utf8(comment.body)) {
    return Error(errc::invalid_argument, "A comment is UTF-8 of 1 to 65536 bytes")
        .with("bytes", std::to_string(comment.body.size()));
  }
  Decision decision;
  decision.comment = comment;
  decision.audit.push_back({"work_item.comment_created",
                            {{"comment", "", fmt::format("({} bytes)", comment.body.size())}},
                            comment.external ? "external" : ""});
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const ChangeStatus& change) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  const auto to = status_named(change.to_status);
  if (!to) return to.error();
  if (auto legal = check_move(snapshot_, *to); !legal) return legal.error();
  Decision decision;
  move(decision, *to);
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const Progress& progress) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  const auto gate = workflow_.find_gate(progress.gate);
  if (!gate) {
    return Error(errc::gate_not_available).with("gate", progress.gate).with_allowed(work::gates_here(snapshot_));
  }
  auto in_the_way = work::obstacles(snapshot_, *gate, progress, actor_);
  if (!in_the_way.empty()) return std::move(in_the_way.front());
  Decision decision;
  decision.audit.push_back({actor_.is_agent() ? "agent.stage_gate_progressed" : "work_item.stage_gate_progressed",
                            {{"gate", "", progress.gate}},
                            {}});
  move(decision, workflow_.target_of(*gate));
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const Complete& complete) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  std::string to_status = complete.to_status;
  if (to_status.empty()) {
    std::vector<std::string> candidates;
    for (const StatusIndex exit : workflow_.exits(snapshot_.status)) {
      if (workflow_.status(exit).resolution) candidates.push_back(workflow_.status(exit).key);
    }
    if (candidates.size() != 1) {
      return Error(errc::completion_status_not_terminal).with_allowed(work::terminal_statuses(workflow_));
    }
    to_status = candidates.front();
  }
  const auto to = workflow_.find_status(to_status);
  if (!to || !workflow_.status(*to).resolution) {
    return Error(errc::completion_status_not_terminal)
        .with("to", to_status)
        .with_allowed(work::terminal_statuses(workflow_));
  }
  if (auto legal = check_move(snapshot_, *to); !legal) return legal.error();
  Decision decision;
  move(decision, *to);
  if (actor_.is_agent()) decision.audit.push_back({"agent.completed", {{"status", item_.status, to_status}}, {}});
  return decision;
}

Exit exit_to(const CompiledWorkflow& workflow, StatusIndex to) {
  Exit exit;
  exit.key = exit.to_status = workflow.status(to).key;
  exit.to_stage = workflow.status(to).stage;
  exit.completes = workflow.status(to).resolution.has_value();
  return exit;
}

Exit exit_through(const CompiledWorkflow& workflow, GateIndex index) {
  const StageGate& gate = workflow.gate(index);
  Exit exit = exit_to(workflow, workflow.target_of(index));
  exit.type = Exit::Type::stage_gate;
  exit.key = gate.key;
  exit.mode = gate.mode;
  exit.text = gate.text;
  exit.items = gate.items;
  return exit;
}

BlockReason reason_of(const Error& error) { return {error.code(), error.message(), error.missing()}; }

// Why the actor cannot do anything to the item now, apart from what the exits themselves want.
std::vector<BlockReason> standing_reasons(const ItemSnapshot& snapshot, const Actor& actor, Time now) {
  std::vector<BlockReason> out;
  if (auto allowed = check_actor(snapshot, actor, now, 0); !allowed) out.push_back(reason_of(allowed.error()));
  if (snapshot.item.resolution != Resolution::unresolved) out.push_back(reason_of(errc::already_resolved));
  return out;
}

}  // namespace

Result<Decision> decide(const ItemSnapshot& snapshot, const Command& command, const Actor& actor, Time now,
                        std::uint64_t fence) {
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  return std::visit(Judge(snapshot, actor, now, fence), command);
}

Result<StatusIndex> decide_create(const CompiledWorkflow& workflow, const NewItem& item, const Actor& actor) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  std::vector<Problem> problems;
  if (item.title.empty() || item.title.size() > 500) problems.push_back({"/title", "must be 1 to 500 bytes long"});
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!is_utf8(item.title) || std::any_of(item.title.begin(), item.title.end(), control)) {
    problems.push_back({"/title", "must be UTF-8 without control characters"});
  }
  if (item.description.size() > 640u * 1024) problems.push_back({"/description", "must be at most 640 KiB"});
  if (!is_utf8(item.description)) problems.push_back({"/description", "must be UTF-8"});
  const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (item.domain.size() > 16 || !std::all_of(item.domain.begin(), item.domain.end(), upper)) {
    problems.push_back({"/domain", "must be 1 to 16 of A-Z 0-9"});
  }
  if (item.idempotency_key.size() > 200 || !is_utf8(item.idempotency_key)) {
    problems.push_back({"/idempotencyKey", "must be UTF-8 of at most 200 bytes"});
  }
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The item cannot be created like this").with_problems(std::move(problems));
  }
  if (auto fit = work::check_fields(workflow, item.fields); !fit) return fit.error();
  if (item.status.empty()) return workflow.initial();
  const auto status = workflow.find_status(item.status);
  // An item may start further on, but not behind a gate it never passed and not resolved.
  const bool same_stage = status && workflow.stage_of(*status) == workflow.stage_of(workflow.initial());
  if (!status || !same_stage || workflow.status(*status).resolution) {
    return Error(errc::status_transition_not_allowed)
        .with("to", item.status)
        .with_allowed({workflow.status(workflow.initial()).key});
  }
  return *status;
}

AgentContext context_of(const ItemSnapshot& snapshot, const Actor& actor, Time now) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  const StageIndex stage = workflow.stage_of(snapshot.status);
  AgentContext context;
  context.item = snapshot.item;
  context.current_goal = workflow.stage(stage).goal;
  context.fields = workflow.definition().fields;
  context.terminal_statuses = work::terminal_statuses(workflow);
  const auto standing = standing_reasons(snapshot, actor, now);
  const auto offer = [&](Exit exit, std::vector<BlockReason> reasons) {
    reasons.insert(reasons.begin(), standing.begin(), standing.end());
    if (reasons.empty()) {
      context.allowed_exits.push_back(std::move(exit));
    } else {
      context.blocked_exits.push_back({std::move(exit), std::move(reasons)});
    }
  };
  for (const StatusIndex to : workflow.exits(snapshot.status)) {
    if (check_move(snapshot, to)) offer(exit_to(workflow, to), {});
  }
  for (const GateIndex gate : workflow.gates_from(stage)) {
    // With everything acknowledged, what is left are the obstacles that the call itself cannot remove.
    const Progress acknowledged{workflow.gate(gate).key, true, workflow.gate(gate).items};
    std::vector<BlockReason> reasons;
    for (const Error& error : work::obstacles(snapshot, gate, acknowledged, actor)) reasons.push_back(reason_of(error));
    offer(exit_through(workflow, gate), std::move(reasons));
    for (const auto& key : workflow.gate(gate).required_fields) {
      const auto missing = work::missing_fields(snapshot, workflow.gate(gate));
      const auto type = workflow.definition().fields[*workflow.find_field(key)].type;
      context.required_fields.push_back(
          {key, type, workflow.gate(gate).key, std::find(missing.begin(), missing.end(), key) != missing.end()});
    }
  }
  return context;
}

}  // namespace v0
}  // namespace openindex
