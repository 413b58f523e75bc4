#include "model/definition.hpp"

#include <algorithm>

#include <openindex/workflow/builder.hpp>

namespace openindex::model {

Workflow claims_workflow() {
  using std::chrono::January, std::chrono::year;
  WorkflowBuilder builder("CLAIMS");
  builder.name("Insurance claims")
      .domain("CLM")
      .execution_target(ExecutionTarget::either)
      .stage({.key = "intake"})
      .stage({.key = "assess", .agent_required = true, .goal = "Find out what happened"})
      .stage({.key = "review"})
      .stage({.key = "payment"})
      .stage({.key = "letter", .agent_required = true, .goal = "Write to the customer"})
      .stage({.key = "closed"})
      .status({.key = "new", .stage = "intake"})
      .status({.key = "reading", .stage = "intake", .in_progress = true})
      .status({.key = "asked_back", .stage = "intake"})
      .status({.key = "assessing", .stage = "assess", .in_progress = true})
      .status({.key = "expert_needed", .stage = "assess"})
      .status({.key = "in_review", .stage = "review"})
      .status({.key = "correcting", .stage = "review", .in_progress = true})
      .status({.key = "paying", .stage = "payment", .in_progress = true})
      .status({.key = "writing", .stage = "letter", .in_progress = true})
      .status({.key = "settled", .stage = "closed", .resolution = Resolution::resolved})
      .status({.key = "duplicate", .stage = "closed", .resolution = Resolution::resolved})
      .status({.key = "rejected", .stage = "closed", .resolution = Resolution::cancelled});
  const auto from = [&](const char* status, std::initializer_list<const char*> exits) {
    for (const char* to : exits) builder.transition(status, to);
  };
  from("new", {"reading", "assessing", "duplicate"});
  from("reading", {"new", "asked_back", "assessing", "duplicate", "rejected"});
  from("asked_back", {"reading", "rejected"});
  from("assessing", {"expert_needed", "in_review", "rejected", "reading"});
  from("expert_needed", {"reading", "assessing"});
  from("in_review", {"correcting", "paying", "assessing", "rejected"});
  from("correcting", {"in_review", "settled"});
  from("paying", {"settled", "in_review", "writing"});
  from("writing", {"settled", "paying"});
  builder.field({.key = "kind", .type = FieldType::select, .options = {"fire", "water", "theft"}})
      .field({.key = "place", .bytes_max = 12, .bytes_min = 2})
      .field({.key = "amount", .type = FieldType::number, .minimum = 1, .maximum = 9000})
      .field({.key = "happened", .type = FieldType::date, .earliest = year(2020) / January / 1})
      .field({.key = "remark"})
      .gate({.key = "accept",
             .from_stage = "intake",
             .to_stage = "assess",
             .to_status = "assessing",
             .mode = GateMode::text,
             .text = "The claim is complete.",
             .required_fields = {"kind"}})
      .gate({.key = "assessed",
             .from_stage = "assess",
             .to_stage = "review",
             .to_status = "in_review",
             .mode = GateMode::checklist,
             .items = {"Cause named", "Photos seen"},
             .required_fields = {"amount", "place"}})
      .gate({.key = "again", .from_stage = "review", .to_stage = "assess", .to_status = "assessing"})
      .gate({.key = "approve",
             .from_stage = "review",
             .to_stage = "payment",
             .to_status = "paying",
             .required_fields = {"amount"},
             .people_only = true,
             .approver_not_worker = true})
      .gate({.key = "second_look", .from_stage = "payment", .to_stage = "review", .to_status = "in_review"})
      .gate({.key = "paid", .from_stage = "payment", .to_stage = "closed", .to_status = "settled"})
      .gate({.key = "sent",
             .from_stage = "letter",
             .to_stage = "closed",
             .to_status = "settled",
             .mode = GateMode::checklist,
             .items = {"Signed"}});
  return builder.build().value();
}

Workflow changed_claims_workflow() {
  Workflow changed = claims_workflow();
  const auto named = [](auto& list, const std::string& key) {
    return std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.key == key; });
  };
  named(changed.statuses, "asked_back")->key = "waiting";
  for (Transition& move : changed.transitions) {
    if (move.from == "asked_back") move.from = "waiting";
    if (move.to == "asked_back") move.to = "waiting";
  }
  named(changed.stages, "letter")->agent_required = false;
  named(changed.gates, "assessed")->items.emplace_back("Place seen");
  changed.gates.erase(named(changed.gates, "second_look"));
  changed.fields.erase(named(changed.fields, "remark"));
  return changed;
}

}  // namespace openindex::model
