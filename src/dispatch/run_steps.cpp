// Feeding programs with events and performing what they answer.
#include <algorithm>

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include "agent/journal.hpp"
#include "agent/plain_text.hpp"
#include "agent/schema.hpp"
#include "agent/stage_tools.hpp"
#include "core/utf8.hpp"
#include "dispatch/run_limits.hpp"
#include "dispatch/work.hpp"
#include "json/read.hpp"

namespace openindex {
inline namespace v0 {

AgentContext Dispatcher::Work::context_of_item(const Active& active, const engine::LoadedItem& item) const {
  return context_of(item.snapshot(), active.actor, now());
}

void Dispatcher::Work::feed(Active& active, const RunEvent& event) {
  std::optional<RunAction> action;
  try {
    action = active.program->on(event);
  } catch (const std::exception& thrown) {
    return fail(active, RunReason::runner_failed, std::string("the runner threw: ") + thrown.what());
  } catch (...) {
    return fail(active, RunReason::runner_failed, "the runner threw");
  }
  perform(active, std::move(*action));
}

void Dispatcher::Work::perform(Active& active, RunAction action) {
  if (!may_go_on(active)) return;
  struct Performer {
    Work& work;
    Active& active;
    void operator()(AskModel& ask) { work.ask(active, std::move(ask)); }
    void operator()(Act& act) { work.act(active, std::move(act)); }
    void operator()(CallHostTool& call) { work.call_host_tool(active, call); }
    void operator()(SettleCall& settle) { work.settle_call(active, settle.call); }
    void operator()(WorkOnHost& wanted) { work.work_on_host(active, std::move(wanted)); }
    void operator()(RejectCall& reject) {
      work.journal_outcome(active, reject.call, {reject.call.id, reject.call.name, std::move(reject.text), true});
    }
    void operator()(AskPerson& ask) { work.wait(active, std::move(ask), std::nullopt); }
    void operator()(GiveUp& give_up) { work.fail(active, give_up.reason, std::move(give_up.detail)); }
  };
  std::visit(Performer{*this, active}, action);
}

// The command and the step that tells of it are one commit: it happened and is known, or neither.
void Dispatcher::Work::act(Active& active, Act act) {
  const bool own_hold = std::holds_alternative<Claim>(act.command) || std::holds_alternative<Release>(act.command) ||
                        std::holds_alternative<Heartbeat>(act.command);
  if (own_hold) {
    return journal_outcome(active, act.call,
                           {act.call.id, act.call.name, "the hold of a run is the dispatcher's", true});
  }
  auto write = next_step(active, std::string(agent::step_kind::tool), "{}");
  auto outcome = std::make_shared<ToolOutcome>(ToolOutcome{act.call.id, act.call.name, {}, false});
  const Actor actor = active.actor;
  engine::Change change{.key = active.run.item, .actor = actor, .command = std::move(act.command)};
  change.foresee = [this, target = write.get(), outcome, call = act.call, actor](const engine::LoadedItem& next) {
    outcome->text = agent::act_result(context_of(next.snapshot(), actor, now()));
    target->steps.front().body = agent::tool_body(call, *outcome);
  };
  queue(active, std::move(change), std::move(write),
        [this, id = active.run.id, outcome, call = act.call](Result<Outcome> result) {
          Active* current = find(id);
          if (current == nullptr) return;
          if (result) return call_done(id, *outcome, std::move(result));
          const errc code = result.error().code();
          // Something else that the command names may be missing: that is an answer like any other.
          const bool gone = code == errc::not_found && result.error().context("item") == current->run.item.str();
          if (code == errc::agents_stopped) return wait_for_agents(*current, result.error());
          const bool lost = code == errc::hold_lost || gone;
          if (lost || !settle(id, result)) return lose(id);
          journal_outcome(*current, call, {call.id, call.name, agent::refusal_text(result.error()), true});
        });
}

void Dispatcher::Work::journal_outcome(Active& active, const ToolUse& call, ToolOutcome outcome) {
  auto write = next_step(active, std::string(agent::step_kind::tool), agent::tool_body(call, outcome));
  engine::Change change{.key = {}, .actor = active.actor};
  queue(active, std::move(change), std::move(write),
        [this, id = active.run.id, outcome = std::move(outcome)](Result<Outcome> result) {
          call_done(id, outcome, std::move(result));
        });
}

void Dispatcher::Work::call_done(const RunId& id, const ToolOutcome& outcome, Result<Outcome> result) {
  Active* active = find(id);
  if (active == nullptr) return;
  if (!result && result.error().code() == errc::invalid_argument) {
    return fail(*active, RunReason::runner_failed,
                fmt::format("what came of a call of {} cannot be journaled: {}", agent::shortened(outcome.name, 64),
                            result.error().message()));
  }
  if (!result) return lose(id);
  ++events_;
  tell(RunUpdate::What::tool, active->run, outcome.name);
  if (active->run.ended()) return ended(*active, active->run);
  engine::LoadedItemPtr item = result->item;
  if (!item) {
    auto loaded = door().load(active->run.item);
    if (!loaded) return lose(id);
    item = std::move(*loaded);
  }
  feed(*active, CallDone{outcome, context_of_item(*active, *item)});
}

}  // namespace v0
}  // namespace openindex
