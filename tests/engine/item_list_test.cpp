#include <doctest/doctest.h>

#include <set>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct ListFixture : EngineFixture {
  std::vector<std::string> titles(const ItemFilter& filter) {
    std::vector<std::string> out;
    for (const WorkItem& item : engine.list(host, filter).value().items) out.push_back(item.title);
    return out;
  }
};

using Titles = std::vector<std::string>;

}  // namespace

TEST_CASE("a list is narrowed by every member of its filter") {
  ListFixture f;
  const auto project =
      f.engine.create(f.host, {.workflow = "TRIAGE", .title = "project", .kind = WorkKind::project}).value();
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE",
                                   .title = "task",
                                   .priority = Priority::critical,
                                   .execution_target = ExecutionTarget::human,
                                   .parent = project.key,
                                   .owner = "mia",
                                   .assignee = "noa",
                                   .categories = {"ui"},
                                   .schedule = Schedule::on(std::chrono::sys_days(2026y / 1 / 2))}));
  const auto other = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "other"}).value();
  CHECK(f.titles({.kind = WorkKind::project}) == Titles{"project"});
  CHECK(f.titles({.priority = Priority::critical}) == Titles{"task"});
  CHECK(f.titles({.execution_target = ExecutionTarget::human}) == Titles{"task"});
  CHECK(f.titles({.parent = project.key}) == Titles{"task"});
  CHECK(f.titles({.owner = "mia"}) == Titles{"task"});
  CHECK(f.titles({.assignee = "noa"}) == Titles{"task"});
  CHECK(f.titles({.schedule = ScheduleGranularity::date}) == Titles{"task"});
  CHECK(f.titles({.category = "ui"}) == Titles{"task"});
  REQUIRE(f.engine.claim(f.alpha, other.key));
  CHECK(f.titles({.holder = "agent-alpha"}) == Titles{"other"});
  CHECK(f.titles({.holder = "none"}) == Titles{"project", "task"});
  CHECK(f.titles({.status = "new", .kind = WorkKind::task}) == Titles{"task"});
  CHECK(f.titles({.workflow = "NOPE"}).empty());
  f.clock.advance(1h);
  REQUIRE(f.engine.transition(f.mia, other.key, "rejected"));
  CHECK(f.titles({.resolved_after = f.clock.now() - 1min}) == Titles{"other"});
  CHECK(f.titles({.resolved_after = f.clock.now()}).empty());
  CHECK(f.engine.children(f.host, project.key)->front().title == "task");
}

TEST_CASE("a search finds words in title and description, in any case, and pages through what it skips") {
  ListFixture f;
  for (int i = 0; i < 30; ++i) f.bug("noise " + std::to_string(i));
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "Crash", .description = "in the PARSER, on Ümlaut"}));
  for (int i = 0; i < 30; ++i) f.bug("noise " + std::to_string(i));
  CHECK(f.titles({.limit_count = 10, .search = "parser crash"}) == Titles{"Crash"});
  CHECK(f.titles({.search = "Ümlaut"}) == Titles{"Crash"});
  CHECK(f.titles({.search = "parser boom"}).empty());
  CHECK(f.queue.available(f.host, {.search = "crash"})->items.size() == 1);
  CHECK(f.queue.claim_next(f.alpha, {.search = "crash"}).value()->item().title == "Crash");
}

TEST_CASE("an item that matches throughout a paged listing appears exactly once, whatever others do") {
  ListFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 50; ++i) keys.push_back(f.bug());
  std::multiset<std::string> seen;
  ItemFilter filter{.limit_count = 7};
  std::size_t turn = 0;
  do {
    const auto page = f.engine.list(f.host, filter).value();
    for (const WorkItem& item : page.items) seen.insert(item.key.str());
    filter.after = page.next;
    f.bug("late");
    REQUIRE(f.engine.update(f.mia, keys[turn], {.priority = Priority::critical}));
    REQUIRE(f.engine.claim(f.alpha, keys[49 - turn]));
    ++turn;
  } while (!filter.after.empty());
  for (const ItemKey& key : keys) CHECK(seen.count(key.str()) == 1);
}

TEST_CASE("pages of what is available have the size asked for, and those past their deadline come first") {
  ListFixture f;
  std::vector<ItemKey> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(f.bug());
  for (std::size_t i = 0; i < 5; ++i) REQUIRE(f.engine.claim(f.alpha, keys[10 + i], {.hold = 1min}));
  f.clock.advance(2min);
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = f.queue.available(f.host, {}, 3, after).value();
    CHECK(page.items.size() <= 3);
    for (const WorkItem& item : page.items) seen.push_back(item.key.str());
    after = page.next;
  } while (!after.empty());
  REQUIRE(seen.size() == 20);
  CHECK(seen[0] == keys[10].str());
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 20);
}

TEST_CASE("many items are claimed in one durable write, most urgent first") {
  ListFixture f;
  for (int i = 0; i < 10; ++i) f.bug("low", Priority::low);
  for (int i = 0; i < 10; ++i) f.bug("high", Priority::high);
  f.storage.heal();  // counts from here
  std::size_t commits = 0;
  f.storage.before_commit([&] { ++commits; });
  auto sessions = f.queue.claim_next(f.alpha, 15, {}).value();
  CHECK(commits == 1);
  REQUIRE(sessions.size() == 15);
  CHECK(std::count_if(sessions.begin(), sessions.end(), [](const auto& s) { return s.item().title == "high"; }) == 10);
  const auto rest = f.queue.claim_next(f.beta, 15, {}).value();
  CHECK(rest.size() == 5);
  CHECK(f.queue.claim_next(f.beta, 15, {})->empty());
  CHECK(f.queue.claim_next(f.beta, 0, {}).error().code() == errc::invalid_argument);
  CHECK(f.queue.claim_next(f.mia, 1, {}).error().code() == errc::agent_id_required);
}

TEST_CASE("the queue is narrowed by priority") {
  ListFixture f;
  f.bug("low", Priority::low);
  f.bug("high", Priority::high);
  CHECK(f.queue.available(f.host, {.priority = Priority::low})->items.front().title == "low");
  CHECK(f.queue.claim_next(f.alpha, {.priority = Priority::low}).value()->item().title == "low");
}
