// The runs of an item: started, ended and told of in the commit that changes the item.
#include "engine/item_runs.hpp"

#include "engine/item_door.hpp"
#include "engine/run_record.hpp"
#include "json/writer.hpp"

namespace openindex::engine {
namespace {

AuditDraft run_ended_draft(const AgentRun& run, RunState before) {
  const std::string_view type = run.state == RunState::succeeded ? "agent.run_succeeded"
                                : run.state == RunState::failed  ? "agent.run_failed"
                                                                 : "agent.run_cancelled";
  return {type, {{"run", std::string(to_text(before)), std::string(to_text(run.state))}}, run.detail};
}

}  // namespace

bool is_about_run(const Command& command) noexcept {
  return std::holds_alternative<CancelRun>(command) || std::holds_alternative<ResumeRun>(command) ||
         std::holds_alternative<StartRun>(command);
}

void set_ended(AgentRun& run, const Decision& decision, const Actor& by, Time now) {
  const RunState state = *decision.run_ends;
  run.state = state;
  run.ended_at = now;
  run.due_at.reset();
  run.question.clear();
  run.options.clear();
  run.token_hash.clear();
  if (state == RunState::failed) return;
  if (decision.run_stopped) {
    run.reason = RunReason::stopped;
    run.detail = "Stopped by " + by.id() + (decision.run_stopped->empty() ? "" : ": " + *decision.run_stopped);
    return;
  }
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
  const bool worked_on = run->state == RunState::running;
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
    constexpr Duration grace{1'000};  // for the dispatcher that has it, so that it lets go first
    run->state = RunState::queued;    // somebody set the item free under it
    run->due_at = now + grace;
    run->starts = run->asked = 0;
  } else {
    return {};
  }
  // Its dispatcher is told at once, and not by its next beat.
  if (worked_on) prepared.changes.puts.push_back(write_stop(*run, now));
  prepared.changes.expectations.push_back({run_record(run->id), run->version});
  prepared.changes.puts.push_back(write_run(*run));
  return {};
}

// The run that an item has, or had last, and who serves the stage.
Result<void> ItemDoor::look_up_run(Prepared& prepared, const LoadedItem& current) {
  auto settings = shelf_.settings(current.item.workflow, current.item.stage);
  // The latest version may not have the stage any more.
  if (!settings && settings.error().code() != errc::not_found) return settings.error();
  if (settings) prepared.providers = std::move(settings->providers);
  if (current.item.run.empty() && current.run_count == 0) return {};
  auto run = load_run(current.item.run.empty() ? run_id(current.item.key, current.run_count) : current.item.run);
  if (!run && run.error().code() == errc::not_found) return {};  // it may have been erased by now
  if (!run) return run.error();
  prepared.run = std::move(*run);
  return {};
}

// What the journal says of it is all that the run's program will know. (docs/journal.md)
void ItemDoor::resume_run(Prepared& prepared, const Actor& actor, std::vector<AuditDraft>& drafts, Time now) {
  AgentRun run = *prepared.run;
  const std::string_view reason = to_text(run.reason);
  const RunResumption& resumption = *prepared.decision.run_resumes;
  drafts.push_back({"agent.run_resumed",
                    {{"run", std::string(to_text(run.state)), std::string(to_text(RunState::queued))},
                     {"reason", std::string(to_text(run.reason)), ""}},
                    run.detail});
  prepared.changes.expectations.push_back({run_record(run.id), run.version});
  run.state = RunState::queued;
  run.reason = RunReason::none;
  run.detail.clear();
  run.question.clear();
  run.options.clear();
  run.due_at = now;
  run.starts = run.asked = run.retries = 0;
  if (!resumption.provider.empty()) run.wanted_provider = resumption.provider.str();
  json::Writer body;
  body.begin_object().key("by").string(actor.id()).member("answer", resumption.answer);
  body.key("reason").string(reason);
  if (resumption.approved) body.key("approved").boolean(*resumption.approved);
  body.end_object();
  const RunStep step{.number = ++run.steps, .kind = "resumed", .at = now, .body = std::move(body).str()};
  prepared.changes.appends.push_back(write_step(run.id, step, prepared.changes.id.str()));
  prepared.changes.puts.push_back(write_run(run));
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
  if (prepared.decision.run_starts) {
    run.wanted_provider = prepared.decision.run_starts->str();
    if (prepared.run && prepared.run->stage == run.stage) run.attempt = prepared.run->attempt + 1;
  }
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
  const bool by_itself = own || change.actor.run_id() == run.id;
  if (!by_itself && before == RunState::running) prepared.changes.puts.push_back(write_stop(run, now));
  set_ended(run, prepared.decision, change.actor, now);
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
