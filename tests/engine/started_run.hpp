// Plays the start of a run: what a dispatcher does before it works, without its timing.
#pragma once

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"

namespace openindex::tests {

/// Take the item's hold for its run, in the commit that writes the run.
/// @par Errors run_not_active, already_claimed, dependencies_unresolved, not_found
inline Result<WorkItem> start_run(WorkflowEngine& engine, const ItemKey& key, const AgentId& agent, Duration hold) {
  engine::ItemDoor& door = engine.core().door;
  const auto item = door.load(key);
  if (!item) return item.error();
  if ((*item)->item.run.empty()) return errc::run_not_active;
  engine::RunWrite write{door.load_run((*item)->item.run).value(), {}};
  write.run.state = RunState::running;
  write.run.due_at.reset();
  write.run.agent = agent;
  engine::Change change{.key = key,
                        .actor = Actor::run(write.run.id, key, agent, 0),
                        .decide = [&](const engine::LoadedItem& loaded, Time now) -> Result<Decision> {
                          if (is_held(loaded.item.hold, now)) return errc::already_claimed;
                          if (!loaded.item.blocked_by.empty()) return errc::dependencies_unresolved;
                          Decision decision;
                          decision.hold = {HoldChange::Kind::take, now + hold, loaded.item.hold.has_value()};
                          decision.worked = true;
                          decision.audit.push_back({"agent.claimed", {{"holder", "", agent.str()}}, {}});
                          return decision;
                        }};
  change.run = &write;
  change.foresee = [&](const engine::LoadedItem& next) { write.run.epoch = next.epoch; };
  const auto outcome = door.apply(std::move(change));
  if (!outcome) return outcome.error();
  return outcome->item->whole();
}

}  // namespace openindex::tests
