// Feeding programs with events and performing what they answer.
#include <algorithm>

#include <boost/json/object.hpp>

#include "agent/journal.hpp"
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
    void operator()(CallHostTool& call) { work.call_host_tool(active, call.call); }
    void operator()(RejectCall& reject) {
      work.journal_outcome(active, reject.call, {reject.call.id, reject.call.name, std::move(reject.text), true});
    }
    void operator()(AskPerson& ask) { work.wait(active, ask.reason, std::move(ask.detail), std::nullopt); }
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
          const bool lost = code == errc::hold_lost || gone;
          if (lost || !settle(id, result)) return lose(id);
          journal_outcome(*current, call, {call.id, call.name, agent::refusal_text(result.error()), true});
        });
}

void Dispatcher::Work::call_host_tool(Active& active, const ToolUse& call) {
  const auto tool =
      std::find_if(tools.begin(), tools.end(), [&](const Tool& known) { return known.name == call.name; });
  if (tool == tools.end()) {
    return journal_outcome(active, call, {call.id, call.name, "there is no tool of this name", true});
  }
  if (auto spent = dispatch::spent_on_calls(active.run, *active.settings); !spent.empty()) {
    return wait(active, RunReason::budget_exhausted, std::move(spent), std::nullopt);
  }
  ++active.run.calls;  // written with the next step
  const auto execute = [this, call, tool = &*tool](Active& running) {
    auto outcome = run_host_tool(running, *tool, call);
    journal_outcome(running, call,
                    outcome ? *outcome : ToolOutcome{call.id, call.name, agent::refusal_text(outcome.error()), true});
  };
  if (tool->effect == ToolEffect::read) return execute(active);
  // What may have happened outside must be known to have been begun.
  auto write = next_step(active, std::string(agent::step_kind::intent), agent::intent_body(call));
  engine::Change change{.key = {}, .actor = active.actor};
  queue(active, std::move(change), std::move(write), [this, id = active.run.id, execute](Result<Outcome> result) {
    if (!result) return lose(id);
    if (Active* running = find(id)) execute(*running);
  });
}

Result<ToolOutcome> Dispatcher::Work::run_host_tool(const Active& active, const Tool& tool, const ToolUse& call) {
  auto arguments =
      json::parse(call.arguments.empty() ? "{}" : call.arguments, {.bytes_max = 1024u * 1024, .depth_max = 32});
  if (!arguments) return arguments.error();
  if (auto fit = agent::check_arguments(schemas.find(tool.name)->second, *arguments); !fit) return fit.error();
  const std::string key = active.run.id.str() + "." + std::to_string(active.run.steps + 1);
  Result<std::string> text = errc::host_callback_failed;
  try {
    text = tool.call(ToolCall{key, active.run.item, arguments->get_object()});
  } catch (const std::exception& thrown) {
    return Error(errc::host_callback_failed, std::string("the tool threw: ") + thrown.what());
  } catch (...) {
    return Error(errc::host_callback_failed, "the tool threw");
  }
  if (!text) return text.error();
  ToolOutcome outcome{call.id, call.name, std::move(*text), false};
  if (outcome.text.size() > tool.result_bytes_max) {
    const std::size_t whole = outcome.text.size();
    outcome.text = std::string(cut_utf8(outcome.text, tool.result_bytes_max)) + "\n[cut: " + std::to_string(whole) +
                   " bytes in all]";
  }
  if (!is_utf8(outcome.text)) return Error(errc::host_callback_failed, "the tool's result is not UTF-8");
  return outcome;
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
  if (!result) return lose(id);
  Active* active = find(id);
  if (active == nullptr) return;
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
