#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"
#include "engine/settings_marker.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

// A deployment whose triage stage has a provider and the settings that the test is about.
struct SettingsFixture : DispatchFixture {
  ProviderId played = provider();

  explicit SettingsFixture(const StageSettings& settings) { set(settings); }

  void set(StageSettings settings) {
    settings.providers = {played};
    engine.set_stage_settings(host, "TRIAGE", "triage", settings).value();
  }
  /// The model does something that leads nowhere.
  void turn() {
    REQUIRE(model.waiting.size() == 1);
    model.answer_calls({{"add_comment", R"({"body":"hm"})"}});
    settle();
  }
  std::string state(const ItemKey& key) {
    const AgentRun now = run(key);
    return std::string(to_text(now.state)) + " " + std::string(to_text(now.reason));
  }
  std::size_t comments(const ItemKey& key) { return engine.comments(host, key)->size(); }
  bool explains(const ItemKey& key, const std::string& words) {
    const Explanation why = engine.explain(host, key).value();
    return std::any_of(why.next.begin(), why.next.end(),
                       [&](const std::string& text) { return text.find(words) != std::string::npos; });
  }
};

}  // namespace

// -- budgets ----------------------------------------------------------------------------------------------------------

TEST_CASE("a run that has used its turns carries its last calls out, waits, and goes on when it may use more") {
  SettingsFixture f({.turns_max = 2});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  CHECK(f.state(bug) == "running none");
  f.turn();
  CHECK(f.state(bug) == "waiting budget_exhausted");
  CHECK(f.run(bug).detail == "2 of 2 turns used");
  CHECK(f.run(bug).turns == 2);
  CHECK(f.comments(bug) == 2);
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  CHECK(f.explains(bug, "Raise what a run of the stage 'triage' may use"));
  CHECK(f.model.requests.size() == 2);
  f.set({.turns_max = 3});
  f.settle();
  CHECK(f.state(bug) == "running none");
  f.turn();
  CHECK(f.state(bug) == "waiting budget_exhausted");
  CHECK(f.model.requests.size() == 3);
}

TEST_CASE("the answer that reaches the tokens of a run is its last one") {
  SettingsFixture f({.tokens_max = 220});  // an answer of the played model is 110
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  CHECK(f.state(bug) == "running none");
  f.turn();
  CHECK(f.state(bug) == "waiting budget_exhausted");
  CHECK(f.run(bug).detail == "220 of 220 tokens used");
  f.set({});
  f.settle();
  CHECK(f.state(bug) == "running none");
}

TEST_CASE("a run spends no more money than its stage allows, at the prices of the host") {
  SettingsFixture f({.cost_max = 700});
  f.dispatcher = std::make_unique<Dispatcher>(
      Dispatcher::Options{.engine = f.engine,
                          .providers = f.providers,
                          .http = f.model,
                          .prices = {"EUR", {{"openai", "m", {.input = 3'000'000, .output = 15'000'000}}}}});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  CHECK(f.run(bug).cost == 450);  // 100 tokens in at 3, 10 out at 15, a million
  CHECK(f.state(bug) == "running none");
  f.turn();
  CHECK(f.run(bug).cost == 900);
  CHECK(f.state(bug) == "waiting budget_exhausted");
  CHECK(f.run(bug).detail == "900 of 700 micro-units of money used");
  f.set({.cost_max = 1'000});
  f.settle();
  CHECK(f.state(bug) == "running none");
}

TEST_CASE("a model without a price costs nothing, and no budget of money is met") {
  SettingsFixture f({.cost_max = 1});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  f.turn();
  CHECK(f.run(bug).cost == 0);
  CHECK(f.state(bug) == "running none");
}

TEST_CASE("no tool of the host is called more often than a run may, and the call is made when it may") {
  SettingsFixture f({.calls_max = 1});
  int calls = 0;
  REQUIRE(f.dispatcher->add_tool(
      {.name = "push", .effect = ToolEffect::write, .call = [&](const ToolCall&) -> Result<std::string> {
         ++calls;
         return std::string("pushed");
       }}));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"push", "{}"}, {"push", "{}"}});
  f.settle();
  CHECK(calls == 1);
  CHECK(f.state(bug) == "waiting budget_exhausted");
  CHECK(f.run(bug).detail == "1 of 1 tool calls used");
  f.set({.calls_max = 2});
  f.settle();
  CHECK(calls == 2);
  CHECK(f.run(bug).calls == 2);
  CHECK(f.state(bug) == "running none");
}

TEST_CASE("a run that waits for a larger budget is left alone when other settings change") {
  SettingsFixture f({.turns_max = 1});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  REQUIRE(f.state(bug) == "waiting budget_exhausted");
  const auto entries = f.audit_types(bug).size();
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.turns_max = 7}));
  f.set({.turns_max = 1, .calls_max = 9});
  f.settle();
  CHECK(f.audit_types(bug).size() == entries);
  CHECK(f.run(bug).detail == "1 of 1 turns used");
}

TEST_CASE("a budget outlives the process that counted it") {
  SettingsFixture f({.turns_max = 2});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  f.crash();
  f.clock.advance(61s);
  f.settle();
  f.turn();
  CHECK(f.state(bug) == "waiting budget_exhausted");
}

// -- switches ---------------------------------------------------------------------------------------------------------

TEST_CASE("nothing of a disabled stage is started, and everything when it is enabled") {
  SettingsFixture f({.enabled = false});
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.state(bug) == "waiting stage_disabled");
  CHECK(f.model.requests.empty());
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  CHECK(f.engine.get(f.host, bug)->version == 3);  // created, moved, put aside: nobody claimed it
  CHECK(f.explains(bug, "Enable the stage 'triage'"));
  CHECK(f.audit_types(bug).back() == "agent.dispatch_blocked");
  f.settle();
  f.set({.turns_max = 5, .enabled = false});
  f.settle();
  CHECK(f.engine.get(f.host, bug)->version == 3);
  f.set({});
  f.settle();
  CHECK(f.state(bug) == "running none");
  CHECK(f.model.requests.size() == 1);
}

TEST_CASE("a run under way in a stage that is disabled stops at its next step and loses nothing") {
  SettingsFixture f({});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.set({.enabled = false});
  f.settle();
  CHECK(f.state(bug) == "running none");  // its answer is paid for
  f.turn();
  CHECK(f.state(bug) == "waiting stage_disabled");
  CHECK(f.comments(bug) == 0);
  CHECK(f.run(bug).turns == 1);
  f.set({});
  f.settle();
  CHECK(f.comments(bug) == 1);
  CHECK(f.model.requests.size() == 2);  // the journaled answer was not asked for again
}

TEST_CASE("a request that fails while its stage is disabled is not sent to the next provider") {
  SettingsFixture f({});
  f.attach(f.provider("second"));
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.providers = {f.played}, .enabled = false}));
  f.model.answer_status(503);
  f.settle();
  CHECK(f.model.requests.size() == 1);
  CHECK(f.state(bug) == "waiting stage_disabled");
}

TEST_CASE("a run whose dispatcher died while its stage was disabled is put aside, not taken over") {
  SettingsFixture f({});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.crash();
  f.set({.enabled = false});
  f.clock.advance(61s);
  f.settle();
  CHECK(f.state(bug) == "waiting stage_disabled");
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
}

TEST_CASE("a run that waits for time finds its stage disabled when it is due") {
  SettingsFixture f({});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(429, {{"Retry-After", "30"}});
  f.settle();
  f.set({.enabled = false});
  f.settle();
  CHECK(f.state(bug) == "waiting rate_limited");
  f.clock.advance(30s);
  f.settle();
  CHECK(f.state(bug) == "waiting stage_disabled");
  CHECK(f.model.requests.size() == 1);
}

// -- deadlines --------------------------------------------------------------------------------------------------------

TEST_CASE("a run whose deadline passes while a model thinks fails at once") {
  SettingsFixture f({.deadline = 30s});
  const ItemKey bug = f.dispatched();
  f.settle();
  const Time end = f.clock.now() + 30s;
  CHECK(f.run(bug).deadline == end);
  CHECK(f.dispatcher->step()->next_due == end);
  f.clock.advance(29s);
  f.settle();
  CHECK(f.state(bug) == "running none");
  f.clock.advance(1s);
  f.settle();
  CHECK(f.state(bug) == "failed deadline_passed");
  CHECK(f.model.cancelled.size() == 1);
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  CHECK(f.engine.get(f.host, bug)->status == "triaging");
  CHECK(f.explains(bug, "A person decides"));
  CHECK(f.explains(bug, "give the stage 'triage' a later deadline"));
  f.model.answer_calls({{"add_comment", R"({"body":"too late"})"}});
  f.settle();
  CHECK(f.comments(bug) == 0);
  CHECK(f.engine.verify(f.host, bug));
}

TEST_CASE("no step is taken after the deadline, not even of an answer that came in time to be read") {
  SettingsFixture f({.deadline = 30s});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.clock.advance(30s);
  f.turn();
  CHECK(f.state(bug) == "failed deadline_passed");
  CHECK(f.comments(bug) == 0);
}

TEST_CASE("a queued run that nobody started in time fails when a dispatcher comes") {
  SettingsFixture f({.deadline = 30s});
  const ItemKey bug = f.dispatched();
  f.clock.advance(30s);
  f.settle();
  CHECK(f.state(bug) == "failed deadline_passed");
  CHECK(f.model.requests.empty());
}

TEST_CASE("a deadline passes for what is queued behind a full dispatcher, too") {
  SettingsFixture f({});
  f.dispatcher = std::make_unique<Dispatcher>(Dispatcher::Options{
      .engine = f.engine, .providers = f.providers, .http = f.model, .runs_max = 1, .hold = std::chrono::seconds(60)});
  const ItemKey first = f.dispatched();
  f.settle();
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.deadline = 10s}));
  const ItemKey second = f.dispatched();
  REQUIRE(f.engine.set_fields(f.mia, second, {{"severity", "low"}, {"component", "ui"}}));
  REQUIRE(f.engine.progress(f.mia, second, {.gate = "triage_to_plan", .accept_text = true}));
  f.clock.advance(10s);
  f.settle();
  CHECK(f.state(first) == "running none");
  CHECK(f.state(second) == "failed deadline_passed");
}

TEST_CASE("a run that waits for somebody fails at its deadline") {
  SettingsFixture f({.turns_max = 1, .deadline = 10min});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  REQUIRE(f.state(bug) == "waiting budget_exhausted");
  const Time end = f.run(bug).created_at + 10min;
  CHECK(f.dispatcher->step()->next_due == end);
  CHECK(f.explains(bug, "The run fails at " + to_rfc3339(end)));
  f.clock.advance(10min);
  f.settle();
  CHECK(f.state(bug) == "failed deadline_passed");
}

TEST_CASE("a run that waits for its retry fails when its deadline comes first") {
  SettingsFixture f({.deadline = 40s});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(429, {{"Retry-After", "600"}});
  f.settle();
  CHECK(f.dispatcher->step()->next_due == f.clock.now() + 40s);
  f.clock.advance(40s);
  f.settle();
  CHECK(f.state(bug) == "failed deadline_passed");
}

TEST_CASE("a run whose item somebody holds fails at its deadline and leaves the holder alone") {
  SettingsFixture f({.deadline = 1min});
  const ItemKey bug = f.dispatched();
  REQUIRE(f.engine.claim(f.alpha, bug, {.hold = 30min}));
  f.settle();
  REQUIRE(f.state(bug) == "waiting item_held");
  f.clock.advance(1min);
  f.settle();
  CHECK(f.state(bug) == "failed deadline_passed");
  CHECK(f.engine.comment(f.alpha, bug, "still here"));
}

TEST_CASE("a deadline that is set later counts for runs that wait and that are under way") {
  SettingsFixture f({});
  const ItemKey waiting = f.dispatched();
  f.settle();
  f.model.answer_status(429, {{"Retry-After", "3600"}});
  f.settle();
  const ItemKey running = f.dispatched();
  f.settle();
  f.set({.deadline = 50s});
  f.settle();
  f.clock.advance(50s);
  f.settle();
  CHECK(f.state(waiting) == "failed deadline_passed");
  CHECK(f.state(running) == "failed deadline_passed");
}

TEST_CASE("a deadline that was set while a run was under way counts when somebody takes its item") {
  SettingsFixture f({});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.set({.deadline = 50s});
  f.settle();
  REQUIRE(f.engine.take_over(f.mia, bug, {.agent = "agent-alpha", .hold = 30min}));
  f.clock.advance(21s);
  f.settle();
  REQUIRE(f.state(bug) == "waiting item_held");
  f.clock.advance(29s);
  f.settle();
  CHECK(f.state(bug) == "failed deadline_passed");
}

TEST_CASE("a run does not fail at a deadline that was taken back, and is not tried before its time for it") {
  SettingsFixture f({.deadline = 40s});
  const ItemKey retried = f.dispatched();
  f.settle();
  f.model.answer_status(429, {{"Retry-After", "600"}});
  f.settle();
  f.set({});
  f.settle();
  f.clock.advance(40s);
  f.settle();
  CHECK(f.state(retried) == "waiting rate_limited");
  CHECK(f.model.requests.size() == 1);
  f.clock.advance(560s);
  f.settle();
  CHECK(f.state(retried) == "running none");
}

TEST_CASE("work is done although a parked run ends some day") {
  SettingsFixture f({.turns_max = 1, .deadline = 24h});
  const ItemKey bug = f.dispatched();
  f.settle();
  f.turn();
  REQUIRE(f.state(bug) == "waiting budget_exhausted");
  REQUIRE(f.dispatcher->run_until_idle());
  CHECK(f.state(bug) == "waiting budget_exhausted");
}

// -- reading them -----------------------------------------------------------------------------------------------------

TEST_CASE("a dispatcher reads settings again only when they have changed") {
  SettingsFixture f({});
  static_cast<void>(f.dispatched());
  f.settle();
  const auto calls_of_a_turn = [&] {
    const auto before = f.storage.calls();
    f.turn();
    return f.storage.calls() - before;
  };
  const auto usual = calls_of_a_turn();
  CHECK(calls_of_a_turn() == usual);
  f.set({.turns_max = 50});
  CHECK(calls_of_a_turn() > usual);
  CHECK(calls_of_a_turn() == usual);
}

TEST_CASE("settings that cannot be read put the runs of their stage aside and stop no others") {
  SettingsFixture f({});
  const ItemKey running = f.dispatched();
  f.settle();
  const ItemKey queued = f.dispatched();
  const ItemKey other = f.dispatched();
  REQUIRE(f.engine.set_fields(f.mia, other, {{"severity", "low"}, {"component", "ui"}}));
  REQUIRE(f.engine.progress(f.mia, other, {.gate = "triage_to_plan", .accept_text = true}));
  ChangeSet damage;
  damage.id = "com_damage";
  damage.puts.push_back({{"stage_settings", "TRIAGE/triage"}, "{", {}});
  damage.puts.push_back(engine::touch_settings());
  REQUIRE(f.storage.commit(std::span(&damage, 1)).front());
  f.settle();
  CHECK(f.state(queued) == "waiting stage_disabled");
  CHECK(f.run(queued).detail == "the settings of the stage cannot be read");
  CHECK(f.state(other) == "waiting no_provider");
  f.turn();
  CHECK(f.state(running) == "waiting stage_disabled");
}

TEST_CASE("a run of a stage that the newest version lacks is dispatched as before") {
  DispatchFixture f;
  const ItemKey bug = f.dispatched();
  Workflow next = tests::triage_workflow();
  for (Stage& stage : next.stages) {
    if (stage.key == "triage") stage.key = "rating";
  }
  for (Status& status : next.statuses) {
    if (status.stage == "triage") status.stage = "rating";
  }
  for (StageGate& gate : next.gates) {
    if (gate.from_stage == "triage") gate.from_stage = "rating";
  }
  REQUIRE(f.engine.save(f.host, next));
  f.settle();
  CHECK(f.run(bug).reason == RunReason::no_provider);
}
