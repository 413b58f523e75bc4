// Calls of the host's tools: whether they may be made, what is known of those that an interruption left open.
#include <algorithm>
#include <exception>

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent/journal.hpp"
#include "agent/plain_text.hpp"
#include "agent/schema.hpp"
#include "agent/stage_tools.hpp"
#include "codecs/text.hpp"
#include "core/utf8.hpp"
#include "dispatch/run_limits.hpp"
#include "dispatch/work.hpp"
#include "json/read.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::size_t arguments_bytes_max = 1024u * 1024;
constexpr std::size_t approved_bytes_max = 8'000;

Result<boost::json::value> read_arguments(const ToolUse& call, const boost::json::value& schema) {
  auto arguments =
      json::parse(call.arguments.empty() ? "{}" : call.arguments, {.bytes_max = arguments_bytes_max, .depth_max = 32});
  if (!arguments) return arguments.error();
  if (auto fit = agent::check_arguments(schema, *arguments); !fit) return fit.error();
  return arguments;
}

// Whatever the host's function does comes back as a value.
template <class T, class Function>
Result<T> guarded(const Function& function) {
  try {
    return function();
  } catch (const std::exception& thrown) {
    return Error(errc::host_callback_failed, std::string("the tool threw: ") + thrown.what());
  } catch (...) {
    return Error(errc::host_callback_failed, "the tool threw");
  }
}

ToolOutcome refused(const ToolUse& call, const Error& error) {
  return {call.id, call.name, agent::refusal_text(error), true};
}

// What a host's function says of its failure may quote anything, whole answers of others too.
ToolOutcome failure_of(const ToolUse& call, const Tool& tool, const Error& error) {
  ToolOutcome outcome = refused(call, error);
  if (outcome.text.size() <= tool.result_bytes_max) return outcome;
  return refused(
      call, Error(error.code(),
                  fmt::format("{} [cut: {} bytes in all]",
                              cut_utf8(codecs::to_utf8(error.message()), tool.result_bytes_max), outcome.text.size())));
}

ToolOutcome outcome_of(const ToolUse& call, const Tool& tool, Result<std::string> text) {
  if (!text) return failure_of(call, tool, text.error());
  ToolOutcome outcome{call.id, call.name, std::move(*text), false};
  if (outcome.text.size() > tool.result_bytes_max) {
    const std::size_t whole = outcome.text.size();
    outcome.text = std::string(cut_utf8(outcome.text, tool.result_bytes_max)) + "\n[cut: " + std::to_string(whole) +
                   " bytes in all]";
  }
  if (!is_utf8(outcome.text)) return refused(call, {errc::host_callback_failed, "the tool's result is not UTF-8"});
  return outcome;
}

bool wants_approval(const Tool& tool, const StageSettings& settings) {
  const auto& named = settings.approvals;
  return tool.needs_approval || std::find(named.begin(), named.end(), tool.name) != named.end();
}

// All of the call is shown: what stands behind a cut would be approved unseen.
Result<AskPerson> approval_of(const ToolUse& call, const boost::json::value& arguments, std::uint32_t step) {
  const std::string shown = boost::json::serialize(arguments);
  if (shown.size() > approved_bytes_max) {
    return Error(errc::input_too_large, fmt::format("The arguments of a call that a person has to approve take at most "
                                                    "{} bytes",
                                                    approved_bytes_max));
  }
  AskPerson ask{.reason = RunReason::needs_approval};
  ask.question = fmt::format("May the agent call {} with {}?", call.name, shown);
  ask.options = {"approve", "refuse"};
  ask.detail = fmt::format("a call of the tool {} wants to be approved (step {})", call.name, step);
  return ask;
}

AskPerson unknown_effect(const ToolUse& call, std::string_view why) {
  return {RunReason::unknown_effect,
          fmt::format("whether the call of the tool {} was carried out before the interruption is not known{}{}",
                      agent::shortened(codecs::to_utf8(call.name), 64), why.empty() ? "" : ": ", why)};
}

// The same after a crash: the step that will tell the outcome.
std::string key_of(const AgentRun& run) { return fmt::format("{}.{}", run.id.str(), run.steps + 1); }

}  // namespace

const Tool* Dispatcher::Work::find_tool(const std::string& name) const {
  const auto tool = std::find_if(tools.begin(), tools.end(), [&](const Tool& known) { return known.name == name; });
  return tool == tools.end() ? nullptr : &*tool;
}

void Dispatcher::Work::call_host_tool(Active& active, const CallHostTool& wanted) {
  const ToolUse& call = wanted.call;
  const Tool* tool = find_tool(call.name);
  if (tool == nullptr) {
    return journal_outcome(active, call, {call.id, call.name, "there is no tool of this name", true});
  }
  // A person is only asked about a call that can be made.
  const auto arguments = read_arguments(call, schemas.find(tool->name)->second);
  if (!arguments) {
    ++active.run.calls;
    return journal_outcome(active, call, refused(call, arguments.error()));
  }
  if (auto spent = dispatch::spent_on_calls(active.run, *active.settings); !spent.empty()) {
    return wait(active, RunReason::budget_exhausted, std::move(spent), std::nullopt);
  }
  if (!wanted.approved && wants_approval(*tool, *active.settings)) {
    auto ask = approval_of(call, *arguments, active.run.steps);
    if (!ask) return journal_outcome(active, call, refused(call, ask.error()));
    return wait(active, std::move(*ask), std::nullopt);
  }
  if (tool->effect == ToolEffect::read) return make_call(active, call, *tool);
  // What may have happened outside must be known to have been begun.
  auto write = next_step(active, std::string(agent::step_kind::intent), agent::intent_body(call));
  engine::Change change{.key = {}, .actor = active.actor};
  queue(active, std::move(change), std::move(write), [this, id = active.run.id, call](Result<Outcome> result) {
    if (!result) return lose(id);
    const Tool* begun = find_tool(call.name);
    if (Active* running = find(id); running != nullptr && begun != nullptr) make_call(*running, call, *begun);
  });
}

// An interruption came between the intent and the outcome.
void Dispatcher::Work::settle_call(Active& active, const ToolUse& call) {
  const Tool* tool = find_tool(call.name);
  if (tool == nullptr) return wait(active, unknown_effect(call, "there is no such tool any more"), std::nullopt);
  const auto arguments = read_arguments(call, schemas.find(tool->name)->second);
  if (!arguments) return wait(active, unknown_effect(call, arguments.error().message()), std::nullopt);
  if (tool->outcome) {
    const std::string key = key_of(active.run);
    const ToolCall asked{key, active.run.item, arguments->get_object()};
    auto known = guarded<std::optional<std::string>>([&] { return tool->outcome(asked); });
    if (!known) return wait(active, unknown_effect(call, known.error().message()), std::nullopt);
    if (*known) return journal_outcome(active, call, outcome_of(call, *tool, std::move(**known)));
    return make_call(active, call, *tool);
  }
  if (tool->repeatable) return make_call(active, call, *tool);
  wait(active, unknown_effect(call, {}), std::nullopt);
}

void Dispatcher::Work::make_call(Active& active, const ToolUse& call, const Tool& tool) {
  ++active.run.calls;  // written with the next step
  const auto arguments = read_arguments(call, schemas.find(tool.name)->second);
  if (!arguments) return journal_outcome(active, call, refused(call, arguments.error()));
  const std::string key = key_of(active.run);
  auto text = guarded<std::string>([&] { return tool.call(ToolCall{key, active.run.item, arguments->get_object()}); });
  journal_outcome(active, call, outcome_of(call, tool, std::move(text)));
}

}  // namespace v0
}  // namespace openindex
