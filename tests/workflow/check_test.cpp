#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include <openindex/workflow/check.hpp>

#include "workflow/small_definition.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

std::string listed(const CheckReport& report) {
  std::string out;
  for (const Finding& f : report.findings) {
    out += fmt::format("{} {} {}: {}\n", to_text(f.severity), f.code, f.pointer, f.message);
  }
  return out;
}

std::vector<Finding> of_code(const CheckReport& report, std::string_view code) {
  std::vector<Finding> out;
  for (const Finding& finding : report.findings) {
    if (finding.code == code) out.push_back(finding);
  }
  return out;
}

// A third stage that an agent works in, between work and end.
void add_agent_stage(Workflow& workflow) {
  workflow.stages.push_back({.key = "agent", .agent_required = true, .goal = "Do it"});
  workflow.statuses.push_back({.key = "acting", .stage = "agent", .in_progress = true});
  workflow.transitions = {{"open", "doing"}, {"doing", "acting"}, {"acting", "done"}};
}

StageGate gate_out_of_agent_stage() {
  StageGate gate = tests::small_gate();
  gate.from_stage = "agent";
  return gate;
}

struct Row {
  const char* code;
  Severity severity;
  const char* pointer;
  bool valid;  // still accepted by validate
  std::function<void(Workflow&)> breaking;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"invalid", Severity::error, "/transitions/0/to", false,
       [](Workflow& workflow) { workflow.transitions[0].to = "gone"; }},
      {"unreachable_status", Severity::error, "/statuses/3", false,
       [](Workflow& workflow) {
         workflow.statuses.push_back({.key = "lost", .stage = "work"});
         workflow.transitions.push_back({"lost", "open"});
       }},
      {"unreachable_terminal", Severity::error, "/statuses/3", false,
       [](Workflow& workflow) {
         workflow.statuses.push_back({.key = "dropped", .stage = "end", .resolution = Resolution::cancelled});
       }},
      {"unreachable_stage", Severity::error, "/stages/2", false,
       [](Workflow& workflow) {
         workflow.stages.push_back({.key = "island"});
         workflow.statuses.push_back({.key = "lost", .stage = "island"});
         workflow.transitions.push_back({"lost", "open"});
       }},
      {"unreachable_gate", Severity::error, "/stageGates/0", false,
       [](Workflow& workflow) {
         add_agent_stage(workflow);
         workflow.transitions = {{"open", "doing"}, {"doing", "done"}, {"acting", "done"}};
         workflow.gates = {gate_out_of_agent_stage()};
       }},
      {"no_terminal_status", Severity::error, "/statuses", true,
       [](Workflow& workflow) { workflow.statuses[2].resolution.reset(); }},
      {"dead_end", Severity::error, "/statuses/3", true,
       [](Workflow& workflow) {
         workflow.statuses.push_back({.key = "parked", .stage = "work"});
         workflow.transitions.push_back({"doing", "parked"});
       }},
      {"loop_without_exit", Severity::error, "/statuses/3", true,
       [](Workflow& workflow) {
         workflow.statuses.push_back({.key = "asking", .stage = "work"});
         workflow.statuses.push_back({.key = "answering", .stage = "work"});
         workflow.transitions.insert(workflow.transitions.end(),
                                     {{"open", "asking"}, {"asking", "answering"}, {"answering", "asking"}});
       }},
      {"agent_stage_without_exit", Severity::error, "/stages/2", true,
       [](Workflow& workflow) {
         add_agent_stage(workflow);
         workflow.transitions = {{"open", "doing"}, {"doing", "done"}, {"doing", "acting"}};
       }},
      {"blocked_transition", Severity::warning, "/transitions/4", true,
       [](Workflow& workflow) {
         workflow.gates.push_back(tests::small_gate());
         workflow.stages.push_back({.key = "audit"});
         workflow.statuses.push_back({.key = "auditing", .stage = "audit"});
         workflow.statuses.push_back({.key = "dropped", .stage = "end", .resolution = Resolution::cancelled});
         workflow.transitions.insert(workflow.transitions.end(),
                                     {{"open", "auditing"}, {"doing", "dropped"}, {"auditing", "dropped"}});
       }},
      {"no_resolved_status", Severity::warning, "/statuses", true,
       [](Workflow& workflow) { workflow.statuses[2].resolution = Resolution::cancelled; }},
      {"no_in_progress_status", Severity::warning, "/statuses", true,
       [](Workflow& workflow) {
         workflow.statuses[1].in_progress = false;
         workflow.execution_target = ExecutionTarget::either;
       }},
      {"agent_stage_for_people", Severity::warning, "/stages/2", true,
       [](Workflow& workflow) {
         add_agent_stage(workflow);
         workflow.gates = {gate_out_of_agent_stage()};
         workflow.gates[0].people_only = true;
       }},
      {"agent_stage_for_others", Severity::warning, "/stages/2", true,
       [](Workflow& workflow) {
         add_agent_stage(workflow);
         workflow.gates = {gate_out_of_agent_stage()};
         workflow.gates[0].approver_not_worker = true;
       }},
      {"agent_stage_only_terminal", Severity::warning, "/stages/1", true,
       [](Workflow& workflow) {
         workflow.stages[1].agent_required = true;
         workflow.stages[1].goal = "Rest";
       }},
      {"agent_stage_without_goal", Severity::warning, "/stages/2/goal", true,
       [](Workflow& workflow) {
         add_agent_stage(workflow);
         workflow.stages[2].goal = " ";
       }},
      {"checklist_items_alike", Severity::warning, "/stageGates/0/items/1", true,
       [](Workflow& workflow) {
         StageGate gate = tests::small_gate();
         gate.mode = GateMode::checklist;
         gate.text.clear();
         gate.items = {"Tests pass", "tests  pass "};
         workflow.gates = {gate};
       }},
      {"options_alike", Severity::warning, "/fields/0/options/2", true,
       [](Workflow& workflow) {
         workflow.fields = {{.key = "size", .type = FieldType::select, .options = {"Small", "large", "small"}}};
       }},
      {"gate_asks_nothing", Severity::note, "/stageGates/0", true,
       [](Workflow& workflow) {
         workflow.gates = {tests::small_gate()};
         workflow.gates[0].mode = GateMode::none;
         workflow.gates[0].text.clear();
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("a definition without a mistake has no finding") {
  CHECK(listed(check(tests::small_workflow())) == "");
  Workflow gated = tests::small_workflow();
  gated.gates = {tests::small_gate()};
  CHECK(listed(check(gated)) == "");
  Workflow agent = tests::small_workflow();
  add_agent_stage(agent);
  CHECK(listed(check(agent)) == "");
}

TEST_CASE("each mistake is found at its place, and by itself") {
  for (const Row& row : rows()) {
    CAPTURE(row.code);
    Workflow workflow = tests::small_workflow();
    row.breaking(workflow);
    const CheckReport report = check(workflow);
    CAPTURE(listed(report));
    const auto found = of_code(report, row.code);
    REQUIRE(found.size() == 1);
    CHECK(found.front().pointer == row.pointer);
    CHECK(found.front().severity == row.severity);
    CHECK_FALSE(found.front().message.empty());
    CHECK(report.ok() == (row.severity != Severity::error));
    CHECK(workflow.validate().has_value() == row.valid);
    if (row.severity != Severity::error) CHECK(report.findings.size() == 1);
  }
}

TEST_CASE("everything that validate refuses is an error of the check, told once") {
  Workflow workflow = tests::small_workflow();
  workflow.statuses.push_back({.key = "lost", .stage = "work"});
  workflow.statuses.push_back({.key = "late", .stage = "end", .resolution = Resolution::cancelled});
  workflow.transitions.push_back({"lost", "open"});
  workflow.name = std::string(300, 'x');
  workflow.fields = {{.key = "f", .type = FieldType::select, .options = {"a", "a"}}, {.key = "f", .pattern = "("}};
  const auto wrong = workflow.validate();
  REQUIRE_FALSE(wrong);
  std::vector<std::string> refused;
  for (const Problem& problem : wrong.error().problems()) refused.push_back(problem.pointer);
  std::vector<std::string> told;
  for (const Finding& finding : check(workflow).findings) {
    CHECK(finding.severity == Severity::error);
    told.push_back(finding.pointer);
  }
  std::sort(refused.begin(), refused.end());
  std::sort(told.begin(), told.end());
  CHECK(told == refused);
}

TEST_CASE("as long as a reference is broken, nothing is told about the ways") {
  Workflow workflow = tests::small_workflow();
  workflow.transitions[2].to = "dome";  // done is now out of reach, too
  const CheckReport report = check(workflow);
  CAPTURE(listed(report));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().pointer == "/transitions/2/to");
}

TEST_CASE("a status whose transitions a gate shuts is a dead end") {
  Workflow workflow = tests::small_workflow();
  workflow.stages.push_back({.key = "review"});
  workflow.statuses.push_back({.key = "reviewing", .stage = "review"});
  workflow.statuses.push_back({.key = "checked", .stage = "review"});
  workflow.statuses.push_back({.key = "dropped", .stage = "end", .resolution = Resolution::cancelled});
  workflow.transitions = {{"open", "doing"},        {"doing", "reviewing"}, {"doing", "checked"},
                          {"reviewing", "dropped"}, {"checked", "done"},    {"doing", "dropped"}};
  workflow.gates = {tests::small_gate()};
  workflow.gates[0].from_stage = "review";
  const CheckReport report = check(workflow);
  CAPTURE(listed(report));
  const auto dead = of_code(report, "dead_end");
  REQUIRE(dead.size() == 1);
  CHECK(dead.front().pointer == "/statuses/3");
  CHECK(dead.front().message.find("gated") != std::string::npos);
}

TEST_CASE("a loop that has a way to a terminal status is none without exit") {
  Workflow workflow = tests::small_workflow();
  // The small one is such a loop; here another one leads to it.
  workflow.statuses.push_back({.key = "a", .stage = "work"});
  workflow.statuses.push_back({.key = "b", .stage = "work"});
  workflow.transitions.insert(workflow.transitions.end(), {{"open", "a"}, {"a", "b"}, {"b", "a"}, {"b", "doing"}});
  CHECK(listed(check(workflow)) == "");
}

TEST_CASE("a long loop names some of its statuses") {
  Workflow workflow = tests::small_workflow();
  workflow.transitions.push_back({"open", "s0"});
  for (int i = 0; i < 20; ++i) {
    workflow.statuses.push_back({.key = fmt::format("s{}", i), .stage = "work"});
    workflow.transitions.push_back({fmt::format("s{}", i), fmt::format("s{}", (i + 1) % 20)});
  }
  const auto found = of_code(check(workflow), "loop_without_exit");
  REQUIRE(found.size() == 1);
  CHECK(found.front().message.find("'s0', 's1'") != std::string::npos);
  CHECK(found.front().message.find("and 12 more") != std::string::npos);
}

TEST_CASE("errors come first, then warnings, then notes") {
  Workflow workflow = tests::small_workflow();
  for (const Row& row : rows()) {
    if (std::string_view(row.code) == "gate_asks_nothing" || std::string_view(row.code) == "dead_end") {
      row.breaking(workflow);
    }
  }
  workflow.execution_target = ExecutionTarget::agent;
  workflow.statuses[1].in_progress = false;
  const CheckReport report = check(workflow);
  CHECK(report.errors() == 1);
  CHECK(report.warnings() == 1);
  REQUIRE(report.findings.size() == 3);
  CHECK(report.findings[0].code == "dead_end");
  CHECK(report.findings[1].code == "no_in_progress_status");
  CHECK(report.findings[2].code == "gate_asks_nothing");
}

TEST_CASE("a realistic definition with every kind of gate has no finding") {
  CHECK(listed(check(tests::triage_workflow())) == "");
}

TEST_CASE("an empty definition and one of broken pieces are checked without harm") {
  CHECK_FALSE(check(Workflow()).ok());
  Workflow workflow;
  workflow.statuses.resize(3);
  workflow.stages.resize(3);
  workflow.gates.resize(3);
  workflow.fields.resize(3);
  workflow.transitions.resize(3);
  workflow.statuses[0].resolution = Resolution::unresolved;
  workflow.fields[0].pattern = "\xff(((";
  workflow.gates[0].items = {"", "", "\xff"};
  workflow.stages[0].agent_required = true;
  CHECK_FALSE(check(workflow).ok());
}

TEST_CASE("a hostile definition of tens of thousands of entries is checked in a moment") {
  constexpr int count = 20'000;
  Workflow workflow;
  workflow.id = "HUGE";
  workflow.initial_status = "s0";
  for (int i = 0; i < count; ++i) {
    workflow.stages.push_back({.key = fmt::format("g{}", i), .agent_required = true});
    workflow.statuses.push_back({.key = fmt::format("s{}", i), .stage = fmt::format("g{}", i)});
    workflow.transitions.push_back({fmt::format("s{}", i), fmt::format("s{}", (i + 1) % count)});
    workflow.gates.push_back({.key = fmt::format("p{}", i),
                              .from_stage = fmt::format("g{}", i),
                              .to_stage = fmt::format("g{}", (i + 1) % count),
                              .to_status = fmt::format("s{}", (i + 1) % count)});
  }
  const CheckReport report = check(workflow);
  CHECK(of_code(report, "loop_without_exit").size() == 1);
  CHECK(of_code(report, "gate_asks_nothing").size() == count);
  // One long chain: no recursion may follow it.
  workflow.transitions.pop_back();
  CHECK(of_code(check(workflow), "dead_end").size() == 1);
}
