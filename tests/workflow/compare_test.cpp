#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include <openindex/workflow/compare.hpp>

#include "workflow/small_definition.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> described(const Workflow& before, const Workflow& after) {
  std::vector<std::string> out;
  for (const auto& difference : compare(before, after)) out.push_back(describe(difference));
  return out;
}

}  // namespace

TEST_CASE("a definition does not differ from itself") {
  CHECK(described(tests::triage_workflow(), tests::triage_workflow()).empty());
}

TEST_CASE("every changed member is told in one line, with what it was and what it is") {
  struct Row {
    const char* line;
    std::function<void(Workflow&)> edit;
  };
  const Row rows[] = {
      {R"(changed workflow 'TRIAGE': key from "TRIAGE" to "T2")", [](Workflow& w) { w.id = "T2"; }},
      {R"(changed workflow 'TRIAGE': name from "Bug triage" to nothing)", [](Workflow& w) { w.name.clear(); }},
      {R"(changed workflow 'TRIAGE': description from nothing to "a \"b\"")",
       [](Workflow& w) { w.description = "a \"b\""; }},
      {R"(changed workflow 'TRIAGE': domain from "BUG" to "OPS")", [](Workflow& w) { w.domain = "OPS"; }},
      {R"(changed workflow 'TRIAGE': executionTarget from "agent" to "either")",
       [](Workflow& w) { w.execution_target = ExecutionTarget::either; }},
      {R"(changed workflow 'TRIAGE': initialStatus from "new" to "triaging")",
       [](Workflow& w) { w.initial_status = "triaging"; }},
      {R"(changed workflow 'TRIAGE': fields from "[\"severity\",\"component\",\"effort\",\"due\"]" )"
       R"(to "[\"component\",\"severity\",\"effort\",\"due\"]")",
       [](Workflow& w) { std::swap(w.fields[0], w.fields[1]); }},
      {"added stage 'extra'", [](Workflow& w) { w.stages.insert(w.stages.begin(), {.key = "extra"}); }},
      {R"(changed stage 'triage': name from nothing to "T")", [](Workflow& w) { w.stages[1].name = "T"; }},
      {R"(changed stage 'triage': agentRequired from "true" to "false")",
       [](Workflow& w) { w.stages[1].agent_required = false; }},
      {R"(changed stage 'plan': goal from "Plan the fix" to "Plan")", [](Workflow& w) { w.stages[2].goal = "Plan"; }},
      {R"(changed stage 'plan': runner from "chat" to "lint")", [](Workflow& w) { w.stages[2].runner = "lint"; }},
      {"added status 'extra'", [](Workflow& w) { w.statuses.push_back({.key = "extra"}); }},
      {"removed status 'rejected'", [](Workflow& w) { w.statuses.pop_back(); }},
      {R"(changed status 'new': name from nothing to "N")", [](Workflow& w) { w.statuses[0].name = "N"; }},
      {R"(changed status 'new': stage from "intake" to "plan")", [](Workflow& w) { w.statuses[0].stage = "plan"; }},
      {R"(changed status 'done': resolution from "resolved" to nothing)",
       [](Workflow& w) { w.statuses[5].resolution.reset(); }},
      {R"(changed status 'triaging': inProgress from "true" to "false")",
       [](Workflow& w) { w.statuses[1].in_progress = false; }},
      {"added transition 'new -> done'",
       [](Workflow& w) {
         w.transitions.push_back({"new", "done"});
       }},
      {"removed transition 'new -> triaging'", [](Workflow& w) { w.transitions.erase(w.transitions.begin()); }},
      {"removed gate 'review_to_done'", [](Workflow& w) { w.gates.pop_back(); }},
      {R"(changed gate 'triage_to_plan': name from nothing to "G")", [](Workflow& w) { w.gates[0].name = "G"; }},
      {R"(changed gate 'triage_to_plan': fromStage from "triage" to "intake")",
       [](Workflow& w) { w.gates[0].from_stage = "intake"; }},
      {R"(changed gate 'triage_to_plan': toStage from "plan" to "review")",
       [](Workflow& w) { w.gates[0].to_stage = "review"; }},
      {R"(changed gate 'triage_to_plan': toStatus from "planning" to "plan_blocked")",
       [](Workflow& w) { w.gates[0].to_status = "plan_blocked"; }},
      {R"(changed gate 'triage_to_plan': mode from "text" to "none")",
       [](Workflow& w) { w.gates[0].mode = GateMode::none; }},
      {R"(changed gate 'triage_to_plan': text from "The severity follows the severity guide." to "Yes.")",
       [](Workflow& w) { w.gates[0].text = "Yes."; }},
      {R"(changed gate 'plan_to_review': items from "[\"Root cause named\",\"Test proposed\"]" to "[\"Test\"]")",
       [](Workflow& w) { w.gates[1].items = {"Test"}; }},
      {R"(changed gate 'plan_to_review': requiredFields from "[\"effort\",\"due\"]" to nothing)",
       [](Workflow& w) { w.gates[1].required_fields.clear(); }},
      {R"(changed gate 'plan_to_review': peopleOnly from "false" to "true")",
       [](Workflow& w) { w.gates[1].people_only = true; }},
      {R"(changed gate 'plan_to_review': approverNotWorker from "false" to "true")",
       [](Workflow& w) { w.gates[1].approver_not_worker = true; }},
      {"added field 'extra'", [](Workflow& w) { w.fields.push_back({.key = "extra"}); }},
      {R"(changed field 'due': name from nothing to "Due")", [](Workflow& w) { w.fields[3].name = "Due"; }},
      {R"(changed field 'due': type from "date" to "text")", [](Workflow& w) { w.fields[3].type = FieldType::text; }},
      {R"(changed field 'severity': options from "[\"low\",\"high\",\"critical\"]" to "[\"low\"]")",
       [](Workflow& w) { w.fields[0].options = {"low"}; }},
      {R"(changed field 'effort': minimum from "0.5" to nothing)", [](Workflow& w) { w.fields[2].minimum.reset(); }},
      {R"(changed field 'effort': maximum from "80" to "40")", [](Workflow& w) { w.fields[2].maximum = 40; }},
      {R"(changed field 'component': bytesMin from "0" to "1")", [](Workflow& w) { w.fields[1].bytes_min = 1; }},
      {R"(changed field 'component': bytesMax from "40" to "50")", [](Workflow& w) { w.fields[1].bytes_max = 50; }},
      {R"(changed field 'component': pattern from nothing to "a+")", [](Workflow& w) { w.fields[1].pattern = "a+"; }},
      {R"(changed field 'due': earliest from nothing to "2026-01-31")",
       [](Workflow& w) { w.fields[3].earliest = Date(2026y / 1 / 31); }},
      {R"(changed field 'due': latest from nothing to "2026-12-01")",
       [](Workflow& w) { w.fields[3].latest = Date(2026y / 12 / 1); }},
      {R"(changed field 'due': description from nothing to "d")", [](Workflow& w) { w.fields[3].description = "d"; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    Workflow after = tests::triage_workflow();
    row.edit(after);
    CHECK(described(tests::triage_workflow(), after) == std::vector<std::string>{row.line});
  }
}

TEST_CASE("a program reads the difference by member") {
  Workflow after = tests::small_workflow();
  after.statuses[1].in_progress = false;
  CHECK(compare(tests::small_workflow(), after) ==
        std::vector<WorkflowDifference>{
            {WorkflowDifference::Kind::changed, "status", "doing", "inProgress", "true", "false"}});
}

TEST_CASE("a renamed status is one removed and one added") {
  Workflow after = tests::small_workflow();
  after.statuses[1].key = "under_way";
  after.transitions = {{"open", "under_way"}, {"under_way", "open"}, {"under_way", "done"}};
  CHECK(described(tests::small_workflow(), after) ==
        std::vector<std::string>{"removed status 'doing'", "added status 'under_way'",
                                 "removed transition 'open -> doing'", "removed transition 'doing -> open'",
                                 "removed transition 'doing -> done'", "added transition 'open -> under_way'",
                                 "added transition 'under_way -> open'", "added transition 'under_way -> done'"});
}

TEST_CASE("the order of transitions is a difference, and an entry added between others is not one of order") {
  Workflow after = tests::small_workflow();
  std::swap(after.transitions[1], after.transitions[2]);
  const auto swapped = compare(tests::small_workflow(), after);
  REQUIRE(swapped.size() == 1);
  CHECK(swapped.front().what == "workflow");
  CHECK(swapped.front().member == "transitions");
  after = tests::small_workflow();
  after.transitions.insert(after.transitions.begin() + 1, {"open", "done"});
  CHECK(described(tests::small_workflow(), after) == std::vector<std::string>{"added transition 'open -> done'"});
}

TEST_CASE("definitions with keys used twice are compared without harm") {
  Workflow twice = tests::small_workflow();
  twice.statuses.push_back(twice.statuses.front());
  CHECK(described(twice, twice).empty());
  CHECK(described(tests::small_workflow(), twice) == std::vector<std::string>{"added status 'open'"});
  CHECK(described(twice, tests::small_workflow()) == std::vector<std::string>{"removed status 'open'"});
}
