#include <doctest/doctest.h>

#include "engine/core.hpp"
#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct GateFixture : EngineFixture {
  // A bug whose triage mia has vouched for.
  ItemKey planned() {
    const ItemKey key = bug();
    REQUIRE(engine.transition(mia, key, "triaging"));
    REQUIRE(engine.set_fields(mia, key, {{"severity", "high"}, {"component", "parser"}}));
    REQUIRE(engine.progress(mia, key, {.gate = "triage_to_plan", .accept_text = true}));
    return key;
  }
  ItemKey reviewed() {
    const ItemKey key = planned();
    REQUIRE(engine.set_fields(mia, key, {{"effort", 3}, {"due", Date(2026y / 12 / 1)}}));
    REQUIRE(engine.progress(mia, key, {.gate = "plan_to_review", .checked = {"Root cause named", "Test proposed"}}));
    return key;
  }
  WorkItem read(const ItemKey& key) { return engine.get(host, key).value(); }
};

}  // namespace

TEST_CASE("progressing a gate remembers what it was acknowledged for") {
  GateFixture f;
  const ItemKey key = f.planned();
  const WorkItem item = f.read(key);
  REQUIRE(item.gates.size() == 1);
  CHECK(item.gates[0].gate == "triage_to_plan");
  CHECK(item.gates[0].by == "mia");
  CHECK(item.gates[0].covered == std::vector<std::string>{"component", "severity"});
  CHECK(item.gates[0].digest.size() == 64);
  CHECK_FALSE(item.gates[0].stale());
}

TEST_CASE("a field set later makes no gate stale, one that was covered does, and says by whom") {
  GateFixture f;
  const ItemKey key = f.planned();
  REQUIRE(f.engine.set_fields(f.noa, key, {{"effort", 2}}));
  CHECK_FALSE(f.read(key).gates[0].stale());
  REQUIRE(f.engine.set_fields(f.noa, key, {{"severity", "low"}}));
  CHECK(f.read(key).gates[0].changed == std::vector<std::string>{"severity"});
  CHECK(f.read(key).gates[0].changed_by == "noa");
  REQUIRE(f.engine.update(f.mia, key, {.title = "crash on any input"}));
  CHECK(f.read(key).gates[0].changed == std::vector<std::string>{"severity", "title"});
  REQUIRE(f.engine.update(f.mia, key, {.priority = Priority::low}));
  CHECK(f.read(key).gates[0].changed.size() == 2);
}

TEST_CASE(
    "an attachment that a gate was acknowledged with makes it stale when it goes, one that comes later does not") {
  GateFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(f.engine.attach(f.mia, key, {.name = "log.txt", .uri = "file:log"}));
  REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
  REQUIRE(f.engine.progress(f.mia, key, {.gate = "triage_to_plan", .accept_text = true}));
  CHECK(f.read(key).gates[0].covered == std::vector<std::string>{"component", "severity", "attachment/1"});
  REQUIRE(f.engine.attach(f.noa, key, {.name = "more.txt", .uri = "file:more"}));
  REQUIRE(f.engine.detach(f.noa, key, 2));
  CHECK_FALSE(f.read(key).gates[0].stale());
  REQUIRE(f.engine.detach(f.noa, key, 1));
  CHECK(f.read(key).gates[0].changed == std::vector<std::string>{"attachment/1"});
  CHECK(f.read(key).gates[0].changed_by == "noa");
}

TEST_CASE("no door leads to completion through a stale gate until it is acknowledged again") {
  GateFixture f;
  const ItemKey key = f.reviewed();
  REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "critical"}}));
  const auto refused = f.engine.progress(f.noa, key, {.gate = "review_to_done"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::gate_stale);
  CHECK(refused.error().missing() == std::vector<std::string>{"triage_to_plan", "plan_to_review"});
  CHECK(refused.error().problems().front().text == "severity was changed by mia");
  CHECK(f.engine.done(f.noa, key).error().code() == errc::gate_stale);
  CHECK(f.engine.complete(f.noa, key, {.to_status = "done"}).error().code() == errc::gate_required);
  const auto context = f.engine.agent_context(f.noa, key).value();
  REQUIRE(context.blocked_exits.size() == 1);
  CHECK(context.blocked_exits[0].reasons.front().code() == errc::gate_stale);

  CHECK(f.engine.reacknowledge(f.noa, key, {}).error().code() == errc::requirements_not_acknowledged);
  CHECK(f.engine.reacknowledge(f.noa, key, {.gate = "triage_to_plan", .accept_text = true}));
  CHECK(f.engine.progress(f.noa, key, {.gate = "review_to_done"}).error().code() == errc::gate_stale);
  CHECK(f.engine.reacknowledge(f.noa, key, {.checked = {"Root cause named", "Test proposed"}}));
  CHECK(f.engine.progress(f.noa, key, {.gate = "review_to_done"}));
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("a gate that was not passed cannot be acknowledged again, and nothing stale is no error") {
  GateFixture f;
  const ItemKey key = f.planned();
  CHECK(f.engine.reacknowledge(f.mia, key, {.gate = "plan_to_review"}).error().code() == errc::gate_not_available);
  const auto version = f.read(key).version;
  CHECK(f.engine.reacknowledge(f.mia, key, {})->version == version);
}

TEST_CASE("what was acknowledged survives in storage and for another engine") {
  GateFixture f;
  const ItemKey key = f.planned();
  REQUIRE(f.engine.set_fields(f.noa, key, {{"severity", "low"}}));
  WorkflowEngine other{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  const auto item = other.get(f.host, key).value();
  REQUIRE(item.gates.size() == 1);
  CHECK(item.gates[0].stale());
  CHECK(item.gates[0].digest == f.read(key).gates[0].digest);
}

TEST_CASE("done goes through gates that ask for nothing, or names what is in the way") {
  const auto workflow = WorkflowBuilder("EASY")
                            .stage({.key = "work"})
                            .stage({.key = "check"})
                            .stage({.key = "bots", .agent_required = true})
                            .stage({.key = "closed"})
                            .status({.key = "open", .stage = "work"})
                            .status({.key = "doing", .stage = "work", .in_progress = true})
                            .status({.key = "checking", .stage = "check"})
                            .status({.key = "botting", .stage = "bots"})
                            .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
                            .status({.key = "dropped", .stage = "closed", .resolution = Resolution::cancelled})
                            .transition("open", "doing")
                            .transition("open", "dropped")
                            .transition("doing", "checking")
                            .transition("checking", "done")
                            .transition("checking", "botting")
                            .transition("botting", "done")
                            .field({.key = "result"})
                            .gate({.key = "to_check",
                                   .from_stage = "work",
                                   .to_stage = "check",
                                   .to_status = "checking",
                                   .required_fields = {"result"}})
                            .build()
                            .value();
  GateFixture f;
  REQUIRE(f.engine.save(f.host, workflow));
  const ItemKey key = f.engine.create(f.host, {.workflow = "EASY", .title = "t"})->key;
  const auto version = f.read(key).version;
  const auto refused = f.engine.done(f.mia, key);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::required_fields_missing);
  CHECK(refused.error().context("gate") == "to_check");
  CHECK(f.read(key).version == version);
  REQUIRE(f.engine.set_fields(f.mia, key, {{"result", "fine"}}));
  const auto done = f.engine.done(f.mia, key);
  REQUIRE(done);
  CHECK(done->status == "done");
  CHECK(done->gates.size() == 1);
  CHECK(f.audit_types(key) == std::vector<std::string>{"work_item.created", "work_item.custom_fields_updated",
                                                       "work_item.status_changed", "work_item.stage_gate_progressed",
                                                       "work_item.status_changed", "work_item.status_changed"});
  CHECK(f.engine.done(f.mia, key).error().code() == errc::already_resolved);
}

TEST_CASE("done stops before a stage that agents must do, and changes nothing") {
  GateFixture f;
  const ItemKey key = f.bug();
  const auto refused = f.engine.done(f.mia, key);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::agent_stage_in_the_way);
  CHECK(refused.error().context("stage") == "triage");
  CHECK(f.read(key).status == "new");
}

TEST_CASE("of a checklist only what the gate asks for is kept, whatever else is sent along") {
  GateFixture f;
  const ItemKey key = f.planned();
  REQUIRE(f.engine.set_fields(f.mia, key, {{"effort", 3}, {"due", Date(2026y / 12 / 1)}}));
  REQUIRE(f.engine.progress(
      f.mia, key, {.gate = "plan_to_review", .checked = {"\xff", "Test proposed", "Root cause named", "more"}}));
  WorkflowEngine other{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  CHECK(other.get(f.host, key)->gates.back().checked == std::vector<std::string>{"Root cause named", "Test proposed"});
}

TEST_CASE("many items with one that waits for them all are resolved at once") {
  GateFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 40; ++i) {
    keys.push_back(f.bug());
    REQUIRE(f.engine.transition(f.mia, keys.back(), "triaging"));
  }
  const ItemKey last = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "release", .depends_on = keys})->key;
  std::vector<engine::Change> changes;
  for (const ItemKey& key : keys) {
    changes.push_back({.key = key, .actor = f.mia, .decide = [&](const engine::LoadedItem& item, Time now) {
                         return decide(item.snapshot(), ChangeStatus{"rejected"}, f.mia, now);
                       }});
  }
  for (const auto& outcome : f.engine.core().door.apply(changes)) CHECK(outcome);
  CHECK(f.read(last).blocked_by.empty());
  CHECK(f.engine.verify(f.host, last));
}
