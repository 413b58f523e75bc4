// An item standing somewhere in a workflow, for tests that ask the rules about it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <openindex/work/rules.hpp>

#include "workflow/triage_definition.hpp"

namespace openindex::tests {

inline constexpr Time start{Duration(1'000'000'000)};

inline const Actor alpha = Actor::agent("agent-alpha");
inline const Actor beta = Actor::agent("agent-beta");
inline const Actor mia = Actor::person("mia");

struct Standing {
  std::shared_ptr<const CompiledWorkflow> workflow;
  WorkItem item;
  std::vector<std::string> workers;

  explicit Standing(const std::string& status) : Standing(triage_workflow(), status) {}
  Standing(Workflow definition, const std::string& status)
      : workflow(CompiledWorkflow::compile(std::move(definition), 1).value()) {
    item.key = "BUG-1";
    item.execution_target = ExecutionTarget::agent;
    at(status);
  }
  Standing& at(const std::string& status) {
    item.status = status;
    item.stage = workflow->status(*workflow->find_status(status)).stage;
    item.resolution = workflow->status(*workflow->find_status(status)).resolution.value_or(Resolution::unresolved);
    return *this;
  }
  Standing& held_by(AgentId agent, Time deadline = start + std::chrono::minutes(10)) {
    item.hold = Hold{std::move(agent), 4, deadline, {}};
    return *this;
  }
  ItemSnapshot snapshot() const { return {*workflow, item, *workflow->find_status(item.status), workers}; }
  Result<Decision> decide(const Command& command, const Actor& actor, std::uint64_t fence = 0) const {
    return openindex::decide(snapshot(), command, actor, start, fence);
  }
};

}  // namespace openindex::tests
