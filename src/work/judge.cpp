#include "work/judge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "work/exit_rules.hpp"
#include "work/gate_rules.hpp"

namespace openindex::work {
namespace {

constexpr Duration hold_min = std::chrono::seconds(1);
constexpr Duration hold_max = std::chrono::hours(24 * 7);

}  // namespace

Result<void> Judge::check_worker() const {
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed;
  return check_open(item_);
}

Result<void> Judge::check_privileged(const char* what) const {
  if (!actor_.is_agent()) return {};
  return Error(errc::not_permitted, fmt::format("Only people and the host may {}", what)).with("actor", actor_.id());
}

Result<StatusIndex> Judge::status_named(const std::string& key, Moves moves) const {
  if (const auto index = workflow_.find_status(key)) return *index;
  return no_such_move(snapshot_, key, moves);
}

Result<Time> Judge::deadline(Duration hold) const {
  if (hold >= hold_min && hold <= hold_max) return now_ + hold;
  return Error(errc::invalid_argument, "A hold lasts 1 second to 7 days").with("hold_ms", std::to_string(hold.count()));
}

void Judge::extend_hold(Decision& decision) const {
  if (decision.hold.kind == HoldChange::Kind::none && holds(item_.hold, actor_)) {
    decision.hold.kind = HoldChange::Kind::extend;
  }
}

void Judge::move(Decision& decision, StatusIndex to) const { move(decision, snapshot_.status, to); }

void Judge::move(Decision& decision, StatusIndex from, StatusIndex to) const {
  const StageIndex from_stage = workflow_.stage_of(from);
  const StageIndex to_stage = workflow_.stage_of(to);
  const bool terminal = workflow_.status(to).resolution.has_value();
  decision.status = to;
  decision.audit.push_back(
      {"work_item.status_changed", {{"status", workflow_.status(from).key, workflow_.status(to).key}}, {}});
  if (from_stage != to_stage) {
    decision.stage_entered = to_stage;
    if (!item_.run.empty()) {
      const bool by_its_run = actor_.kind() == ActorKind::run && actor_.run_id() == item_.run;
      decision.run_ends = by_its_run ? RunState::succeeded : RunState::cancelled;
    }
  } else if (terminal && !item_.run.empty()) {
    decision.run_ends = actor_.kind() == ActorKind::run ? RunState::succeeded : RunState::cancelled;
  }
  // An agent that works by hand keeps its item from stage to stage; a run ends with its stage, and a person who moves
  // an item on takes it out of the agent's hands.
  const bool own_hold = actor_.kind() == ActorKind::agent && decision.hold.kind == HoldChange::Kind::take;
  const bool keeps = actor_.kind() == ActorKind::agent && (own_hold || holds(item_.hold, actor_));
  if (terminal || (decision.stage_entered && !keeps)) {
    if (item_.hold || own_hold) decision.hold = {HoldChange::Kind::clear};
  }
}

void Judge::acknowledge(Decision& decision, GateIndex gate, const std::vector<std::string>& checked) const {
  GateAcknowledgement made{.gate = workflow_.gate(gate).key, .by = actor_.id(), .by_agent = actor_.is_agent()};
  // Only what the gate asks for: the rest is anybody's text.
  for (const std::string& entry : workflow_.gate(gate).items) {
    if (std::find(checked.begin(), checked.end(), entry) != checked.end()) made.checked.push_back(entry);
  }
  for (const auto& [key, value] : item_.fields) {
    if (!value.empty()) made.covered.push_back(key);
  }
  for (const Attachment& file : item_.attachments) made.covered.push_back(attachment_covered(file.number));
  decision.acknowledged.push_back(std::move(made));
}

}  // namespace openindex::work
