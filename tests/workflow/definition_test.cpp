#include <doctest/doctest.h>

#include <algorithm>

#include <openindex/workflow/compiled_workflow.hpp>
#include <openindex/workflow/workflow.hpp>

#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

constexpr std::string_view small = R"({
  "key": "LINT", "initialStatus": "open",
  "stages": [{"key": "work"}, {"key": "end"}],
  "statuses": [{"key": "open", "stage": "work"}, {"key": "done", "stage": "end", "resolution": "resolved"}],
  "transitions": [{"from": "open", "to": "done"}]})";

std::string with(std::string_view what, std::string_view by) {
  std::string text(small);
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

bool names(const Error& error, std::string_view pointer) {
  const auto& problems = error.problems();
  return std::any_of(problems.begin(), problems.end(), [&](const Problem& p) { return p.pointer == pointer; });
}

}  // namespace

TEST_CASE("a definition survives the way to JSON and back, byte for byte") {
  const std::string json = tests::triage_workflow().to_json();
  const auto read = Workflow::from_json(json);
  REQUIRE(read);
  CHECK(read->to_json() == json);
  CHECK(read->gates.size() == 3);
  CHECK(read->fields[2].maximum == 80);
}

TEST_CASE("a small definition is accepted") { CHECK(Workflow::from_json(small)); }

TEST_CASE("one error lists every mistake with its place") {
  struct Row {
    const char* why;
    std::string json;
    errc code;
    const char* pointer;
  };
  const Row rows[] = {
      {"not JSON", "{\"key\": ", errc::invalid_json, ""},
      {"not an object", "[1, 2]", errc::invalid_definition, ""},
      {"a number", "7", errc::invalid_definition, ""},
      {"a transition to an unknown status", with(R"("to": "done")", R"("to": "gone")"), errc::invalid_definition,
       "/transitions/0/to"},
      {"two initial statuses in a list", with(R"("initialStatus": "open")", R"("initialStatus": ["open", "done"])"),
       errc::invalid_definition, "/initialStatus"},
      {"two initial statuses as two members",
       with(R"("initialStatus": "open")", R"("initialStatus": "open", "initialStatus": "done")"), errc::invalid_json,
       "/initialStatus"},
      {"an unreachable status", with(R"([{"key": "open")", R"([{"key": "lost", "stage": "work"}, {"key": "open")"),
       errc::invalid_definition, "/statuses/0"},
      {"a stage without statuses", with(R"([{"key": "work"})", R"([{"key": "empty"}, {"key": "work"})"),
       errc::invalid_definition, "/stages/0"},
      {"a gate between stages that no transition joins",
       with(
           R"("transitions")",
           R"("stageGates": [{"key": "back", "fromStage": "end", "toStage": "work", "toStatus": "open"}], "transitions")"),
       errc::invalid_definition, "/stageGates/0"},
      {"a required field that does not exist",
       with(
           R"("transitions")",
           R"("stageGates": [{"key": "g", "fromStage": "work", "toStage": "end", "toStatus": "done", "requiredFields": ["nope"]}], "transitions")"),
       errc::invalid_definition, "/stageGates/0/requiredFields/0"},
      {"an unknown member", with(R"({"key": "work"})", R"({"key": "work", "colour": "red"})"), errc::invalid_definition,
       "/stages/0/colour"},
      {"an unknown status of a stage", with(R"("stage": "work"})", R"("stage": "nowhere"})"), errc::invalid_definition,
       "/statuses/0/stage"},
      {"a key used twice", with(R"({"key": "work"}, )", R"({"key": "work"}, {"key": "work"}, )"),
       errc::invalid_definition, "/stages/1/key"},
      {"an unknown choice", with(R"("resolution": "resolved")", R"("resolution": "maybe")"), errc::invalid_definition,
       "/statuses/1/resolution"},
      {"a way out of a terminal status", with(R"([{"from")", R"([{"from": "done", "to": "open"}, {"from")"),
       errc::invalid_definition, "/transitions/0/from"},
      {"a wrong type", with(R"("transitions": [)", R"("description": 5, "transitions": [)"), errc::invalid_definition,
       "/description"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto read = Workflow::from_json(row.json);
    REQUIRE_FALSE(read);
    CAPTURE(read.error().describe());
    CHECK(read.error().code() == row.code);
    CHECK(names(read.error(), row.pointer));
    CHECK_FALSE(read.error().describe().empty());
  }
}

TEST_CASE("several mistakes are reported at once") {
  const auto read =
      Workflow::from_json(with(R"("initialStatus": "open")", R"("initialStatus": "x", "surprise": 1, "domain": "b!")"));
  REQUIRE_FALSE(read);
  CHECK(names(read.error(), "/initialStatus"));
  CHECK(names(read.error(), "/surprise"));
  CHECK(names(read.error(), "/domain"));
}

TEST_CASE("what cannot be reached is told beside other mistakes, and two mistakes at one place are two") {
  Workflow workflow = tests::triage_workflow();
  workflow.statuses.push_back({.key = "lost", .stage = "plan"});
  workflow.stages.push_back({.key = "a b"});
  workflow.stages.push_back({.key = "a b"});
  workflow.gates.front().required_fields.push_back("nothing");
  workflow.transitions.push_back({"new", "new"});
  const auto told = [](const Result<Workflow>& result) {
    std::vector<std::string> out;
    for (const Problem& problem : result.error().problems()) out.push_back(problem.pointer + " " + problem.text);
    return out;
  };
  std::string json = workflow.to_json();
  const auto problems = told(Workflow::from_json(json));
  const auto has = [&](const std::string& wanted) {
    return std::find(problems.begin(), problems.end(), wanted) != problems.end();
  };
  CHECK(has("/stages/6/key must be 1 to 48 of a-z A-Z 0-9 _ -"));
  CHECK(has("/stages/6/key 'a b' is used twice"));
  CHECK(has("/stageGates/0/requiredFields/2 there is no field 'nothing'"));
  workflow.stages.resize(5);
  const auto again = Workflow::from_json(workflow.to_json());
  REQUIRE_FALSE(again);
  CHECK(again.error().problems().back().pointer == "/statuses/7");
}

TEST_CASE("a definition of 20 MB is refused before it is parsed") {
  std::string huge(20u * 1024 * 1024, ' ');
  huge += small;
  const auto read = Workflow::from_json(huge);
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == errc::input_too_large);
  CHECK(read.error().context("bytes_max") == "1048576");
}

TEST_CASE("JSON that is not UTF-8 or nested without end is refused") {
  CHECK(Workflow::from_json("{\"key\": \"\xff\"}").error().code() == errc::invalid_json);
  CHECK(Workflow::from_json(std::string(100'000, '[')).error().code() == errc::invalid_json);
}

TEST_CASE("over a gated boundary only the gate's own target counts as reachable") {
  auto workflow = tests::triage_workflow();
  workflow.statuses.push_back({.key = "second", .stage = "plan"});
  workflow.transitions.push_back({"triaging", "second"});
  const auto valid = workflow.validate();
  REQUIRE_FALSE(valid);
  CHECK(names(valid.error(), "/statuses/7"));
}

TEST_CASE("a compiled workflow finds what the definition names") {
  const auto compiled = CompiledWorkflow::compile(tests::triage_workflow(), 3);
  REQUIRE(compiled);
  const auto& workflow = **compiled;
  CHECK(workflow.version() == 3);
  const auto planning = workflow.find_status("planning");
  const auto review = workflow.find_status("in_review");
  REQUIRE(planning);
  REQUIRE(review);
  CHECK(workflow.joined(*planning, *review));
  CHECK_FALSE(workflow.joined(*review, workflow.initial()));
  CHECK(workflow.gate_between(workflow.stage_of(*planning), workflow.stage_of(*review)) ==
        workflow.find_gate("plan_to_review"));
  CHECK_FALSE(workflow.find_status("nope"));
}
