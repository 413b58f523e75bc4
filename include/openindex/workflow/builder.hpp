// WorkflowBuilder: a definition written in C++, in the order in which one would tell it.
//
//     auto workflow = WorkflowBuilder("LINT")
//         .stage({.key = "lint", .agent_required = true, .goal = "Run the linter", .runner = "lint"})
//         .status({.key = "open", .stage = "lint", .in_progress = true})
//         .stage({.key = "closed"})
//         .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
//         .transition("open", "done")
//         .build();
//
// The first status is the initial one unless `initial` says otherwise. Thread safety: one builder, one thread.
#pragma once

#include <string>
#include <utility>

#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API WorkflowBuilder {
 public:
  explicit WorkflowBuilder(WorkflowId id);

  WorkflowBuilder& name(std::string text);
  WorkflowBuilder& description(std::string text);
  WorkflowBuilder& domain(std::string key);
  WorkflowBuilder& execution_target(ExecutionTarget target);
  WorkflowBuilder& initial(std::string status);
  WorkflowBuilder& stage(Stage stage);
  WorkflowBuilder& status(Status status);
  WorkflowBuilder& transition(std::string from, std::string to);
  WorkflowBuilder& gate(StageGate gate);
  WorkflowBuilder& field(Field field);

  /// Check and hand out the definition; the builder may be used on.
  /// @par Errors invalid_definition
  [[nodiscard]] Result<Workflow> build() const;

 private:
  Workflow workflow_;
};

}  // namespace v0
}  // namespace openindex
