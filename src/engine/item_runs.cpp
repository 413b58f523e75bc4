// The runs of an item: started, ended and told of in the commit that changes the item.
#include "engine/item_runs.hpp"

#include "engine/item_door.hpp"
#include "engine/run_record.hpp"

namespace openindex::engine {
namespace {

AuditDraft run_ended_draft(const AgentRun& run, RunState before) {
  const std::string_view type = run.state == RunState::succeeded ? "agent.run_succeeded"
                                : run.state == RunState::failed  ? "agent.run_failed"
                                                                 : "agent.run_cancelled";
  return {type, {{"run", std::string(to_text(before)), std::string(to_text(run.state))}}, run.detail};
}

}  // namespace

void set_ended(AgentRun& run, RunState state, const Actor& by, Time now) {
  run.state = state;
  run.ended_at = now;
  run.due_at.reset();
  if (state == RunState::failed) return;
  run.reason = state == RunState::cancelled ? RunReason::left_stage : RunReason::none;
  run.detail = state == RunState::cancelled ? "The item left the stage by " + by.id() : "";
}

// A run whose hold somebody takes, or that waits for a hold that is given up, must know in the same commit: nothing
// else would ever look at it again.
Result<void> ItemDoor::tell_run(Prepared& prepared, const Change& change, const LoadedItem& current,
                                std::vector<AuditDraft>& drafts, Time now) {
  const HoldChange& hold = prepared.decision.hold;
  const RunId& id = current.item.run;
  if (id.empty() || prepared.decision.run_ends || (change.run != nullptr && change.run->run.id == id)) return {};
  const bool taken = hold.kind == HoldChange::Kind::take && current.item.hold && current.item.hold->run == id;
  const bool given_up = hold.kind == HoldChange::Kind::clear;
  if (!taken && !given_up) return {};
  auto run = load_run(id);
  if (!run) return run.error();
  if (taken) {
    run->state = RunState::waiting;
    run->reason = RunReason::item_held;
    run->detail = "held by " + (hold.agent.empty() ? change.actor.id() : hold.agent.str());
    run->due_at = hold.deadline;
    run->starts = run->asked = 0;
    drafts.push_back({"agent.dispatch_blocked", {{"reason", "", std::string(to_text(run->reason))}}, run->detail});
  } else if (run->state == RunState::waiting && run->reason == RunReason::item_held) {
    run->due_at = now;
  } else if (run->state == RunState::running && current.item.hold && current.item.hold->run == id) {
    run->state = RunState::queued;  // somebody set the item free under it
    run->due_at = now;
    run->starts = run->asked = 0;
  } else {
    return {};
  }
  prepared.changes.expectations.push_back({run_record(run->id), run->version});
  prepared.changes.puts.push_back(write_run(*run));
  return {};
}

// Entering an agent-required stage writes the run in the same commit: a dispatch cannot be lost between two.
void ItemDoor::start_run(Prepared& prepared, LoadedItem& item, std::vector<AuditDraft>& drafts, Time now) {
  const Stage& stage = item.workflow->stage(item.workflow->stage_of(item.status));
  AgentRun run;
  run.id = run_id(item.item.key, ++item.run_count);
  run.item = item.item.key;
  run.workflow = item.item.workflow;
  run.stage = stage.key;
  run.runner = stage.runner;
  run.created_at = now;
  run.due_at = now;
  item.item.run = run.id;
  prepared.changes.expectations.push_back({run_record(run.id), 0});
  prepared.changes.puts.push_back(write_run(run));
  drafts.push_back({"agent.dispatched", {{"run", "", run.id.str()}}, {}});
}

Result<void> ItemDoor::end_run(Prepared& prepared, Change& change, const LoadedItem& current,
                               std::vector<AuditDraft>& drafts, Time now) {
  prepared.next->item.run = {};
  const bool own = change.run != nullptr && change.run->run.id == current.item.run;
  AgentRun run;
  if (own) {
    run = change.run->run;
  } else {
    auto loaded = load_run(current.item.run);
    if (!loaded) return loaded.error();
    run = std::move(*loaded);
  }
  const RunState before = run.state;
  set_ended(run, *prepared.decision.run_ends, change.actor, now);
  drafts.push_back(run_ended_draft(run, before));
  prepared.changes.expectations.push_back({run_record(run.id), run.version});
  if (own) prepared.run_put = prepared.changes.puts.size();
  prepared.changes.puts.push_back(write_run(run));
  return {};
}

// A run that waits for other work to be resolved is due when it is.
Result<void> ItemDoor::tell_waiting_run(Prepared& prepared, const LoadedItem& item, Time now) {
  if (item.item.run.empty()) return {};
  auto run = load_run(item.item.run);
  if (!run) return run.error();
  if (run->state != RunState::waiting || run->reason != RunReason::dependencies) return {};
  run->due_at = now;
  prepared.changes.expectations.push_back({run_record(run->id), run->version});
  prepared.changes.puts.push_back(write_run(*run));
  return {};
}

}  // namespace openindex::engine
