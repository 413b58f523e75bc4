#include "work/exit_rules.hpp"

#include <algorithm>

#include "work/field_rules.hpp"

namespace openindex::work {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Error lost_hold(const std::optional<Hold>& hold) {
  return hold ? held_by(errc::hold_lost, *hold) : Error(errc::hold_lost);
}

// Leads from the current status: the gate's stage alone is not enough when only some of its statuses have the move.
bool leads_from_here(const ItemSnapshot& snapshot, GateIndex gate) {
  return snapshot.workflow.joined(snapshot.status, snapshot.workflow.target_of(gate));
}

}  // namespace

Error held_by(errc code, const Hold& hold) {
  return Error(code)
      .with("holder", hold.agent.str())
      .with("deadline", to_rfc3339(hold.deadline))
      .with("epoch", std::to_string(hold.epoch));
}

bool holds(const std::optional<Hold>& hold, const Actor& actor) {
  if (!hold) return false;
  if (actor.kind() == ActorKind::run) {
    return !hold->run.empty() && hold->run == actor.run_id() && hold->epoch == actor.run_epoch();
  }
  return actor.kind() == ActorKind::agent && hold->run.empty() && hold->agent.str() == actor.id();
}

Result<void> check_open(const WorkItem& item) {
  if (item.resolution == Resolution::unresolved) return {};
  return Error(errc::already_resolved).with("item", item.key.str()).with("status", item.status);
}

Result<void> check_inside(const ItemSnapshot& snapshot, const Actor& actor) {
  if (actor.kind() != ActorKind::run || actor.run_item() == snapshot.item.key) return {};
  return Error(errc::outside_run).with("item", snapshot.item.key.str()).with("run", actor.run_id().str());
}

Result<void> check_actor(const ItemSnapshot& snapshot, const Actor& actor, Time now, std::uint64_t fence) {
  const auto& hold = snapshot.item.hold;
  switch (actor.kind()) {
    case ActorKind::system:
    case ActorKind::person:
      return {};
    case ActorKind::run:
      if (auto inside = check_inside(snapshot, actor); !inside) return inside;
      if (!holds(hold, actor)) return lost_hold(hold);
      return {};
    case ActorKind::agent:
      break;
  }
  if (actor.id().empty()) return errc::agent_id_required;
  if (holds(hold, actor)) {
    if (fence != 0 && fence != hold->epoch) return lost_hold(hold);
    return {};
  }
  if (fence != 0) return lost_hold(hold);
  if (is_held(hold, now)) return held_by(errc::already_claimed, *hold);
  return errc::hold_required;
}

bool is_plain_move(const ItemSnapshot& snapshot, StatusIndex to) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  return !workflow.gate_between(workflow.stage_of(snapshot.status), workflow.stage_of(to)) &&
         stale_gates(snapshot, to).empty();
}

Error no_such_move(const ItemSnapshot& snapshot, const std::string& to, Moves moves) {
  return Error(errc::status_transition_not_allowed)
      .with("from", snapshot.workflow.status(snapshot.status).key)
      .with("to", to)
      .with_allowed(open_moves(snapshot, moves));
}

Result<void> check_move(const ItemSnapshot& snapshot, StatusIndex to, Moves moves) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  if (!workflow.joined(snapshot.status, to)) return no_such_move(snapshot, workflow.status(to).key, moves);
  if (const auto gate = workflow.gate_between(workflow.stage_of(snapshot.status), workflow.stage_of(to))) {
    return Error(errc::gate_required)
        .with("gate", workflow.gate(*gate).key)
        .with("to", workflow.status(to).key)
        .with_allowed(open_moves(snapshot, moves));
  }
  if (const auto stale = stale_gates(snapshot, to); !stale.empty()) return gate_stale(snapshot.item, stale);
  return {};
}

std::vector<std::string> stale_gates(const ItemSnapshot& snapshot, StatusIndex to, std::optional<GateIndex> except) {
  std::vector<std::string> out;
  if (snapshot.workflow.status(to).resolution != Resolution::resolved) return out;
  for (const GateAcknowledgement& passed : snapshot.item.gates) {
    if (passed.stale() && !(except && snapshot.workflow.gate(*except).key == passed.gate)) out.push_back(passed.gate);
  }
  return out;
}

Error gate_stale(const WorkItem& item, const std::vector<std::string>& gates) {
  Error error = Error(errc::gate_stale).with("item", item.key.str());
  std::vector<Problem> problems;
  for (const GateAcknowledgement& passed : item.gates) {
    if (std::find(gates.begin(), gates.end(), passed.gate) == gates.end()) continue;
    for (const std::string& what : passed.changed) {
      problems.push_back({"/gates/" + passed.gate, what + " was changed by " + passed.changed_by});
    }
  }
  return std::move(error).with_missing(gates).with_problems(std::move(problems));
}

Error unresolved_dependencies(const WorkItem& item) {
  std::vector<std::string> keys;
  for (const ItemKey& key : item.blocked_by) keys.push_back(key.str());
  return Error(errc::dependencies_unresolved).with("item", item.key.str()).with_missing(std::move(keys));
}

Error not_for_agents(const WorkItem& item) {
  return Error(errc::not_for_agents)
      .with("item", item.key.str())
      .with("execution_target", to_text(item.execution_target));
}

std::vector<std::string> missing_fields(const ItemSnapshot& snapshot, const StageGate& gate) {
  std::vector<std::string> missing;
  for (const auto& key : gate.required_fields) {
    const auto found = snapshot.item.fields.find(key);
    const bool blank = found == snapshot.item.fields.end() || found->second.empty() ||
                       (found->second.text() != nullptr && found->second.text()->empty());
    if (blank) missing.push_back(key);
  }
  return missing;
}

std::vector<Error> demands(const ItemSnapshot& snapshot, GateIndex index, const Progress& acknowledged,
                           const Actor& actor) {
  const StageGate& gate = snapshot.workflow.gate(index);
  std::vector<Error> out;
  if (gate.people_only && actor.kind() != ActorKind::person) {
    out.push_back(Error(errc::gate_for_people).with("gate", gate.key));
  }
  if (gate.approver_not_worker && std::ranges::find(snapshot.workers, actor.id()) != snapshot.workers.end()) {
    out.push_back(Error(errc::approver_is_worker).with("gate", gate.key).with("worker", actor.id()));
  }
  if (auto missing = missing_fields(snapshot, gate); !missing.empty()) {
    std::vector<Problem> wanted;
    for (const auto& key : missing) wanted.push_back(field_required(snapshot.workflow, key));
    out.push_back(Error(errc::required_fields_missing)
                      .with("gate", gate.key)
                      .with_missing(std::move(missing))
                      .with_problems(std::move(wanted)));
  }
  if (gate.mode == GateMode::text && !acknowledged.accept_text) {
    out.push_back(Error(errc::requirements_not_acknowledged).with("gate", gate.key).with("requirements", gate.text));
  }
  if (gate.mode == GateMode::checklist) {
    std::vector<std::string> unchecked;
    for (const auto& item : gate.items) {
      if (!contains(acknowledged.checked, item)) unchecked.push_back(item);
    }
    if (!unchecked.empty()) {
      out.push_back(Error(errc::checklist_incomplete).with("gate", gate.key).with_missing(std::move(unchecked)));
    }
  }
  return out;
}

std::vector<Error> obstacles(const ItemSnapshot& snapshot, GateIndex index, const Progress& acknowledged,
                             const Actor& actor) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  const StageGate& gate = workflow.gate(index);
  std::vector<Error> out;
  if (gate.from_stage != workflow.stage(workflow.stage_of(snapshot.status)).key) {
    out.push_back(gate_not_available(snapshot, gate.key));
    return out;
  }
  if (!leads_from_here(snapshot, index)) out.push_back(no_such_move(snapshot, gate.to_status));
  for (Error& error : demands(snapshot, index, acknowledged, actor)) out.push_back(std::move(error));
  if (const auto stale = stale_gates(snapshot, workflow.target_of(index), index); !stale.empty()) {
    out.push_back(gate_stale(snapshot.item, stale));
  }
  return out;
}

std::vector<std::string> open_moves(const ItemSnapshot& snapshot, Moves moves) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  std::vector<std::string> out;
  for (const StatusIndex to : workflow.exits(snapshot.status)) {
    const bool completes = workflow.status(to).resolution.has_value();
    if (completes ? moves == Moves::onward : moves == Moves::completing) continue;
    if (is_plain_move(snapshot, to)) out.push_back(workflow.status(to).key);
  }
  return out;
}

std::vector<GateIndex> gates_here(const ItemSnapshot& snapshot) {
  std::vector<GateIndex> out;
  for (const GateIndex gate : snapshot.workflow.gates_from(snapshot.workflow.stage_of(snapshot.status))) {
    if (leads_from_here(snapshot, gate)) out.push_back(gate);
  }
  return out;
}

Error gate_not_available(const ItemSnapshot& snapshot, const std::string& gate) {
  std::vector<std::string> here;
  for (const GateIndex index : gates_here(snapshot)) here.push_back(snapshot.workflow.gate(index).key);
  return Error(errc::gate_not_available).with("gate", gate).with_allowed(std::move(here));
}

std::vector<std::string> terminal_statuses(const CompiledWorkflow& workflow) {
  std::vector<std::string> out;
  for (const Status& status : workflow.definition().statuses) {
    if (status.resolution) out.push_back(status.key);
  }
  return out;
}

}  // namespace openindex::work
