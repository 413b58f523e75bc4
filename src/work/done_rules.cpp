// All the way to a completion status in one step, or not at all.
#include <algorithm>
#include <deque>

#include "work/gate_rules.hpp"
#include "work/judge.hpp"

namespace openindex::work {
namespace {

struct Step {
  StatusIndex from = 0, to = 0;
  std::optional<GateIndex> gate = {};
};

// Finds the shortest way to a completion status. `passes` tells whether a step may be taken.
template <class Passes>
std::vector<Step> find_way(const ItemSnapshot& snapshot, std::optional<StatusIndex> wanted, Passes passes) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  std::vector<std::optional<Step>> reached_by(workflow.definition().statuses.size());
  std::deque<StatusIndex> frontier{snapshot.status};
  const auto visit = [&](const Step& step) {
    if (step.to == snapshot.status || reached_by[step.to] || !passes(step)) return;
    reached_by[step.to] = step;
    frontier.push_back(step.to);
  };
  while (!frontier.empty()) {
    const StatusIndex at = frontier.front();
    frontier.pop_front();
    const auto& resolution = workflow.status(at).resolution;
    if (wanted ? at == *wanted : resolution == Resolution::resolved) {
      std::vector<Step> way;
      for (StatusIndex back = at; back != snapshot.status; back = reached_by[back]->from)
        way.push_back(*reached_by[back]);
      std::reverse(way.begin(), way.end());
      return way;
    }
    if (resolution) continue;
    for (const StatusIndex to : workflow.exits(at)) {
      const auto gate = workflow.gate_between(workflow.stage_of(at), workflow.stage_of(to));
      if (!gate || workflow.target_of(*gate) == to) visit({at, to, gate});
    }
  }
  return {};
}

}  // namespace

Result<Decision> Judge::operator()(const Done& done) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  std::optional<StatusIndex> wanted;
  if (!done.to_status.empty()) {
    const auto named = completion_status(done.to_status);
    if (!named) return named.error();
    wanted = *named;
  }
  const auto check = [&](const Step& step) -> Result<void> {
    const Stage& entered = workflow_.stage(workflow_.stage_of(step.to));
    if (workflow_.stage_of(step.to) != workflow_.stage_of(step.from) && entered.agent_required &&
        !workflow_.status(step.to).resolution) {
      Error error =
          Error(errc::agent_stage_in_the_way).with("stage", entered.key).with("status", workflow_.status(step.to).key);
      return step.gate ? std::move(error).with("gate", workflow_.gate(*step.gate).key) : error;
    }
    if (!step.gate) return check_fresh(snapshot_, step.to);
    if (auto met = check_demands({snapshot_, *step.gate, actor_}); !met) return met;
    return check_fresh(snapshot_, step.to, workflow_.gate(*step.gate).key);
  };
  const auto way = find_way(snapshot_, wanted, [&](const Step& step) { return check(step).has_value(); });
  if (way.empty()) {
    for (const Step& step : find_way(snapshot_, wanted, [](const Step&) { return true; })) {
      if (auto first = check(step); !first) return first.error();
    }
    return Error(errc::completion_status_not_terminal, "No way leads from here to completion")
        .with("from", item_.status)
        .with_allowed(open_moves(snapshot_));
  }
  Decision decision;
  for (const Step& step : way) {
    if (step.gate) {
      decision.audit.push_back({actor_.is_agent() ? "agent.stage_gate_progressed" : "work_item.stage_gate_progressed",
                                {{"gate", "", workflow_.gate(*step.gate).key}},
                                {}});
      acknowledge(decision, *step.gate, {});
    }
    move(decision, step.from, step.to);
  }
  if (actor_.is_agent()) {
    decision.audit.push_back({"agent.completed", {{"status", item_.status, workflow_.status(way.back().to).key}}, {}});
  }
  return decision;
}

}  // namespace openindex::work
