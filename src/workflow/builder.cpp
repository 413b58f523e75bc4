#include <openindex/workflow/builder.hpp>

namespace openindex {
inline namespace v0 {

WorkflowBuilder::WorkflowBuilder(WorkflowId id) { workflow_.id = std::move(id); }

WorkflowBuilder& WorkflowBuilder::name(std::string text) {
  workflow_.name = std::move(text);
  return *this;
}

WorkflowBuilder& WorkflowBuilder::description(std::string text) {
  workflow_.description = std::move(text);
  return *this;
}

WorkflowBuilder& WorkflowBuilder::domain(std::string key) {
  workflow_.domain = std::move(key);
  return *this;
}

WorkflowBuilder& WorkflowBuilder::execution_target(ExecutionTarget target) {
  workflow_.execution_target = target;
  return *this;
}

WorkflowBuilder& WorkflowBuilder::initial(std::string status) {
  workflow_.initial_status = std::move(status);
  return *this;
}

WorkflowBuilder& WorkflowBuilder::stage(Stage stage) {
  workflow_.stages.push_back(std::move(stage));
  return *this;
}

WorkflowBuilder& WorkflowBuilder::status(Status status) {
  workflow_.statuses.push_back(std::move(status));
  return *this;
}

WorkflowBuilder& WorkflowBuilder::transition(std::string from, std::string to) {
  workflow_.transitions.push_back({std::move(from), std::move(to)});
  return *this;
}

WorkflowBuilder& WorkflowBuilder::gate(StageGate gate) {
  workflow_.gates.push_back(std::move(gate));
  return *this;
}

WorkflowBuilder& WorkflowBuilder::field(Field field) {
  workflow_.fields.push_back(std::move(field));
  return *this;
}

Result<Workflow> WorkflowBuilder::build() const {
  Workflow workflow = workflow_;
  if (workflow.initial_status.empty() && !workflow.statuses.empty()) {
    workflow.initial_status = workflow.statuses.front().key;
  }
  if (auto valid = workflow.validate(); !valid) return valid.error();
  return workflow;
}

}  // namespace v0
}  // namespace openindex
