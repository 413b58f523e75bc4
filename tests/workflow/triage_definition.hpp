// The bug triage workflow that most tests use: two stages for agents, one for people, every kind of gate and field.
#pragma once

#include <openindex/workflow/builder.hpp>

namespace openindex::tests {

inline Workflow triage_workflow() {
  auto workflow = WorkflowBuilder("TRIAGE")
                      .name("Bug triage")
                      .domain("BUG")
                      .execution_target(ExecutionTarget::agent)
                      .stage({.key = "intake"})
                      .stage({.key = "triage", .agent_required = true, .goal = "Rate the bug and name its component"})
                      .stage({.key = "plan", .agent_required = true, .goal = "Plan the fix"})
                      .stage({.key = "review"})
                      .stage({.key = "closed"})
                      .status({.key = "new", .stage = "intake"})
                      .status({.key = "triaging", .stage = "triage", .in_progress = true})
                      .status({.key = "planning", .stage = "plan", .in_progress = true})
                      .status({.key = "plan_blocked", .stage = "plan"})
                      .status({.key = "in_review", .stage = "review"})
                      .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
                      .status({.key = "rejected", .stage = "closed", .resolution = Resolution::cancelled})
                      .transition("new", "triaging")
                      .transition("triaging", "planning")
                      .transition("triaging", "rejected")
                      .transition("planning", "plan_blocked")
                      .transition("plan_blocked", "planning")
                      .transition("planning", "in_review")
                      .transition("in_review", "done")
                      .transition("in_review", "planning")
                      .field({.key = "severity", .type = FieldType::select, .options = {"low", "high", "critical"}})
                      .field({.key = "component", .bytes_max = 40})
                      .field({.key = "effort", .type = FieldType::number, .minimum = 0.5, .maximum = 80})
                      .field({.key = "due", .type = FieldType::date})
                      .gate({.key = "triage_to_plan",
                             .from_stage = "triage",
                             .to_stage = "plan",
                             .to_status = "planning",
                             .mode = GateMode::text,
                             .text = "The severity follows the severity guide.",
                             .required_fields = {"severity", "component"}})
                      .gate({.key = "plan_to_review",
                             .from_stage = "plan",
                             .to_stage = "review",
                             .to_status = "in_review",
                             .mode = GateMode::checklist,
                             .items = {"Root cause named", "Test proposed"},
                             .required_fields = {"effort", "due"}})
                      .gate({.key = "review_to_done",
                             .from_stage = "review",
                             .to_stage = "closed",
                             .to_status = "done",
                             .people_only = true,
                             .approver_not_worker = true})
                      .build();
  return std::move(workflow).value();
}

}  // namespace openindex::tests
