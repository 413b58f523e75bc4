// All the way to a completion status in one step, or not at all.
#include <algorithm>
#include <array>
#include <memory_resource>

#include "work/gate_rules.hpp"
#include "work/judge.hpp"

namespace openindex::work {
namespace {

struct Step {
  StatusIndex from = 0, to = 0;
  std::optional<GateIndex> gate = {};
};
using Way = std::pmr::vector<Step>;

// Finds the shortest way to a completion status. `passes` tells whether a step may be taken.
template <class Passes>
Way find_way(const ItemSnapshot& snapshot, std::optional<StatusIndex> wanted, std::pmr::memory_resource& memory,
             Passes passes) {
  const CompiledWorkflow& workflow = snapshot.workflow;
  const std::size_t count = workflow.definition().statuses.size();
  std::pmr::vector<std::optional<Step>> reached_by(count, &memory);
  std::pmr::vector<StatusIndex> frontier(&memory);
  frontier.reserve(count);
  frontier.push_back(snapshot.status);
  const auto visit = [&](const Step& step) {
    if (step.to == snapshot.status || reached_by[step.to] || !passes(step)) return;
    reached_by[step.to] = step;
    frontier.push_back(step.to);
  };
  Way way(&memory);
  for (std::size_t next = 0; next < frontier.size(); ++next) {
    const StatusIndex at = frontier[next];
    const auto& resolution = workflow.status(at).resolution;
    if (wanted ? at == *wanted : resolution == Resolution::resolved) {
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
  return way;
}

/// What may keep `done` from a step: somebody else's stage, a gate that wants something, a gate that is stale.
class Obstacles {
 public:
  Obstacles(const ItemSnapshot& snapshot, const Actor& actor)
      : snapshot_(snapshot), workflow_(snapshot.workflow), actor_(actor) {}

  [[nodiscard]] bool none(const Step& step) const {
    return !is_agents(step) && (!step.gate || meets_demands({snapshot_, *step.gate, actor_})) &&
           is_fresh(snapshot_, step.to, gate_of(step));
  }

  [[nodiscard]] Error first(const Step& step) const {
    if (is_agents(step)) return agents_stage(step);
    if (step.gate) {
      if (auto met = check_demands({snapshot_, *step.gate, actor_}); !met) return met.error();
    }
    return check_fresh(snapshot_, step.to, gate_of(step)).error();
  }

 private:
  [[nodiscard]] std::string_view gate_of(const Step& step) const {
    return step.gate ? std::string_view(workflow_.gate(*step.gate).key) : std::string_view();
  }

  [[nodiscard]] bool is_agents(const Step& step) const {
    const StageIndex entered = workflow_.stage_of(step.to);
    return entered != workflow_.stage_of(step.from) && workflow_.stage(entered).agent_required &&
           !workflow_.status(step.to).resolution;
  }

  [[nodiscard]] Error agents_stage(const Step& step) const {
    Error error = Error(errc::agent_stage_in_the_way)
                      .with("stage", workflow_.stage(workflow_.stage_of(step.to)).key)
                      .with("status", workflow_.status(step.to).key);
    return step.gate ? std::move(error).with("gate", gate_of(step)) : error;
  }

  const ItemSnapshot& snapshot_;
  const CompiledWorkflow& workflow_;
  const Actor& actor_;
};

}  // namespace

Result<Decision> Judge::operator()(const Done& done) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  std::optional<StatusIndex> wanted;
  if (!done.to_status.empty()) {
    const auto named = completion_status(done.to_status);
    if (!named) return named.error();
    wanted = *named;
  }
  // The search of a workflow of some hundred statuses fits on the stack: a refusal takes no more than its error.
  std::array<std::byte, 16384> stack;
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  const Obstacles obstacles(snapshot_, actor_);
  const Way way = find_way(snapshot_, wanted, memory, [&](const Step& step) { return obstacles.none(step); });
  if (way.empty()) {
    memory.release();
    const Way blocked = find_way(snapshot_, wanted, memory, [](const Step&) { return true; });
    const auto first = std::ranges::find_if_not(blocked, [&](const Step& step) { return obstacles.none(step); });
    if (first != blocked.end()) return obstacles.first(*first);
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
