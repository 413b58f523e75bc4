#include "agent/rehearsal.hpp"

#include <fmt/format.h>

namespace openindex::rehearsal {
namespace {

std::string spelled(const ChatTurn& turn) {
  std::string out = fmt::format("{} '{}' raw '{}' {}\n", int(turn.role), turn.text, turn.raw, int(turn.raw_family));
  for (const auto& call : turn.calls) out += fmt::format("  call {} {} {}\n", call.id, call.name, call.arguments);
  for (const auto& outcome : turn.outcomes) {
    out += fmt::format("  outcome {} {} '{}' {}\n", outcome.id, outcome.name, outcome.text, outcome.is_error);
  }
  return out;
}

std::string spelled(const Command& command) {
  std::string out = fmt::format("command {}", command.index());
  if (const auto* set = std::get_if<SetFields>(&command)) {
    for (const auto& [key, value] : set->values) out += fmt::format(" {}={}", key, value.display());
  }
  if (const auto* comment = std::get_if<AddComment>(&command)) out += " " + comment->body;
  if (const auto* change = std::get_if<ChangeStatus>(&command)) out += " " + change->to_status;
  if (const auto* progress = std::get_if<Progress>(&command)) {
    out += fmt::format(" {} {}", progress->gate, progress->accept_text);
    for (const auto& item : progress->checked) out += " " + item;
  }
  return out;
}

std::string spelled(const ToolUse& call) { return fmt::format("{} {} {}", call.id, call.name, call.arguments); }

struct Speller {
  std::string operator()(const AskModel& ask) const {
    std::string out = "ask\nsystem " + ask.request.system + "\n";
    for (const auto& turn : ask.request.turns) out += spelled(turn);
    for (const auto& tool : ask.request.tools)
      out += fmt::format("{} {} {}\n", tool.name, tool.description, tool.schema);
    for (const auto& step : ask.journal_first) out += fmt::format("first {} {}\n", step.kind, step.body);
    return out + std::to_string(ask.request.output_tokens_max);
  }
  std::string operator()(const Act& act) const {
    return fmt::format("act {}: {}", spelled(act.call), spelled(act.command));
  }
  std::string operator()(const CallHostTool& call) const {
    return "host tool " + spelled(call.call) + (call.approved ? " approved" : "");
  }
  std::string operator()(const SettleCall& call) const { return "settle " + spelled(call.call); }
  std::string operator()(const WorkOnHost&) const { return "work on the host"; }
  std::string operator()(const RejectCall& call) const { return "reject " + spelled(call.call) + call.text; }
  std::string operator()(const AskPerson& ask) const {
    return fmt::format("person {} {} {} {}", to_text(ask.reason), ask.detail, ask.question, ask.options.size());
  }
  std::string operator()(const GiveUp& up) const { return fmt::format("give up {} {}", to_text(up.reason), up.detail); }
};

}  // namespace

std::string spelled(const RunAction& action) { return std::visit(Speller(), action); }

Rehearsal::Rehearsal(std::string status) : workflow_(CompiledWorkflow::compile(triage(), 1).value()) {
  item.key = "BUG-1";
  item.workflow = "TRIAGE";
  item.title = "Crash on empty input";
  item.description = "Start it with no arguments.";
  item.execution_target = ExecutionTarget::agent;
  item.status = std::move(status);
  item.stage = workflow_->status(*workflow_->find_status(item.status)).stage;
  item.run = "run-1";
  item.hold = Hold{"agent-alpha", 1, Time{} + std::chrono::hours(1), "run-1"};
  run_.id = "run-1";
  run_.item = item.key;
  stage_ = item.stage;
}

AgentContext Rehearsal::context() const {
  AgentContext context = context_of(snapshot(), actor_, Time{});
  context.recent_comments = comments;
  return context;
}

RunAction Rehearsal::reply(const RunAction& asked, const ChatReply& reply) {
  for (const auto& draft : std::get<AskModel>(asked).journal_first) add_step(draft.kind, draft.body);
  add_step(agent::step_kind::turn, agent::turn_body(reply, "prov_1"));
  return program_->on(ModelReplied{reply, context()});
}

RunAction Rehearsal::carry_out(const RunAction& action) {
  ToolUse call;
  if (const auto* wanted = std::get_if<Act>(&action)) {
    call = wanted->call;
    last_outcome = act(*wanted);
  } else if (const auto* host = std::get_if<CallHostTool>(&action)) {
    call = host->call;
    last_outcome = {call.id, call.name, "found nothing about " + call.arguments, host_tools_fail};
  } else if (const auto* settled = std::get_if<SettleCall>(&action)) {
    call = settled->call;
    last_outcome = {call.id, call.name, "it had been done", false};
  } else {
    const auto& rejected = std::get<RejectCall>(action);
    call = rejected.call;
    last_outcome = {call.id, call.name, rejected.text, true};
  }
  add_step(agent::step_kind::tool, agent::tool_body(call, last_outcome));
  if (left_stage()) return GiveUp{RunReason::none, "the item has left the stage"};
  return program_->on(CallDone{last_outcome, context()});
}

ToolOutcome Rehearsal::act(const Act& act) {
  auto decision = decide(snapshot(), act.command, actor_, Time{});
  if (!decision) return {act.call.id, act.call.name, agent::refusal_text(decision.error()), true};
  for (const auto& [key, value] : decision->fields) item.fields.insert_or_assign(key, value);
  if (decision->comment) {
    comments.push_back({++item.comment_count, decision->comment->body, false, "agent-alpha", true, Time{}});
  }
  if (decision->status) item.status = workflow_->status(*decision->status).key;
  if (decision->stage_entered) item.stage = workflow_->stage(*decision->stage_entered).key;
  return {act.call.id, act.call.name, agent::act_result(context()), false};
}

}  // namespace openindex::rehearsal
