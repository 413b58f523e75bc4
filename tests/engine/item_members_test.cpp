#include <doctest/doctest.h>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

TEST_CASE("sub-tasks are numbered below their task, in the task's domain") {
  EngineFixture f;
  const auto project = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "p", .kind = WorkKind::project}).value();
  const auto task = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "t", .parent = project.key}).value();
  CHECK(task.parent == project.key);
  for (const char* expected : {".1", ".2"}) {
    const auto sub =
        f.engine.create(f.host, {.workflow = "TRIAGE", .title = "s", .kind = WorkKind::sub_task, .parent = task.key});
    REQUIRE(sub);
    CHECK(sub->key.str() == task.key.str() + expected);
    CHECK(sub->domain == task.domain);
    CHECK(f.engine.get(f.host, sub->key)->kind == WorkKind::sub_task);
  }
}

TEST_CASE("a parent of the wrong kind, of another domain or of no item is refused with its place") {
  EngineFixture f;
  const auto project = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "p", .kind = WorkKind::project}).value();
  const auto task = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "t"}).value();
  const auto refused = [&](NewItem item) {
    item.workflow = "TRIAGE";
    item.title = "x";
    const auto created = f.engine.create(f.host, item);
    REQUIRE_FALSE(created);
    CHECK(created.error().code() == errc::invalid_argument);
    return created.error().problems().front().pointer;
  };
  CHECK(refused({.kind = WorkKind::sub_task}) == "/parentKey");
  CHECK(refused({.kind = WorkKind::sub_task, .parent = project.key}) == "/parentKey");
  CHECK(refused({.kind = WorkKind::project, .parent = project.key}) == "/parentKey");
  CHECK(refused({.parent = task.key}) == "/parentKey");
  CHECK(refused({.parent = "BUG-999"}) == "/parentKey");
  CHECK(refused({.domain = "OPS", .parent = project.key}) == "/domain");
}

TEST_CASE("an update changes what it names, says so in the trail, and leaves the rest") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto day = std::chrono::sys_days(2026y / 12 / 1);
  const auto updated = f.engine.update(f.mia, key,
                                       {.description = "long story",
                                        .priority = Priority::critical,
                                        .owner = "noa",
                                        .assignee = "mia",
                                        .categories = std::vector<std::string>{"ui", "crash", "ui"},
                                        .schedule = Schedule::on(day),
                                        .objective_state = "waiting for the vendor"});
  REQUIRE(updated);
  const auto item = f.engine.get(f.host, key).value();
  CHECK(item.title == "crash on empty input");
  CHECK(item.description == "long story");
  CHECK(item.priority == Priority::critical);
  CHECK(item.owner == "noa");
  CHECK(item.categories == std::vector<std::string>{"crash", "ui"});
  CHECK(item.schedule == Schedule::on(day));
  CHECK(item.objective_state == "waiting for the vendor");
  const auto entry = f.engine.audit(f.host, key)->back();
  CHECK(entry.type == "work_item.updated");
  CHECK(entry.changes.size() == 7);
  CHECK(entry.changes[1].what == "priority");
  CHECK(entry.changes[1].before == "medium");
  const auto version = item.version;
  CHECK(f.engine.update(f.mia, key, {.owner = "noa"})->version == version);
  CHECK(f.engine.update(f.mia, key, {.schedule = Schedule()})->schedule.granularity == ScheduleGranularity::none);
}

TEST_CASE("an update with anything out of bounds lists every mistake and changes nothing") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto refused = f.engine.update(f.mia, key,
                                       {.title = "",
                                        .owner = "a\nb",
                                        .schedule = Schedule::block(f.clock.now(), f.clock.now()),
                                        .objective_state = "\x01"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().problems().size() == 4);
  CHECK(f.engine.get(f.host, key)->version == 1);
}

TEST_CASE("attachments are references that are numbered once") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const Attachment file{.name = "core.txt", .media_type = "text/plain", .size_bytes = 12, .uri = "s3://bucket/core"};
  REQUIRE(f.engine.attach(f.mia, key, file));
  REQUIRE(f.engine.detach(f.mia, key, 1));
  const auto item = f.engine.attach(f.mia, key, file).value();
  REQUIRE(item.attachments.size() == 1);
  CHECK(item.attachments[0].number == 2);
  CHECK(item.attachments[0].added_by == "mia");
  CHECK(f.engine.detach(f.mia, key, 1).error().code() == errc::not_found);
  CHECK(f.engine.attach(f.mia, key, {.uri = "x"}).error().problems().front().pointer == "/name");
  WorkflowEngine other{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  CHECK(other.get(f.host, key)->attachments == item.attachments);
}

TEST_CASE("a person takes an item from its holder, who is told by whom it was lost") {
  EngineFixture f;
  const ItemKey key = f.bug();
  auto session = f.queue.claim(f.alpha, key).value();
  CHECK(f.engine.take_over(f.beta, key, {.agent = "agent-beta"}).error().code() == errc::not_permitted);
  const auto taken = f.engine.take_over(f.mia, key, {.agent = "agent-beta", .reason = "alpha is on fire"});
  REQUIRE(taken);
  CHECK(taken->hold->agent == AgentId("agent-beta"));
  const auto lost = session.comment("late");
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code() == errc::hold_lost);
  CHECK(lost.error().context("holder") == "agent-beta");
  CHECK(f.engine.comment(f.beta, key, "on it"));
  const auto entry = f.engine.audit(f.host, key).value();
  const auto found =
      std::find_if(entry.begin(), entry.end(), [](const auto& e) { return e.type == "agent.taken_over"; });
  REQUIRE(found != entry.end());
  CHECK(found->note == "alpha is on fire");
  CHECK_FALSE(f.engine.take_over(f.mia, key, {})->hold);
}
