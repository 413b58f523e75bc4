// Moving an item: plain transitions, gates, completion, and back.
#include <algorithm>

#include "core/utf8.hpp"
#include "work/exit_rules.hpp"
#include "work/judge.hpp"

namespace openindex::work {

Result<Decision> Judge::operator()(const ChangeStatus& change) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  const auto to = status_named(change.to_status);
  if (!to) return to.error();
  if (auto legal = check_move(snapshot_, *to); !legal) return legal.error();
  Decision decision;
  move(decision, *to);
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const Progress& progress) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  const auto gate = workflow_.find_gate(progress.gate);
  if (!gate) return gate_not_available(snapshot_, progress.gate);
  auto in_the_way = obstacles(snapshot_, *gate, progress, actor_);
  if (!in_the_way.empty()) return std::move(in_the_way.front());
  Decision decision;
  decision.audit.push_back({actor_.is_agent() ? "agent.stage_gate_progressed" : "work_item.stage_gate_progressed",
                            {{"gate", "", progress.gate}},
                            {}});
  acknowledge(decision, *gate, progress.checked);
  move(decision, workflow_.target_of(*gate));
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const Reacknowledge& again) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  Decision decision;
  AuditDraft draft{"work_item.stage_gate_reacknowledged", {}, {}};
  for (const GateAcknowledgement& passed : item_.gates) {
    if (!again.gate.empty() ? passed.gate != again.gate : !passed.stale()) continue;
    const auto gate = workflow_.find_gate(passed.gate);
    if (!gate) return Error(errc::gate_not_available).with("gate", passed.gate);
    auto in_the_way = demands(snapshot_, *gate, {passed.gate, again.accept_text, again.checked}, actor_);
    if (!in_the_way.empty()) return std::move(in_the_way.front());
    acknowledge(decision, *gate, again.checked);
    draft.changes.push_back({"gate", passed.stale() ? "stale" : "", passed.gate});
  }
  if (draft.changes.empty() && !again.gate.empty()) {
    std::vector<std::string> passed;
    for (const GateAcknowledgement& made : item_.gates) passed.push_back(made.gate);
    return Error(errc::gate_not_available, "The item has not passed this gate")
        .with("gate", again.gate)
        .with_allowed(std::move(passed));
  }
  if (!draft.changes.empty()) decision.audit.push_back(std::move(draft));
  extend_hold(decision);
  return decision;
}

Result<StatusIndex> Judge::completion_status(const std::string& key) const {
  std::string wanted = key;
  if (wanted.empty()) {
    std::vector<std::string> candidates;
    for (const StatusIndex exit : workflow_.exits(snapshot_.status)) {
      if (workflow_.status(exit).resolution) candidates.push_back(workflow_.status(exit).key);
    }
    if (candidates.size() != 1) {
      return Error(errc::completion_status_not_terminal)
          .with_allowed(candidates.empty() ? terminal_statuses(workflow_) : std::move(candidates));
    }
    wanted = candidates.front();
  }
  const auto to = workflow_.find_status(wanted);
  if (to && workflow_.status(*to).resolution) return *to;
  return Error(errc::completion_status_not_terminal).with("to", wanted).with_allowed(terminal_statuses(workflow_));
}

Result<Decision> Judge::operator()(const Complete& complete) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  const auto to = completion_status(complete.to_status);
  if (!to) return to.error();
  if (auto legal = check_move(snapshot_, *to, Moves::completing); !legal) return legal.error();
  Decision decision;
  move(decision, *to);
  if (actor_.is_agent()) {
    decision.audit.push_back({"agent.completed", {{"status", item_.status, workflow_.status(*to).key}}, {}});
  }
  return decision;
}

Result<Decision> Judge::operator()(const Reopen& reopen) {
  if (auto allowed = check_privileged("reopen an item"); !allowed) return allowed.error();
  if (item_.resolution == Resolution::unresolved) return Error(errc::not_resolved).with("status", item_.status);
  if (reopen.reason.size() > 2000 || !is_utf8(reopen.reason)) {
    return Error(errc::invalid_argument, "A reason is UTF-8 of at most 2000 bytes");
  }
  const auto to =
      reopen.to_status.empty() ? std::optional(workflow_.initial()) : workflow_.find_status(reopen.to_status);
  if (!to || workflow_.status(*to).resolution) {
    std::vector<std::string> open;
    for (const Status& status : workflow_.definition().statuses) {
      if (!status.resolution) open.push_back(status.key);
    }
    return Error(errc::status_transition_not_allowed).with("to", reopen.to_status).with_allowed(std::move(open));
  }
  Decision decision;
  decision.status = *to;
  decision.stage_entered = workflow_.stage_of(*to);
  decision.reopened = true;
  decision.audit.push_back(
      {"work_item.reopened", {{"status", item_.status, workflow_.status(*to).key}}, reopen.reason});
  return decision;
}

}  // namespace openindex::work
