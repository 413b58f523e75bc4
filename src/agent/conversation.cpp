#include "agent/conversation.hpp"

#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "agent/person_question.hpp"

namespace openindex::agent {
namespace {

constexpr std::uint32_t refusals_max = 3;

Error out_of_place(std::string_view what) {
  return Error(errc::storage_corrupt, fmt::format("A step of the journal is out of place: {}", what));
}

}  // namespace

Result<Conversation> Conversation::read(const std::vector<RunStep>& journal) {
  Conversation conversation;
  for (const RunStep& step : journal) {
    if (auto taken = conversation.take(step); !taken) return taken.error().with("step", step.key);
  }
  return conversation;
}

Result<void> Conversation::take(const RunStep& step) {
  if (step.kind == step_kind::context) {
    if (opened()) return out_of_place("a second context");
    auto opening = read_context(step.body);
    if (!opening) return opening.error();
    open(std::move(opening->first), std::move(opening->second));
  } else if (step.kind == step_kind::turn) {
    if (!opened() || open_call() != nullptr || awaits_answer()) return out_of_place("a turn that nobody asked for");
    auto reply = read_turn(step.body);
    if (!reply) return reply.error();
    add(*reply);
  } else if (step.kind == step_kind::note_to_model) {
    if (!opened() || !awaits_answer()) return out_of_place("a note to a model that has not spoken");
    auto text = read_note(step.body);
    if (!text) return text.error();
    tell(std::move(*text));
  } else if (step.kind == step_kind::intent) {
    return take_intent(step);
  } else if (step.kind == step_kind::tool) {
    return take_tool(step);
  } else if (step.kind == step_kind::resumed) {
    auto resumed = read_resumed(step.body);
    if (!resumed) return resumed.error();
    resume(*resumed);
  }
  return {};
}

Result<void> Conversation::take_intent(const RunStep& step) {
  auto call = read_intent(step.body);
  if (!call) return call.error();
  if (open_call() == nullptr || open_call()->id != call->id) return out_of_place("an intent without its call");
  effect_ = Effect::unknown;
  return {};
}

Result<void> Conversation::take_tool(const RunStep& step) {
  auto tool = read_tool(step.body);
  if (!tool) return tool.error();
  if (open_call() == nullptr || open_call()->id != tool->first.id) return out_of_place("an outcome without its call");
  add(tool->second);
  return {};
}

// Somebody has looked at it: what made the run ask for a person is forgiven, but a call whose effect nobody knows is
// not made a second time. What they said is told as the answer to what was asked, or at the next opportunity that every
// wire allows: behind a result, since not every one takes a message of a user there.
void Conversation::resume(const Resumed& resumed) {
  refusals_.clear();
  repeated_.reset();
  idle_replies_ = 0;
  const auto waited_for = [&](RunReason reason) { return resumed.reason.empty() || resumed.reason == to_text(reason); };
  if (effect_ == Effect::unknown && waited_for(RunReason::unknown_effect)) effect_ = Effect::given_up;
  const ToolUse* call = open_call();
  if (call != nullptr && call->name == ask_person && waited_for(RunReason::needs_person)) {
    return add(ToolOutcome{call->id, call->name, person_answer(resumed.by, resumed.answer), false});
  }
  if (call != nullptr && resumed.approved) {
    approved_ = *resumed.approved;
    if (!approved_) return add(ToolOutcome{call->id, call->name, person_refusal(resumed.by, resumed.answer), true});
  }
  if (resumed.answer.empty()) return;
  advice_ += (advice_.empty() ? "" : "\n") + person_answer(resumed.by, resumed.answer);
  if (!opened() || call != nullptr) return;  // with the opening, or with the next outcome
  if (awaits_answer()) return tell(std::exchange(advice_, {}));
  ChatTurn& last = turns_.back();
  append_advice(last.role == ChatTurn::Role::tool ? last.outcomes.back().text : last.text);
}

void Conversation::append_advice(std::string& text) {
  if (advice_.empty()) return;
  text += "\n\n" + std::exchange(advice_, {});
}

void Conversation::open(std::string system, std::string user) {
  assert(!opened());
  system_ = std::move(system);
  advice_.clear();
  tell(std::move(user));
}

void Conversation::tell(std::string text) {
  ChatTurn turn;
  turn.text = std::move(text);
  turns_.push_back(std::move(turn));
}

void Conversation::add(const ChatReply& reply) {
  turns_.push_back(reply.turn);
  last_reply_ = turns_.size() - 1;
  last_stop_ = reply.stop;
  ++replies_;
  if (!reply.turn.calls.empty()) {
    idle_replies_ = 0;
  } else if (reply.stop != ChatReply::Stop::length) {
    ++idle_replies_;
  }
}

void Conversation::add(const ToolOutcome& outcome) {
  const ToolUse* call = open_call();
  assert(call != nullptr && "an outcome of no call");
  if (!outcome.is_error) {
    refusals_.erase({call->name, call->arguments});
  } else if (++refusals_[{call->name, call->arguments}] == refusals_max) {
    repeated_ = Repeated{call->name, outcome.text};
  }
  effect_ = Effect::none;
  approved_ = false;
  // The call's own id: what the wire needs is an answer to exactly what was asked.
  ToolOutcome answer{call->id, call->name, outcome.text, outcome.is_error};
  append_advice(answer.text);
  if (turns_.back().role != ChatTurn::Role::tool) {
    turns_.emplace_back().role = ChatTurn::Role::tool;
  }
  turns_.back().outcomes.push_back(std::move(answer));
}

const ToolUse* Conversation::open_call() const {
  if (replies_ == 0 || turns_.size() > last_reply_ + 2) return nullptr;
  const auto& calls = last_reply().calls;
  return calls_done() < calls.size() ? &calls[calls_done()] : nullptr;
}

std::size_t Conversation::calls_done() const {
  return turns_.back().role == ChatTurn::Role::tool ? turns_.back().outcomes.size() : 0;
}

bool Conversation::awaits_answer() const {
  return replies_ > 0 && last_reply_ + 1 == turns_.size() && last_reply().calls.empty();
}

}  // namespace openindex::agent
