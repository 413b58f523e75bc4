// Moving an item: plain transitions, gates, completion, and back.
#include <algorithm>

#include "core/utf8.hpp"
#include "work/gate_rules.hpp"
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
  const GateAttempt attempt{snapshot_, *gate, actor_, progress.accept_text, progress.checked};
  if (auto allowed = check_gate(attempt); !allowed) return allowed.error();
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
  const auto is_meant = [&](const GateAcknowledgement& passed) {
    return again.gate.empty() ? passed.stale() : passed.gate == again.gate;
  };
  std::size_t count = 0;
  for (const GateAcknowledgement& passed : item_.gates) {
    if (!is_meant(passed)) continue;
    const auto gate = workflow_.find_gate(passed.gate);
    if (!gate) {
      return Error(errc::gate_not_available, "The item's version of the workflow has no such gate")
          .with("gate", passed.gate)
          .with_allowed(gates_passed());
    }
    const GateAttempt attempt{snapshot_, *gate, actor_, again.accept_text, again.checked};
    if (auto met = check_demands(attempt); !met) return met.error();
    ++count;
  }
  if (count == 0 && !again.gate.empty()) {
    return Error(errc::gate_not_available, "The item has not passed this gate")
        .with("gate", again.gate)
        .with_allowed(gates_passed());
  }
  Decision decision;
  AuditDraft draft{"work_item.stage_gate_reacknowledged", {}, {}};
  for (const GateAcknowledgement& passed : item_.gates) {
    if (!is_meant(passed)) continue;
    acknowledge(decision, *workflow_.find_gate(passed.gate), again.checked);
    draft.changes.push_back({"gate", passed.stale() ? "stale" : "", passed.gate});
  }
  if (count > 0) decision.audit.push_back(std::move(draft));
  extend_hold(decision);
  return decision;
}

std::vector<std::string> Judge::gates_passed() const {
  std::vector<std::string> passed;
  passed.reserve(item_.gates.size());
  for (const GateAcknowledgement& made : item_.gates) {
    if (workflow_.find_gate(made.gate)) passed.push_back(made.gate);
  }
  return passed;
}

Result<StatusIndex> Judge::completion_status(const std::string& key) const {
  if (key.empty()) return nearest_completion();
  const auto to = workflow_.find_status(key);
  if (to && workflow_.status(*to).resolution) return *to;
  return Error(errc::completion_status_not_terminal).with("to", key).with_allowed(terminal_statuses(workflow_));
}

Result<StatusIndex> Judge::nearest_completion() const {
  const auto ends = [&](StatusIndex exit) { return workflow_.status(exit).resolution.has_value(); };
  const auto exits = workflow_.exits(snapshot_.status);
  if (std::ranges::count_if(exits, ends) == 1) return *std::ranges::find_if(exits, ends);
  auto near = open_moves(snapshot_, Moves::completing);
  if (near.empty()) near = terminal_statuses(workflow_);
  return Error(errc::completion_status_not_terminal).with_allowed(std::move(near));
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
    open.reserve(workflow_.definition().statuses.size());
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
