#include <doctest/doctest.h>

#include <algorithm>

#include "engine/engine_fixture.hpp"
#include "engine/started_run.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

template <class List>
auto named(List& list, const std::string& key) {
  return std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.key == key; });
}

void rename_status(Workflow& workflow, const std::string& before, const std::string& after) {
  named(workflow.statuses, before)->key = after;
  for (Transition& move : workflow.transitions) {
    if (move.from == before) move.from = after;
    if (move.to == before) move.to = after;
  }
  for (StageGate& gate : workflow.gates) {
    if (gate.to_status == before) gate.to_status = after;
  }
  if (workflow.initial_status == before) workflow.initial_status = after;
}

std::uint32_t save(EngineFixture& f, const Workflow& workflow) {
  return f.engine.save(f.host, workflow).value().version;
}

/// `new` is called `reported`.
Workflow renamed() {
  Workflow workflow = tests::triage_workflow();
  rename_status(workflow, "new", "reported");
  return workflow;
}

std::vector<std::string> pointers(const Error& error) {
  std::vector<std::string> out;
  for (const Problem& problem : error.problems()) out.push_back(problem.pointer);
  return out;
}

ItemKey bug_in_triage(EngineFixture& f) {
  const ItemKey key = f.bug();
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
  return key;
}

}  // namespace

TEST_CASE("an item keeps its version until it is migrated, and then goes by the new one") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(save(f, renamed()) == 2);
  CHECK(f.engine.get(f.host, key)->workflow_version == 1);
  const auto refused = f.engine.migrate(f.mia, key);
  REQUIRE(refused.error().code() == errc::migration_refused);
  CHECK(pointers(refused.error()) == std::vector<std::string>{"/status"});
  const auto moved = f.engine.migrate(f.mia, key, {.mapping = {.statuses = {{"new", "reported"}}}});
  REQUIRE(moved);
  CHECK(moved->workflow_version == 2);
  CHECK(moved->status == "reported");
  CHECK(f.engine.audit(f.host, key)->back().type == "work_item.migrated");
  CHECK(f.engine.verify(f.host, key));
  CHECK(f.engine.transition(f.mia, key, "triaging"));
  CHECK(f.engine.migrate(f.mia, key)->workflow_version == 2);  // nothing to do
}

TEST_CASE("agents migrate nothing, and a version that is not there is named") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.claim(f.alpha, key));
  CHECK(f.engine.migrate(f.alpha, key).error().code() == errc::not_permitted);
  const auto missing = f.engine.migrate(f.mia, key, {.version = 7});
  CHECK(missing.error().code() == errc::not_found);
  CHECK(missing.error().context("version") == "7");
}

TEST_CASE("a run of a stage that is the same goes on, an agent keeps what it holds") {
  EngineFixture f;
  const ItemKey running = bug_in_triage(f), held = bug_in_triage(f);
  const auto started = tests::start_run(f.engine, running, "openindex-dispatcher", 60s);
  REQUIRE(started);
  REQUIRE(f.engine.claim(f.alpha, held));
  Workflow changed = tests::triage_workflow();
  changed.description = "now described";
  save(f, changed);
  const auto moved = f.engine.migrate(f.mia, running);
  REQUIRE(moved);
  CHECK(moved->run == started->run);
  CHECK(moved->hold->epoch == started->hold->epoch);
  const Actor run = Actor::run(started->run, running, "openindex-dispatcher", started->hold->epoch);
  CHECK(f.engine.comment(run, running, "still at it"));
  CHECK(f.engine.migrate(f.mia, held)->hold->agent == "agent-alpha");
}

TEST_CASE("a run whose stage is no longer for agents is cancelled, and a stage that becomes one gets a run") {
  EngineFixture f;
  const ItemKey triaged = bug_in_triage(f), reported = f.bug();
  const auto started = tests::start_run(f.engine, triaged, "openindex-dispatcher", 60s);
  REQUIRE(started);
  Workflow changed = tests::triage_workflow();
  named(changed.stages, "triage")->agent_required = false;
  named(changed.stages, "intake")->agent_required = true;
  save(f, changed);
  const auto by_people = f.engine.migrate(f.mia, triaged);
  REQUIRE(by_people);
  CHECK(by_people->run.empty());
  CHECK_FALSE(by_people->hold);
  CHECK(f.engine.runs(f.host, triaged)->front().state == RunState::cancelled);
  const auto by_agents = f.engine.migrate(f.mia, reported);
  REQUIRE(by_agents);
  CHECK(f.engine.runs(f.host, reported)->front().stage == "intake");
  CHECK(by_agents->run == f.engine.runs(f.host, reported)->front().id);
}

TEST_CASE("what was acknowledged is stale when the gate asks for something else, and forgotten with the gate") {
  EngineFixture f;
  const ItemKey key = bug_in_triage(f);
  REQUIRE(f.engine.progress(f.mia, key, {.gate = "triage_to_plan", .accept_text = true}));
  REQUIRE(f.engine.set_fields(f.mia, key, {{"effort", 3}, {"due", *parse_date("2026-12-01")}}));
  REQUIRE(f.engine.progress(f.mia, key, {.gate = "plan_to_review", .checked = {"Root cause named", "Test proposed"}}));
  Workflow changed = tests::triage_workflow();
  named(changed.gates, "triage_to_plan")->text = "The severity follows the new guide.";
  changed.gates.erase(named(changed.gates, "plan_to_review"));
  save(f, changed);
  const auto moved = f.engine.migrate(f.mia, key);
  REQUIRE(moved);
  REQUIRE(moved->gates.size() == 1);
  CHECK(moved->gates[0].gate == "triage_to_plan");
  CHECK(moved->gates[0].changed == std::vector<std::string>{"requirements"});
  CHECK(f.engine.progress(f.noa, key, {.gate = "review_to_done"}).error().code() == errc::gate_stale);
  REQUIRE(f.engine.reacknowledge(f.mia, key, {.accept_text = true}));
  CHECK(f.engine.progress(f.noa, key, {.gate = "review_to_done"}));
}

TEST_CASE("a finished item is finished in the same way and at the same time after a migration") {
  EngineFixture f;
  const ItemKey key = bug_in_triage(f);
  const auto resolved_at = f.engine.complete(f.mia, key, {"rejected"})->resolved_at;
  f.clock.advance(1h);
  save(f, renamed());
  const auto moved = f.engine.migrate(f.mia, key);
  REQUIRE(moved);
  CHECK(moved->resolution == Resolution::cancelled);
  CHECK(moved->resolved_at == resolved_at);
  CHECK(f.engine.reopen(f.mia, key)->status == "reported");
}

TEST_CASE("all items are migrated in one commit, finished ones only when asked for") {
  EngineFixture f;
  std::vector<ItemKey> open;
  for (int i = 0; i < 30; ++i) open.push_back(f.bug());
  const ItemKey finished = bug_in_triage(f);
  REQUIRE(f.engine.complete(f.mia, finished, {"rejected"}));
  save(f, renamed());
  int commits = 0;
  f.storage.before_commit([&] { ++commits; });
  const MigrateAll how{.mapping = {.statuses = {{"new", "reported"}}}};
  const auto done = f.engine.migrate_all(f.host, "TRIAGE", how);
  REQUIRE(done);
  CHECK(commits == 1);
  CHECK(done->version == 2);
  CHECK(done->checked_count == 30);
  CHECK(done->migrated_count == 30);
  for (const ItemKey& key : open) REQUIRE(f.engine.get(f.host, key)->status == "reported");
  CHECK(f.engine.get(f.host, finished)->workflow_version == 1);
  CHECK(f.engine.migrate_all(f.host, "TRIAGE", how)->migrated_count == 0);
  CHECK(f.engine.migrate_all(f.host, "TRIAGE", {.mapping = how.mapping, .resolved = true})->migrated_count == 1);
}

TEST_CASE("a migration of all under a key gives the same report again and migrates nothing a second time") {
  EngineFixture f;
  for (int i = 0; i < 3; ++i) f.bug();
  save(f, renamed());
  const MigrateAll how{.mapping = {.statuses = {{"new", "reported"}}}};
  CHECK(f.engine.migrate_all(f.host, "TRIAGE", {}, {.idempotency_key = "k"}).error().code() == errc::migration_refused);
  const auto first = f.engine.migrate_all(f.host, "TRIAGE", how, {.idempotency_key = "k"});
  REQUIRE(first);
  f.bug();
  const auto again = f.engine.migrate_all(f.host, "TRIAGE", how, {.idempotency_key = "k"});
  REQUIRE(again);
  CHECK(again->version == 2);
  CHECK(again->checked_count == 3);
  CHECK(again->migrated_count == 3);
  auto other = how;
  other.resolved = true;
  CHECK(f.engine.migrate_all(f.host, "TRIAGE", other, {.idempotency_key = "k"}).error().code() ==
        errc::idempotency_conflict);
  CHECK(f.engine.migrate_all(f.mia, "TRIAGE", other, {.idempotency_key = "k"})->migrated_count == 0);
}

TEST_CASE("of two calls at once under one key both give the report of the one that migrated") {
  EngineFixture f;
  for (int i = 0; i < 3; ++i) f.bug();
  save(f, renamed());
  const MigrateAll how{.mapping = {.statuses = {{"new", "reported"}}}};
  WorkflowEngine elsewhere{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  bool done = false;
  f.storage.before_commit([&] {
    if (std::exchange(done, true)) return;
    REQUIRE(elsewhere.migrate_all(f.host, "TRIAGE", how, {.idempotency_key = "k"})->migrated_count == 3);
  });
  const auto late = f.engine.migrate_all(f.host, "TRIAGE", how, {.idempotency_key = "k"});
  REQUIRE(late);
  CHECK(done);
  CHECK(late->migrated_count == 3);
  CHECK(late->checked_count == 3);
}

TEST_CASE("one item that does not fit keeps all where they are, and every misfit is listed") {
  EngineFixture f;
  const ItemKey fits = bug_in_triage(f), first = f.bug(), second = f.bug();
  REQUIRE(f.engine.set_fields(f.mia, second, {{"component", "parser"}}));
  Workflow changed = renamed();
  changed.fields.erase(named(changed.fields, "component"));
  for (StageGate& gate : changed.gates) std::erase(gate.required_fields, "component");
  save(f, changed);
  const auto refused = f.engine.migrate_all(f.host, "TRIAGE", {.mapping = {.drop_unknown_fields = false}});
  REQUIRE(refused.error().code() == errc::migration_refused);
  CHECK(refused.error().context("refused_count") == "3");
  CHECK(pointers(refused.error()) ==
        std::vector<std::string>{"/" + fits.str() + "/fields/component", "/" + first.str() + "/status",
                                 "/" + second.str() + "/status", "/" + second.str() + "/fields/component"});
  for (const ItemKey& key : {fits, first, second}) CHECK(f.engine.get(f.host, key)->workflow_version == 1);
}

TEST_CASE("a dry run of a migration tells the same and changes nothing") {
  EngineFixture f;
  const ItemKey key = f.bug();
  save(f, renamed());
  CHECK(f.engine.migrate_all(f.host, "TRIAGE", {.dry_run = true}).error().code() == errc::migration_refused);
  const MigrateAll how{.mapping = {.statuses = {{"new", "reported"}}}, .dry_run = true};
  CHECK(f.engine.migrate_all(f.host, "TRIAGE", how)->migrated_count == 1);
  CHECK(f.engine.get(f.host, key)->workflow_version == 1);
}

TEST_CASE("migrating needs the admin role where the items are") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::member));
  Workflow changed = tests::triage_workflow();
  changed.description = "now described";
  save(f, changed);
  CHECK(f.engine.migrate(f.noa, key).error().code() == errc::not_permitted);
  CHECK(f.engine.migrate_all(f.noa, "TRIAGE").error().code() == errc::not_permitted);
  CHECK(f.engine.migrate_all(f.alpha, "TRIAGE").error().code() == errc::not_permitted);
  CHECK(f.engine.migrate_all(f.mia, "TRIAGE")->migrated_count == 1);
}

TEST_CASE("comparing versions names the live items that each difference is about") {
  EngineFixture f;
  const ItemKey reported = f.bug(), triaged = bug_in_triage(f), finished = bug_in_triage(f);
  REQUIRE(f.engine.complete(f.mia, finished, {"rejected"}));
  Workflow changed = renamed();
  named(changed.fields, "component")->bytes_max = 4;
  named(changed.gates, "triage_to_plan")->text = "Read the guide.";
  save(f, changed);
  const auto differences = f.engine.compare_versions(f.mia, "TRIAGE", 1);
  REQUIRE(differences);
  const auto items_of = [&](const std::string& what, const std::string& key) {
    for (const TouchingDifference& one : *differences) {
      if (one.difference.what == what && one.difference.key == key) {
        CHECK(one.item_count == one.items.size());
        return one.items;
      }
    }
    FAIL("no difference of ", what, " ", key);
    return std::vector<ItemKey>();
  };
  CHECK(items_of("status", "new") == std::vector<ItemKey>{reported});
  CHECK(items_of("status", "reported").empty());
  CHECK(items_of("transition", "new -> triaging") == std::vector<ItemKey>{reported});
  CHECK(items_of("field", "component") == std::vector<ItemKey>{triaged});
  CHECK(items_of("gate", "triage_to_plan") == std::vector<ItemKey>{triaged});
}
