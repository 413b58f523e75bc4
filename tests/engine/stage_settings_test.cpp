#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "engine/engine_fixture.hpp"
#include "engine/settings_marker.hpp"
#include "engine/started_run.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

const RecordId record_id{"stage_settings", "TRIAGE/triage"};

Record record(EngineFixture& f, const RecordId& id) { return f.storage.get(std::span(&id, 1)).value().front().value(); }

void write(EngineFixture& f, std::string body) {
  ChangeSet changes;
  changes.id = "com_test";
  changes.puts.push_back({record_id, std::move(body), {}});
  changes.puts.push_back(engine::touch_settings());
  REQUIRE(f.storage.commit(std::span(&changes, 1)).front());
}

std::vector<AuditEntry> settings_entries(EngineFixture& f) {
  return f.engine.audit_entries(f.host, {.type = "workflow.stage_settings_updated"}).value().entries;
}

ItemKey in_triage(EngineFixture& f) {
  const ItemKey bug = f.bug();
  static_cast<void>(f.engine.transition(f.mia, bug, "triaging").value());
  return bug;
}

errc code_of(const Result<WorkItem>& result) { return result.error().code(); }

}  // namespace

TEST_CASE("stage settings are read back as they were set, by every engine on the storage") {
  EngineFixture f;
  const StageSettings settings{.providers = {"prov_a"},
                               .turns_max = 5,
                               .tokens_max = 9'000,
                               .calls_max = 2,
                               .deadline = 1h,
                               .enabled = false,
                               .claims_by_hand = false};
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", settings));
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "triage").value() == settings);
  WorkflowEngine other{{.storage = f.storage, .clock = f.clock, .random = f.random}};
  CHECK(other.stage_settings(f.host, "TRIAGE", "triage").value() == settings);
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "plan").value() == StageSettings());
}

TEST_CASE("attaching a provider leaves the other settings of the stage alone") {
  EngineFixture f;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.turns_max = 5, .enabled = false}));
  REQUIRE(f.engine.attach_provider(f.host, "TRIAGE", "triage", "prov_a"));
  const StageSettings expected{.providers = {"prov_a"}, .turns_max = 5, .enabled = false};
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "triage").value() == expected);
}

TEST_CASE("one audit entry tells each setting that changed, with its old and new value") {
  EngineFixture f;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.providers = {"prov_a"}, .turns_max = 5}));
  REQUIRE(f.engine.set_stage_settings(
      f.mia, "TRIAGE", "triage",
      {.providers = {"prov_b", "prov_a"}, .turns_max = 5, .deadline = 1min, .enabled = false}));
  const auto entries = settings_entries(f);
  REQUIRE(entries.size() == 2);
  const auto& newest = entries.front().actor == "mia" ? entries.front() : entries.back();
  std::vector<std::string> told;
  for (const AuditChange& change : newest.changes) {
    told.push_back(change.what + ": " + change.before + " -> " + change.after);
  }
  CHECK(told == std::vector<std::string>{"triage.providers: prov_a -> prov_b, prov_a", "triage.deadlineMs: 0 -> 60000",
                                         "triage.enabled: true -> false"});
}

TEST_CASE("the same settings again write nothing") {
  EngineFixture f;
  const StageSettings settings{.providers = {"prov_a"}, .turns_max = 5};
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", settings));
  const auto before = record(f, engine::settings_marker()).version;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", settings));
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {}));
  CHECK(settings_entries(f).size() == 1);
  CHECK(record(f, engine::settings_marker()).version == before);
}

TEST_CASE("settings out of bounds are refused with every place, and change nothing") {
  EngineFixture f;
  const auto refused =
      f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.providers = {""}, .turns_max = 1'000'000});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::invalid_argument);
  CHECK(refused.error().problems().size() == 2);
  CHECK(refused.error().context("stage") == "triage");
  CHECK(f.engine.attach_provider(f.host, "TRIAGE", "triage", "").error().problems().front().pointer == "/providers/0");
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "triage").value() == StageSettings());
}

TEST_CASE("stage settings are changed by whoever manages the domain, and never by agents") {
  EngineFixture f;
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::member));
  const auto set = [&](const Actor& actor, const char* stage = "triage") {
    auto done = f.engine.set_stage_settings(actor, "TRIAGE", stage, {.turns_max = 5});
    return done ? "accepted" : std::string(name(done.error().code()));
  };
  CHECK(set(f.noa) == "not_permitted");
  CHECK(set(f.alpha) == "not_permitted");
  CHECK(set(Actor::run("run_BUG-1_0001", "BUG-1", "dispatcher", 1)) == "not_permitted");
  CHECK(set(f.mia, "nope") == "not_found");
  CHECK(settings_entries(f).empty());
  CHECK(set(f.mia) == "accepted");
}

TEST_CASE("a record that knows providers only is read with defaults") {
  EngineFixture f;
  write(f, R"({"providers":["prov_a"]})");
  const StageSettings expected{.providers = {"prov_a"}};
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "triage").value() == expected);
  CHECK(f.engine.claim(f.alpha, in_triage(f)));
}

TEST_CASE("settings that a newer version wrote survive an edit by this one") {
  EngineFixture f;
  write(f, R"({"providers":["prov_a"],"moneyMax":{"EUR":12},"turnsMax":3})");
  REQUIRE(f.engine.attach_provider(f.host, "TRIAGE", "triage", "prov_b"));
  const auto stored = boost::json::parse(record(f, record_id).body);
  CHECK(stored.at("moneyMax").at("EUR") == 12);
  CHECK(stored.at("turnsMax") == 3);
  CHECK(stored.at("providers").as_array().size() == 2);
}

TEST_CASE("the JSON of a stored version has the settings that its stages have now") {
  EngineFixture f;
  Workflow second = tests::triage_workflow();
  second.description = "The second";
  REQUIRE(f.engine.save(f.host, second));
  const StageSettings settings{.providers = {"prov_a"}, .turns_max = 5};
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", settings));
  CHECK(f.engine.workflow_json(f.host, "TRIAGE").value() == merged_json(second, {{"plan", settings}}));
  CHECK(f.engine.workflow_json(f.host, "TRIAGE", 1).value() ==
        merged_json(tests::triage_workflow(), {{"plan", settings}}));
  CHECK(f.engine.workflow_json(f.host, "NOPE").error().code() == errc::not_found);
}

TEST_CASE("a stage that is left to its runs refuses agents, and lets people and the run work") {
  EngineFixture f;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.claims_by_hand = false}));
  const ItemKey bug = in_triage(f);
  const auto refused = f.engine.claim(f.alpha, bug);
  CHECK(code_of(refused) == errc::stage_for_runs);
  CHECK(refused.error().context("stage") == "triage");
  CHECK(f.engine.comment(f.mia, bug, "looks bad"));
  CHECK(tests::start_run(f.engine, bug, "openindex-dispatcher", 1min));
  CHECK(f.engine.take_over(f.mia, bug, {.agent = "agent-alpha"}));
  CHECK(f.engine.claim(f.alpha, bug));  // renews what it was handed
}

TEST_CASE("only agent-required stages are left to runs") {
  EngineFixture f;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "intake", {.claims_by_hand = false}));
  CHECK(f.engine.claim(f.alpha, f.bug(), {.to_status = "new"}));
}

TEST_CASE("who holds an item when its stage is left to runs keeps it") {
  EngineFixture f;
  const ItemKey bug = in_triage(f);
  REQUIRE(f.engine.claim(f.alpha, bug));
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.claims_by_hand = false}));
  CHECK(f.engine.claim(f.alpha, bug));
  CHECK(f.engine.heartbeat(f.alpha, bug));
  REQUIRE(f.engine.release(f.alpha, bug));
  CHECK(code_of(f.engine.claim(f.alpha, bug)) == errc::stage_for_runs);
}

TEST_CASE("an engine goes by its own settings at once and by another's within a second") {
  EngineFixture f;
  const ItemKey bug = in_triage(f);
  WorkflowEngine other{{.storage = f.storage, .clock = f.clock, .random = f.random}};
  REQUIRE(other.claim(f.beta, bug));
  REQUIRE(other.release(f.beta, bug));
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.claims_by_hand = false}));
  CHECK(code_of(f.engine.claim(f.alpha, bug)) == errc::stage_for_runs);
  f.clock.advance(1s);
  CHECK(code_of(other.claim(f.beta, bug)) == errc::stage_for_runs);
  REQUIRE(other.set_stage_settings(f.host, "TRIAGE", "triage", {}));
  CHECK(other.claim(f.beta, bug));
  REQUIRE(other.release(f.beta, bug));
  f.clock.advance(1s);
  CHECK(f.engine.claim(f.alpha, bug));
}

TEST_CASE("claims read the settings of a stage from storage once a second at most") {
  EngineFixture f;
  std::vector<ItemKey> bugs;
  for (int i = 0; i < 3; ++i) bugs.push_back(in_triage(f));
  const auto calls_of = [&](const ItemKey& bug) {
    const auto before = f.storage.calls();
    REQUIRE(f.engine.claim(f.alpha, bug));
    return f.storage.calls() - before;
  };
  const auto first = calls_of(bugs[0]);
  const auto second = calls_of(bugs[1]);
  CHECK(first == second + 3);  // the marker and the record, and the switches of agents
  f.clock.advance(1s);
  CHECK(calls_of(bugs[2]) == second + 2);  // the marker, which has not changed, and the switches
}

TEST_CASE("items that are left to runs are not offered to agents") {
  EngineFixture f;
  const ItemKey left = in_triage(f);
  const ItemKey stale = in_triage(f);
  const ItemKey free = f.bug();
  REQUIRE(f.engine.claim(f.beta, stale, {.hold = 1min}));
  f.clock.advance(2min);
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.claims_by_hand = false}));
  const auto page = f.queue.available(f.alpha).value();
  REQUIRE(page.items.size() == 1);
  CHECK(page.items.front().key == free);
  CHECK(f.queue.claim_next(f.alpha, {.stage = "triage"}).value().has_value() == false);
  const auto sessions = f.queue.claim_next(f.alpha, 10).value();
  CHECK(sessions.size() == 1);
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {}));
  CHECK(f.queue.claim_next(f.alpha, 10).value().size() == 2);
}

TEST_CASE("an agent does not wait for items that are left to runs, and is told when they are not any more") {
  EngineFixture f;
  WorkflowEngine other{{.storage = f.storage, .clock = f.clock, .random = f.random}};
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.claims_by_hand = false}));
  static_cast<void>(in_triage(f));
  CHECK_FALSE(f.queue.wait_available(f.alpha, {}, 0ms).value());
  CHECK_FALSE(f.queue.wait_available(f.alpha, {.search = "crash"}, 0ms).value());
  REQUIRE(other.set_stage_settings(f.host, "TRIAGE", "triage", {}));
  CHECK(f.queue.wait_available(f.alpha, {}, 0ms).value());
}
