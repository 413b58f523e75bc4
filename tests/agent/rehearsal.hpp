// A dispatcher on paper: it carries a program's actions out on an item in memory and keeps the journal.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openindex/agent/chat_runner.hpp>
#include <openindex/workflow/builder.hpp>

#include "agent/journal.hpp"
#include "agent/stage_tools.hpp"

namespace openindex::rehearsal {

/// Two stages worked by agents, fields of all types, a text gate, a checklist gate and a gate for people.
inline Workflow triage() {
  return WorkflowBuilder("TRIAGE")
      .execution_target(ExecutionTarget::agent)
      .stage({.key = "triage", .agent_required = true, .goal = "Find out how bad the bug is."})
      .stage({.key = "plan", .agent_required = true, .goal = "Plan the fix."})
      .stage({.key = "review", .agent_required = true})
      .stage({.key = "closed"})
      .status({.key = "new", .stage = "triage", .in_progress = true})
      .status({.key = "looking", .stage = "triage", .in_progress = true})
      .status({.key = "planned", .stage = "plan", .in_progress = true})
      .status({.key = "reviewed", .stage = "review", .in_progress = true})
      .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
      .transition("new", "looking")
      .transition("looking", "planned")
      .transition("new", "planned")
      .transition("planned", "reviewed")
      .transition("reviewed", "done")
      .gate({.key = "triage_to_plan",
             .from_stage = "triage",
             .to_stage = "plan",
             .to_status = "planned",
             .mode = GateMode::text,
             .text = "The severity is justified.",
             .required_fields = {"severity", "score"}})
      .gate({.key = "plan_to_review",
             .from_stage = "plan",
             .to_stage = "review",
             .to_status = "reviewed",
             .mode = GateMode::checklist,
             .items = {"Root cause named", "Test proposed"}})
      .gate({.key = "approve", .from_stage = "review", .to_stage = "closed", .to_status = "done", .people_only = true})
      .field({.key = "severity", .type = FieldType::select, .options = {"low", "high"}})
      .field({.key = "score", .type = FieldType::number, .minimum = 0, .maximum = 10})
      .field({.key = "due", .type = FieldType::date})
      .field({.key = "notes", .bytes_max = 40, .description = "What you found out"})
      .build()
      .value();
}

inline ChatReply says(std::string text, ChatReply::Stop stop = ChatReply::Stop::finished) {
  ChatReply reply;
  reply.turn.role = ChatTurn::Role::assistant;
  reply.turn.text = std::move(text);
  reply.turn.raw = R"({"role":"assistant"})";
  reply.stop = stop;
  return reply;
}

inline ChatReply calls(std::vector<std::pair<std::string, std::string>> names_and_arguments) {
  ChatReply reply = says("", ChatReply::Stop::tool_calls);
  for (auto& [name, arguments] : names_and_arguments) {
    const auto id = "call_" + std::to_string(reply.turn.calls.size());
    reply.turn.calls.push_back({id, std::move(name), std::move(arguments)});
  }
  return reply;
}

/// Spell an action out, every part of it, so that two can be compared.
std::string spelled(const RunAction& action);

class Rehearsal {
 public:
  explicit Rehearsal(std::string status = "new");

  WorkItem item;
  std::vector<Comment> comments;
  std::vector<RunStep> journal;
  std::vector<Tool> tools;
  ChatRunnerOptions options;
  bool host_tools_fail = false;

  [[nodiscard]] AgentContext context() const;
  [[nodiscard]] bool left_stage() const { return item.stage != stage_; }

  /// Start a program, as after a crash when the journal is not empty.
  RunAction begin() {
    program_ = ChatRunner(options).start();
    return begin_with(*program_, journal, context());
  }
  RunAction begin_with(RunProgram& program, const std::vector<RunStep>& steps, const AgentContext& at) const {
    return program.on(RunBegins{run_, at, steps, tools});
  }

  /// Let the model answer what it was asked.
  RunAction reply(const RunAction& asked, const ChatReply& reply);

  /// Carry out an action that answers one call. After the item has left the stage, ask nothing more.
  RunAction carry_out(const RunAction& action);

  void add_step(std::string_view kind, std::string body) {
    const auto number = static_cast<std::uint32_t>(journal.size() + 1);
    journal.push_back({"run-1." + std::to_string(number), number, std::string(kind), Time{}, std::move(body)});
  }

  ToolOutcome last_outcome;

 private:
  ItemSnapshot snapshot() const { return {*workflow_, item, *workflow_->find_status(item.status), {}}; }
  ToolOutcome act(const Act& act);

  std::shared_ptr<const CompiledWorkflow> workflow_;
  std::string stage_;
  AgentRun run_;
  Actor actor_ = Actor::run("run-1", "BUG-1", "agent-alpha", 1);
  std::unique_ptr<RunProgram> program_;
};

}  // namespace openindex::rehearsal
