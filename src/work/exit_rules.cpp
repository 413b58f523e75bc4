#include "work/exit_rules.hpp"

#include <algorithm>

#include "work/gate_rules.hpp"

namespace openindex::work {
namespace {

Error lost_hold(const std::optional<Hold>& hold) {
  return hold ? held_by(errc::hold_lost, *hold) : Error(errc::hold_lost);
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
  return !workflow.gate_between(workflow.stage_of(snapshot.status), workflow.stage_of(to)) && is_fresh(snapshot, to);
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
  return check_fresh(snapshot, to);
}

Error unresolved_dependencies(const WorkItem& item) {
  std::vector<std::string> keys;
  keys.reserve(item.blocked_by.size());
  for (const ItemKey& key : item.blocked_by) keys.push_back(key.str());
  return Error(errc::dependencies_unresolved).with("item", item.key.str()).with_missing(std::move(keys));
}

Error not_for_agents(const WorkItem& item) {
  return Error(errc::not_for_agents)
      .with("item", item.key.str())
      .with("execution_target", to_text(item.execution_target));
}

std::vector<std::string> open_moves(const ItemSnapshot& snapshot, Moves moves) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  std::vector<std::string> out;
  for (const StatusIndex to : workflow.exits(snapshot.status)) {
    const bool completes = workflow.status(to).resolution.has_value();
    if (completes ? moves == Moves::onward : moves == Moves::completing) continue;
    if (!is_plain_move(snapshot, to)) continue;
    if (out.empty()) out.reserve(workflow.exits(snapshot.status).size());
    out.push_back(workflow.status(to).key);
  }
  return out;
}

std::vector<std::string> terminal_statuses(const CompiledWorkflow& workflow) {
  const auto& statuses = workflow.definition().statuses;
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(
      std::ranges::count_if(statuses, [](const Status& status) { return status.resolution.has_value(); })));
  for (const Status& status : statuses) {
    if (status.resolution) out.push_back(status.key);
  }
  return out;
}

}  // namespace openindex::work
