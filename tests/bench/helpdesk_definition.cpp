#include "bench/helpdesk_definition.hpp"

#include <initializer_list>
#include <utility>

#include <openindex/workflow/builder.hpp>

namespace openindex::bench {
namespace {

void add_statuses(WorkflowBuilder& builder) {
  builder.status({.key = "new", .stage = "intake"})
      .status({.key = "answering", .stage = "intake", .in_progress = true})
      .status({.key = "awaiting_customer", .stage = "intake"})
      .status({.key = "analysing", .stage = "analysis", .in_progress = true})
      .status({.key = "analysis_blocked", .stage = "analysis"})
      .status({.key = "ready", .stage = "build"})
      .status({.key = "building", .stage = "build", .in_progress = true})
      .status({.key = "in_review", .stage = "review"})
      .status({.key = "releasing", .stage = "release", .in_progress = true})
      .status({.key = "released", .stage = "closed", .resolution = Resolution::resolved})
      .status({.key = "answered", .stage = "closed", .resolution = Resolution::resolved})
      .status({.key = "rejected", .stage = "closed", .resolution = Resolution::cancelled});
}

void add_transitions(WorkflowBuilder& builder) {
  const auto from = [&](const char* status, std::initializer_list<const char*> exits) {
    for (const char* to : exits) builder.transition(status, to);
  };
  from("new", {"answering", "analysing", "answered", "rejected"});
  from("answering", {"new", "awaiting_customer", "analysing", "answered", "rejected"});
  from("awaiting_customer", {"answering", "answered", "rejected"});
  from("analysing", {"new", "analysis_blocked", "ready", "answered", "rejected"});
  from("analysis_blocked", {"analysing", "rejected"});
  from("ready", {"analysing", "building", "rejected"});
  from("building", {"ready", "in_review", "rejected"});
  from("in_review", {"building", "releasing", "rejected"});
  from("releasing", {"building", "released"});
}

void add_gates(WorkflowBuilder& builder) {
  builder
      .gate({.key = "intake_to_analysis",
             .from_stage = "intake",
             .to_stage = "analysis",
             .to_status = "analysing",
             .mode = GateMode::text,
             .text = "The request cannot be answered from the handbook.",
             .required_fields = {"severity", "component"}})
      .gate({.key = "analysis_to_build",
             .from_stage = "analysis",
             .to_stage = "build",
             .to_status = "ready",
             .mode = GateMode::checklist,
             .items = {"Cause named", "Test proposed", "Effort estimated"},
             .required_fields = {"cause", "effort"}})
      .gate({.key = "build_to_review",
             .from_stage = "build",
             .to_stage = "review",
             .to_status = "in_review",
             .mode = GateMode::checklist,
             .items = {"Tests pass", "Change described"},
             .required_fields = {"branch"}})
      .gate({.key = "review_to_build",
             .from_stage = "review",
             .to_stage = "build",
             .to_status = "building",
             .mode = GateMode::text,
             .text = "The findings are in a comment."})
      .gate({.key = "review_to_release",
             .from_stage = "review",
             .to_stage = "release",
             .to_status = "releasing",
             .people_only = true,
             .approver_not_worker = true})
      .gate({.key = "release_to_closed",
             .from_stage = "release",
             .to_stage = "closed",
             .to_status = "released",
             .mode = GateMode::checklist,
             .items = {"Announced", "Customer told"},
             .required_fields = {"release"}});
}

void add_fields(WorkflowBuilder& builder) {
  builder.field({.key = "severity", .type = FieldType::select, .options = {"low", "medium", "high", "critical"}})
      .field({.key = "component", .bytes_max = 80})
      .field({.key = "customer", .bytes_max = 200})
      .field({.key = "plan", .type = FieldType::select, .options = {"free", "team", "enterprise"}})
      .field({.key = "channel", .type = FieldType::select, .options = {"mail", "chat", "phone"}})
      .field({.key = "seats", .type = FieldType::number, .minimum = 1, .maximum = 100'000})
      .field({.key = "effort", .type = FieldType::number, .minimum = 0.5, .maximum = 80})
      .field({.key = "cause"})
      .field({.key = "branch", .bytes_max = 120})
      .field({.key = "release", .bytes_max = 40})
      .field({.key = "reported", .type = FieldType::date})
      .field({.key = "due", .type = FieldType::date});
}

}  // namespace

Workflow helpdesk_workflow(Stages stages) {
  const bool by_runs = stages == Stages::by_runs;
  WorkflowBuilder builder("HELPDESK");
  builder.name("Help desk")
      .domain("HELP")
      .execution_target(ExecutionTarget::agent)
      .stage({.key = "intake", .goal = "Answer the request, or find out who can"})
      .stage({.key = "analysis", .agent_required = by_runs, .goal = "Find the cause"})
      .stage({.key = "build", .agent_required = by_runs, .goal = "Change the program"})
      .stage({.key = "review"})
      .stage({.key = "release"})
      .stage({.key = "closed"});
  add_statuses(builder);
  add_transitions(builder);
  add_gates(builder);
  add_fields(builder);
  return builder.build().value();
}

NewItem helpdesk_request() {
  return {.workflow = "HELPDESK",
          .title = "The export of the monthly report stops at the second page",
          .description =
              "Since the update on Monday the export ends after two pages, whatever the format. "
              "Before that it wrote all of them. The log says nothing; restarting did not help.",
          .fields = {{"severity", "medium"},
                     {"component", "reports"},
                     {"customer", "Example Mills Ltd"},
                     {"plan", "team"},
                     {"channel", "mail"},
                     {"seats", 40}}};
}

}  // namespace openindex::bench
