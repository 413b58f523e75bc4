#include <doctest/doctest.h>

#include <openindex/work/migration.hpp>

#include "workflow/small_definition.hpp"

using namespace openindex;

namespace {

Workflow first_version() {
  Workflow workflow = tests::small_workflow();
  workflow.fields = {
      {.key = "component", .bytes_max = 40}, {.key = "effort", .type = FieldType::number}, {.key = "legacy"}};
  return workflow;
}

// `open` is called `waiting` now, `effort` has a maximum, and `legacy` is gone.
Workflow second_version() {
  Workflow workflow = first_version();
  workflow.statuses[0].key = workflow.initial_status = "waiting";
  workflow.transitions = {{"waiting", "doing"}, {"doing", "waiting"}, {"doing", "done"}, {"doing", "dropped"}};
  workflow.statuses.push_back({.key = "dropped", .stage = "end", .resolution = Resolution::cancelled});
  workflow.fields[1].maximum = 10;
  workflow.fields.pop_back();
  return workflow;
}

Result<MigrationStep> plan(const StatusMapping& mapping, std::string_view status, const FieldValues& fields = {},
                           Workflow to = second_version()) {
  const auto from = CompiledWorkflow::compile(first_version(), 1).value();
  const auto next = CompiledWorkflow::compile(std::move(to), 2).value();
  return plan_migration(*from, *next, mapping, status, fields);
}

std::string problems_of(const Result<MigrationStep>& step) {
  REQUIRE_FALSE(step);
  CHECK(step.error().code() == errc::migration_refused);
  CHECK(step.error().context("from_version") == "1");
  CHECK(step.error().context("to_version") == "2");
  std::string out;
  for (const Problem& problem : step.error().problems()) out += problem.pointer + ": " + problem.text + "\n";
  return out;
}

}  // namespace

TEST_CASE("an item whose status and values the new version has keeps both") {
  const auto step = plan({}, "doing", {{"component", "core"}, {"effort", 3}});
  REQUIRE(step);
  CHECK(step->status == "doing");
  CHECK(step->dropped_fields.empty());
}

TEST_CASE("a status that is gone is mapped to another one") {
  const auto step = plan({.statuses = {{"open", "waiting"}}}, "open");
  REQUIRE(step);
  CHECK(step->status == "waiting");
}

TEST_CASE("a mapping may also move an item whose status the new version has") {
  const auto step = plan({.statuses = {{"doing", "waiting"}, {"never_was", "doing"}}}, "doing");
  REQUIRE(step);
  CHECK(step->status == "waiting");
}

TEST_CASE("values of fields that are gone are dropped only when that is asked for") {
  CHECK(problems_of(plan({}, "doing", {{"legacy", "x"}})) == "/fields/legacy: is no field of version 2\n");
  const auto step = plan({.drop_unknown_fields = true}, "doing", {{"component", "core"}, {"legacy", "x"}});
  REQUIRE(step);
  CHECK(step->dropped_fields == std::vector<std::string>{"legacy"});
}

TEST_CASE("what stands in the way of a migration is told all at once") {
  CHECK(problems_of(plan({.statuses = {{"done", "nowhere"}, {"a/b", "gone"}}}, "open",
                         {{"effort", 11}, {"legacy", "x"}, {"component", std::string(41, 'x')}})) ==
        "/statuses/a~1b: is mapped to 'gone', which is no status of version 2\n"
        "/statuses/done: is mapped to 'nowhere', which is no status of version 2\n"
        "/status: 'open' is no status of version 2, and is not mapped\n"
        "/fields/legacy: is no field of version 2\n"
        "/fields/component: is 41 bytes long; at most 40\n"
        "/fields/effort: must be at most 10\n");
}

TEST_CASE("a migration finishes no item, reopens none, and changes no resolution") {
  CHECK(problems_of(plan({.statuses = {{"doing", "done"}}}, "doing")) ==
        "/status: 'doing' is unresolved, but 'done' would be resolved\n");
  CHECK(problems_of(plan({.statuses = {{"done", "doing"}}}, "done")) ==
        "/status: 'done' is resolved, but 'doing' would be unresolved\n");
  CHECK(problems_of(plan({.statuses = {{"done", "dropped"}}}, "done")) ==
        "/status: 'done' is resolved, but 'dropped' would be cancelled\n");
  CHECK(plan({}, "done"));
}

TEST_CASE("a status that the item's own version does not have is refused") {
  CHECK(problems_of(plan({.statuses = {{"nope", "doing"}}}, "nope")) == "/status: 'nope' is no status of version 1\n");
}

TEST_CASE("an item does not migrate to another workflow") {
  Workflow other = second_version();
  other.id = "OTHER";
  CHECK(problems_of(plan({}, "doing", {}, other)) == ": 'OTHER' is another workflow than 'LINT'\n");
}
