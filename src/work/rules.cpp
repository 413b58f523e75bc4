#include <openindex/work/rules.hpp>

#include "work/actor_rules.hpp"
#include "work/exit_rules.hpp"
#include "work/gate_rules.hpp"
#include "work/judge.hpp"

namespace openindex {
inline namespace v0 {
namespace {

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

// Why the actor cannot do anything to the item now, apart from what the exits themselves want.
std::vector<Error> standing_reasons(const ItemSnapshot& snapshot, const Actor& actor, Time now) {
  std::vector<Error> out;
  if (auto allowed = work::check_actor(snapshot, actor, now, 0); !allowed) out.push_back(allowed.error());
  if (auto open = work::check_open(snapshot.item); !open) out.push_back(open.error());
  return out;
}

}  // namespace

Role role_needed(const Command& command) noexcept {
  const bool privileged = std::holds_alternative<TakeOver>(command) || std::holds_alternative<Reopen>(command) ||
                          std::holds_alternative<Migrate>(command) || std::holds_alternative<DeleteItem>(command);
  return privileged ? Role::admin : Role::member;
}

Result<Decision> decide(const ItemSnapshot& snapshot, const Command& command, const Actor& actor, Time now,
                        std::uint64_t fence) {
  if (auto inside = work::check_inside(snapshot, actor); !inside) return inside.error();
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  return std::visit(work::Judge(snapshot, actor, now, fence), command);
}

AgentContext context_of(const ItemSnapshot& snapshot, const Actor& actor, Time now) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  const StageIndex stage = workflow.stage_of(snapshot.status);
  AgentContext context;
  context.item = snapshot.item;
  if (!snapshot.title.empty()) context.item.title = snapshot.title;
  if (!snapshot.description.empty()) context.item.description = snapshot.description;
  context.current_goal = workflow.stage(stage).goal;
  context.fields = workflow.definition().fields;
  context.terminal_statuses = work::terminal_statuses(workflow);
  const auto standing = standing_reasons(snapshot, actor, now);
  const auto offer = [&](Exit exit, std::vector<Error> reasons) {
    if (reasons.empty()) {
      context.allowed_exits.push_back(std::move(exit));
    } else {
      context.blocked_exits.push_back({std::move(exit), std::move(reasons)});
    }
  };
  for (const StatusIndex to : workflow.exits(snapshot.status)) {
    if (workflow.gate_between(stage, workflow.stage_of(to))) continue;  // told by the gate itself
    auto reasons = standing;
    if (auto fresh = work::check_fresh(snapshot, to); !fresh) reasons.push_back(fresh.error());
    offer(exit_to(workflow, to), std::move(reasons));
  }
  for (const GateIndex index : workflow.gates_from(stage)) {
    const StageGate& gate = workflow.gate(index);
    // With everything acknowledged, what is left are the obstacles that the call itself cannot remove.
    auto reasons = standing;
    work::add_obstacles({snapshot, index, actor, true, gate.items}, reasons);
    offer(exit_through(workflow, index), std::move(reasons));
    for (const auto& key : gate.required_fields) {
      const auto type = workflow.definition().fields[*workflow.find_field(key)].type;
      context.required_fields.push_back({key, type, gate.key, work::lacks_field(snapshot.item, key)});
    }
  }
  return context;
}

Transitions transitions_of(const ItemSnapshot& snapshot) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  const Status& status = workflow.status(snapshot.status);
  Transitions out{.key = snapshot.item.key,
                  .status = status.key,
                  .stage = status.stage,
                  .terminal_statuses = work::terminal_statuses(workflow)};
  if (snapshot.item.resolution != Resolution::unresolved) return out;
  out.allowed_transitions = work::open_moves(snapshot);
  for (const GateIndex index : workflow.gates_from(workflow.stage_of(snapshot.status))) {
    if (!work::leads_from_here(snapshot, index)) continue;
    const StageGate& gate = workflow.gate(index);
    AvailableGate available{gate, {}, work::missing_fields(snapshot.item, gate)};
    for (const auto& key : gate.required_fields) {
      available.fields.push_back(workflow.definition().fields[*workflow.find_field(key)]);
    }
    out.available_stage_gates.push_back(std::move(available));
  }
  return out;
}

}  // namespace v0
}  // namespace openindex
