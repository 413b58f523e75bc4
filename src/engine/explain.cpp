// Why does this item not move? One answer for people, from the same facts the rules use.
#include <fmt/format.h>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"

namespace openindex {
inline namespace v0 {
namespace {

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& entry : list) out += (out.empty() ? "" : ", ") + entry;
  return out;
}

// What would let a waiting run go on, or keep later ones from ending like this one; empty when time alone does.
std::string remedy_of(const AgentRun& run) {
  switch (run.reason) {
    case RunReason::no_provider:
      return fmt::format("Create a provider and attach it to the stage '{}' of workflow {}", run.stage,
                         run.workflow.str());
    case RunReason::provider_disabled:
      return fmt::format("Enable a provider of the stage '{}'", run.stage);
    case RunReason::no_runner:
      return fmt::format("Register a runner named '{}' with the dispatcher", run.runner);
    case RunReason::rate_limited:
    case RunReason::overloaded:
    case RunReason::network:
    case RunReason::malformed_reply:
      if (run.due_at) return {};
      return fmt::format(
          "Check the server and endpoint of the provider {}, then start a dispatcher again; or attach another provider "
          "to the stage '{}'",
          run.provider, run.stage);
    case RunReason::unauthorized:
      return "Set a valid key for the provider " + run.provider;
    case RunReason::out_of_credit:
      return "Raise the limit of the provider " + run.provider + ", or attach another one";
    case RunReason::rejected_request:
      return "Check the model and endpoint of the provider " + run.provider +
             "; if the detail names the egress policy, allow the address in the host's egress policy, or "
             "use https for a public one";
    case RunReason::budget_exhausted:
      return fmt::format("Raise what a run of the stage '{}' may use in the stage's settings", run.stage);
    case RunReason::token_limit:
      return "Raise the limit of tokens of the provider " + run.provider + " or its model, or attach another one";
    case RunReason::stage_disabled:
      return fmt::format("Enable the stage '{}' in its settings", run.stage);
    case RunReason::deadline_passed:
      return fmt::format("For later runs: give the stage '{}' a later deadline in its settings", run.stage);
    case RunReason::dependencies:
      return "Resolve what the item depends on, or remove the dependency";
    case RunReason::agents_stopped:
      return "Let agents work again";
    case RunReason::needs_approval:
      return "A person decides: resume the run and say whether the call is approved";
    case RunReason::needs_person:
    case RunReason::unknown_effect:
    case RunReason::crash_loop:
      return "A person decides: resume the run, with an answer if it asks for one, or progress a gate of the stage by "
             "hand";
    default:
      return {};
  }
}

void explain_run(Explanation& out, const AgentRun& run) {
  out.run_state = run.state;
  out.run_reason = run.reason;
  switch (run.state) {
    case RunState::queued:
      out.summary = fmt::format("Waiting for a dispatcher to start the stage '{}'", run.stage);
      out.next.push_back("Start a dispatcher on this storage");
      break;
    case RunState::running:
      out.summary = fmt::format("{} works on the stage '{}'", run.agent.str(), run.stage);
      break;
    case RunState::waiting:
      out.summary = fmt::format("The stage '{}' waits: {}{}", run.stage, to_text(run.reason),
                                run.detail.empty() ? "" : " (" + run.detail + ")");
      if (!run.question.empty()) out.next.push_back("It asks: " + run.question);
      if (run.due_at) out.next.push_back("Tried again by itself at " + to_rfc3339(*run.due_at));
      if (auto text = remedy_of(run); !text.empty()) out.next.push_back(std::move(text));
      if (run.deadline) out.next.push_back("The run fails at " + to_rfc3339(*run.deadline) + ", the stage's deadline");
      break;
    default:
      out.summary = fmt::format("The run of the stage '{}' {}: {}{}", run.stage, to_text(run.state),
                                to_text(run.reason), run.detail.empty() ? "" : " (" + run.detail + ")");
      out.next.push_back("A person decides: start another run, or progress a gate of the stage by hand");
      if (auto text = remedy_of(run); !text.empty()) out.next.push_back(std::move(text));
  }
}

// The run is over and the item still stands in its stage.
bool left_stage_behind(const AgentRun& run) {
  return run.state == RunState::failed || (run.state == RunState::cancelled && run.reason == RunReason::stopped);
}

void explain_exits(Explanation& out, const AgentContext& context) {
  for (const Exit& exit : context.allowed_exits) {
    out.next.push_back(exit.type == Exit::Type::stage_gate
                           ? fmt::format("Progress the gate '{}' to '{}'", exit.key, exit.to_status)
                           : fmt::format("Change the status to '{}'", exit.to_status));
  }
  for (const BlockedExit& blocked : context.blocked_exits) {
    for (const Error& reason : blocked.reasons) {
      out.next.push_back(fmt::format("'{}' is blocked: {}{}", blocked.exit.key, reason.message(),
                                     reason.missing().empty() ? "" : ": " + joined(reason.missing())));
    }
  }
}

}  // namespace

Result<Explanation> WorkflowEngine::explain(const Actor& actor, const ItemKey& key) {
  auto context = agent_context(actor, key);
  if (!context) return context.error();
  const WorkItem& item = context->item;
  Explanation out;
  out.run_state = RunState::succeeded;
  if (item.resolution != Resolution::unresolved) {
    out.summary = fmt::format("The item is {}: nothing is left to do", to_text(item.resolution));
    return out;
  }
  if (!item.run.empty()) {
    auto run = core_->door.load_run(item.run);
    if (!run) return run.error();
    explain_run(out, *run);
  } else if (!context->runs.empty() && context->runs.front().stage == item.stage &&
             left_stage_behind(context->runs.front())) {
    explain_run(out, context->runs.front());
  } else if (!item.blocked_by.empty()) {
    std::vector<std::string> keys;
    for (const ItemKey& blocker : item.blocked_by) keys.push_back(blocker.str());
    out.summary = "Waiting until " + joined(keys) + (keys.size() == 1 ? " is resolved" : " are resolved");
    out.next.push_back("Resolve " + joined(keys) + ", or remove the dependency");
  } else if (is_held(item.hold, core_->options.clock.now())) {
    out.summary = fmt::format("{} holds it until {}", item.hold->agent.str(), to_rfc3339(item.hold->deadline));
  } else {
    out.summary =
        fmt::format("Waiting for {} in the stage '{}'",
                    item.execution_target == ExecutionTarget::human ? "a person" : "somebody to take it", item.stage);
  }
  explain_exits(out, *context);
  return out;
}

}  // namespace v0
}  // namespace openindex
