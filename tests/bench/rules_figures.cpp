// Rules: how long one decision or one answer takes, beside the bare table lookup that any of them contains.
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <openindex/work/rules.hpp>

#include "bench/figures.hpp"
#include "bench/helpdesk_definition.hpp"

namespace openindex::bench {
namespace {

using Compiled = std::shared_ptr<const CompiledWorkflow>;

const Actor& agent() {
  static const Actor actor = Actor::agent("agent-alpha");
  return actor;
}

constexpr Time now{Duration(1'767'225'600'000)};

const NewItem& request() {
  static const NewItem given = helpdesk_request();
  return given;
}

WorkItem item_in(const CompiledWorkflow& workflow, const Status& status) {
  WorkItem item;
  item.key = "HELP-42";
  item.workflow = workflow.definition().id;
  item.workflow_version = workflow.version();
  item.domain = workflow.definition().domain;
  item.status = status.key;
  item.stage = status.stage;
  item.execution_target = ExecutionTarget::agent;
  item.fields = request().fields;
  item.version = 7;
  item.created_at = item.updated_at = now - std::chrono::hours(5);
  return item;
}

WorkItem held_in(const CompiledWorkflow& workflow, const Status& status) {
  WorkItem item = item_in(workflow, status);
  item.hold = Hold{agent().id(), 3, now + std::chrono::minutes(20), {}};
  return item;
}

/// One command that is accepted, and what it is decided on.
struct Case {
  WorkItem item;
  StatusIndex status;
  Command command;
  std::string looked_up;  ///< The status that the baseline finds.

  [[nodiscard]] ItemSnapshot snapshot(const CompiledWorkflow& workflow) const {
    return {workflow, item, status, {}, request().title, request().description};
  }
  [[nodiscard]] Result<Decision> decide_on(const CompiledWorkflow& workflow) const {
    return decide(snapshot(workflow), command, agent(), now);
  }
};

void add_if_legal(std::vector<Case>& cases, const CompiledWorkflow& workflow, Case candidate) {
  if (candidate.decide_on(workflow)) cases.push_back(std::move(candidate));
}

/// A free item in every status in which it can be claimed.
std::vector<Case> claims(const CompiledWorkflow& workflow) {
  std::vector<Case> cases;
  for (const Status& status : workflow.definition().statuses) {
    add_if_legal(cases, workflow, {item_in(workflow, status), *workflow.find_status(status.key), Claim{}, status.key});
  }
  return cases;
}

/// Every transition that no gate guards, on an item that the agent holds.
std::vector<Case> moves(const CompiledWorkflow& workflow) {
  std::vector<Case> cases;
  for (const Transition& transition : workflow.definition().transitions) {
    const StatusIndex from = *workflow.find_status(transition.from);
    add_if_legal(cases, workflow,
                 {held_in(workflow, workflow.status(from)), from, ChangeStatus{transition.to}, transition.to});
  }
  return cases;
}

/// An item in every status that is not terminal, held by the agent that asks.
std::vector<Case> questions(const CompiledWorkflow& workflow) {
  std::vector<Case> cases;
  for (const Status& status : workflow.definition().statuses) {
    if (status.resolution) continue;
    add_if_legal(cases, workflow,
                 {held_in(workflow, status), *workflow.find_status(status.key), Heartbeat{}, status.key});
  }
  return cases;
}

/// Run a loop over the cases until the round is full; returns ns for each.
template <class Work>
double time_each(const std::vector<Case>& cases, const Work& work) {
  constexpr int passes = 1000;  // between two looks at the clock
  double count = 0;
  Stopwatch watch;
  watch.start();
  do {
    for (int pass = 0; pass < passes; ++pass) {
      for (const Case& one : cases) work(one);
    }
    count += static_cast<double>(passes) * static_cast<double>(cases.size());
  } while (!watch.full());
  watch.stop();
  return watch.seconds() * 1e9 / count;
}

/// What a decision cannot do without: find a status by its key, look at one bit.
class BareTable {
 public:
  explicit BareTable(const Workflow& workflow) : exits_(workflow.statuses.size()) {
    for (const Status& status : workflow.statuses) positions_.emplace(status.key, static_cast<int>(positions_.size()));
    for (const auto& [from, to] : workflow.transitions) {
      exits_[static_cast<std::size_t>(positions_[from])] |= 1U << static_cast<unsigned>(positions_[to]);
    }
  }
  [[nodiscard]] bool joined(StatusIndex from, const std::string& to) const {
    const auto found = positions_.find(to);
    return found != positions_.end() && (exits_[from] >> static_cast<unsigned>(found->second) & 1U) != 0;
  }

 private:
  std::unordered_map<std::string, int> positions_;
  std::vector<unsigned> exits_;
};

/// Time `answer` on every case in turn, beside the bare table.
template <class Answer>
Rounds time_all(const Compiled& workflow, std::vector<Case> found, Answer answer) {
  if (found.size() < 8) throw std::logic_error("the definition has too few cases that are legal");
  const auto cases = std::make_shared<const std::vector<Case>>(std::move(found));
  const auto table = std::make_shared<const BareTable>(workflow->definition());
  return {.value = [workflow, cases,
                    answer] { return time_each(*cases, [&](const Case& one) { keep(answer(*workflow, one)); }); },
          .baseline =
              [table, cases] {
                return time_each(*cases, [&](const Case& one) { keep(table->joined(one.status, one.looked_up)); });
              }};
}

Result<Decision> decision(const CompiledWorkflow& workflow, const Case& one) { return one.decide_on(workflow); }

AgentContext context(const CompiledWorkflow& workflow, const Case& one) {
  return context_of(one.snapshot(workflow), agent(), now);
}

/// A figure of the rules: `cases` are made of the definition, `answer` is timed on them.
template <class Answer>
Figure rules_figure(std::string name, std::vector<Case> (*cases)(const CompiledWorkflow&), Answer answer) {
  return {.name = std::move(name), .unit = "ns", .prepare = [cases, answer](const Place&) {
            const auto workflow = CompiledWorkflow::compile(helpdesk_workflow(), 1).value();
            return time_all(workflow, cases(*workflow), answer);
          }};
}

}  // namespace

std::vector<Figure> rules_figures() {
  return {rules_figure("rules.decide_claim", claims, decision),
          rules_figure("rules.decide_transition", moves, decision),
          rules_figure("rules.agent_context", questions, context)};
}

}  // namespace openindex::bench
