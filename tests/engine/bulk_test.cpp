#include <doctest/doctest.h>

#include <set>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using tests::EngineFixture;

namespace {

struct CountsCommits {
  explicit CountsCommits(EngineFixture& f) {
    f.storage.before_commit([this] { ++count; });
  }
  int count = 0;
};

std::vector<NewItem> bugs(std::size_t count) {
  std::vector<NewItem> out(count, NewItem{.workflow = "TRIAGE", .title = "crash"});
  for (std::size_t i = 0; i < count; ++i) out[i].description = std::to_string(i);
  return out;
}

std::vector<std::string> pointers(const Error& error) {
  std::vector<std::string> out;
  for (const Problem& problem : error.problems()) out.push_back(problem.pointer);
  return out;
}

}  // namespace

TEST_CASE("ten thousand items are created in one durable write") {
  EngineFixture f;
  static_cast<void>(f.bug());  // so that a block of numbers is leased
  CountsCommits commits(f);
  const auto made = f.engine.create_all(f.host, bugs(10'000));
  REQUIRE(made);
  REQUIRE(made->size() == 10'000);
  CHECK(commits.count < 10);  // one for the items, the rest for blocks of numbers
  std::set<std::string> keys;
  for (std::size_t i = 0; i < made->size(); ++i) {
    keys.insert((*made)[i]->key.str());
    REQUIRE((*made)[i]->description == std::to_string(i));
  }
  CHECK(keys.size() == 10'000);
  const WorkItem& last = *made->back();
  CHECK(f.engine.get(f.host, last.key)->version == last.version);
  CHECK(f.engine.verify(f.host, last.key));
  CHECK(f.engine.comment(f.mia, last.key, "goes on"));
}

TEST_CASE("a call takes ten thousand elements and no more") {
  EngineFixture f;
  const auto refused = f.engine.create_all(f.host, bugs(10'001));
  CHECK(refused.error().code() == errc::invalid_argument);
  CHECK(refused.error().context("count") == "10001");
  CHECK(f.engine.create_all(f.host, {})->empty());
}

TEST_CASE("one element that is refused takes the others down, and every refused one is named") {
  EngineFixture f;
  auto items = bugs(5);
  items[1].title = "";
  items[3].workflow = "NOWHERE";
  items[4].fields = {{"colour", "red"}};
  const auto refused = f.engine.create_all(f.host, items);
  REQUIRE(refused.error().code() == errc::bulk_refused);
  CHECK(pointers(refused.error()) == std::vector<std::string>{"/1", "/1/title", "/3", "/4", "/4/fields/colour"});
  REQUIRE(refused.error().cause() != nullptr);
  CHECK(refused.error().cause()->code() == errc::invalid_argument);
  CHECK(f.engine.list(f.host, {})->items.empty());
}

TEST_CASE("a partial call does the rest, and says of each refused element why") {
  EngineFixture f;
  auto items = bugs(3);
  items[1].title = "";
  CountsCommits commits(f);
  const auto made = f.engine.create_all(f.host, items, {.partial = true});
  REQUIRE(made);
  CHECK((*made)[0]);
  CHECK((*made)[1].error().code() == errc::invalid_argument);
  CHECK((*made)[2]);
  CHECK(f.engine.list(f.host, {})->items.size() == 2);
  CHECK(commits.count == 2);  // the block of numbers, the items
}

TEST_CASE("a dry run judges and changes nothing") {
  EngineFixture f;
  auto items = bugs(2);
  REQUIRE(f.engine.create_all(f.host, items, {.dry_run = true}));
  CHECK(f.engine.list(f.host, {})->items.empty());
  items[1].title = "";
  CHECK(f.engine.create_all(f.host, items, {.dry_run = true}).error().code() == errc::bulk_refused);
}

TEST_CASE("an import with keys can be repeated, in parts or whole") {
  EngineFixture f;
  auto items = bugs(4);
  for (std::size_t i = 0; i < items.size(); ++i) items[i].idempotency_key = "import-" + std::to_string(i);
  REQUIRE(f.engine.create_all(f.host, std::span(items).first(2)));
  const auto all = f.engine.create_all(f.host, items);
  REQUIRE(all);
  CHECK(f.engine.list(f.host, {})->items.size() == 4);
  items[0].title = "another crash";
  CHECK(f.engine.create_all(f.host, items).error().cause()->code() == errc::idempotency_conflict);
}

TEST_CASE("the same key twice in one call is one item") {
  EngineFixture f;
  auto items = bugs(1);
  items[0].idempotency_key = "once";
  items.push_back(items[0]);
  const auto made = f.engine.create_all(f.host, items);
  REQUIRE(made);
  CHECK((*made)[0]->key == (*made)[1]->key);
  CHECK(f.engine.list(f.host, {})->items.size() == 1);
}

TEST_CASE("a hundred items progress in one durable write, each with its entries and its run") {
  EngineFixture f;
  std::vector<ItemCommand> commands;
  for (int i = 0; i < 100; ++i) {
    const ItemKey key = f.bug();
    REQUIRE(f.engine.transition(f.mia, key, "triaging"));
    REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
    commands.push_back({key, Progress{.gate = "triage_to_plan", .accept_text = true}});
  }
  CountsCommits commits(f);
  const auto done = f.engine.execute_all(f.mia, commands);
  REQUIRE(done);
  CHECK(commits.count == 1);
  for (const auto& item : *done) {
    REQUIRE(item->status == "planning");
    REQUIRE(f.engine.get(f.host, item->key)->version == item->version);
    REQUIRE(f.engine.runs(f.host, item->key)->front().stage == "plan");
    REQUIRE(f.engine.verify(f.host, item->key));
  }
}

TEST_CASE("an element sees what those before it did to the same item") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const std::vector<ItemCommand> commands{{key, ChangeStatus{"triaging"}},
                                          {key, SetFields{{{"severity", "low"}, {"component", "parser"}}}},
                                          {key, Progress{.gate = "triage_to_plan", .accept_text = true}},
                                          {key, AddComment{"in one go"}}};
  const auto done = f.engine.execute_all(f.mia, commands);
  REQUIRE(done);
  CHECK(done->back()->status == "planning");
  const WorkItem stored = f.engine.get(f.host, key).value();
  CHECK(stored.status == "planning");
  CHECK(stored.comment_count == 1);
  CHECK(stored.version == done->back()->version);
  CHECK(f.engine.verify(f.host, key));
  CHECK(f.engine.runs(f.host, key)->size() == 2);
  CHECK(f.engine.claim(f.alpha, key));
}

TEST_CASE("a command that is refused undoes those before it, its own item's too") {
  EngineFixture f;
  const ItemKey first = f.bug(), second = f.bug();
  const std::vector<ItemCommand> commands{
      {first, ChangeStatus{"triaging"}}, {second, Complete{"rejected"}}, {first, ChangeStatus{"nowhere"}}};
  const auto refused = f.engine.execute_all(f.mia, commands);
  REQUIRE(refused.error().code() == errc::bulk_refused);
  CHECK(pointers(refused.error()) == std::vector<std::string>{"/1", "/2"});
  CHECK(f.engine.get(f.host, first)->status == "new");
  CHECK(f.audit_types(first).size() == 1);
  CHECK(f.engine.runs(f.host, first)->empty());
}

TEST_CASE("claims of one agent in one call are holds like any other") {
  EngineFixture f;
  std::vector<ItemCommand> commands;
  for (int i = 0; i < 3; ++i) commands.push_back({f.bug(), Claim{}});
  REQUIRE(f.engine.claim(f.beta, commands[1].key));
  const auto claimed = f.engine.execute_all(f.alpha, commands, {.partial = true});
  REQUIRE(claimed);
  CHECK((*claimed)[0]->hold->agent == "agent-alpha");
  CHECK((*claimed)[1].error().code() == errc::already_claimed);
  CHECK((*claimed)[1].error().context("holder") == "agent-beta");
  CHECK(f.queue.mine(f.alpha)->size() == 2);
  CHECK(f.engine.heartbeat(f.alpha, commands[0].key, {}, {.fence = (*claimed)[0]->hold->epoch}));
}

TEST_CASE("release and claim of one item in one call give it a new epoch") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto epoch = f.engine.claim(f.alpha, key)->hold->epoch;
  const std::vector<ItemCommand> commands{
      {key, Release{}}, {key, Claim{}}, {key, Heartbeat{}}, {key, Release{}}, {key, Claim{}}};
  const auto done = f.engine.execute_all(f.alpha, commands);
  REQUIRE(done);
  CHECK(done->back()->hold->epoch == epoch + 2);
  CHECK(f.engine.heartbeat(f.alpha, key));
  CHECK(std::move(*f.queue.claim(f.alpha, key)).release());
}

TEST_CASE("what each element depends on is kept in one list") {
  EngineFixture f;
  const ItemKey blocker = f.bug();
  auto items = bugs(20);
  for (NewItem& item : items) item.depends_on = {blocker};
  const auto made = f.engine.create_all(f.host, items);
  REQUIRE(made);
  for (const auto& item : *made) REQUIRE(f.engine.get(f.host, item->key)->blocked_by.size() == 1);
  REQUIRE(f.engine.transition(f.mia, blocker, "triaging"));
  REQUIRE(f.engine.complete(f.mia, blocker, {"rejected"}));
  for (const auto& item : *made) REQUIRE(f.engine.get(f.host, item->key)->blocked_by.empty());
}

TEST_CASE("two in one call cannot close a circle of dependencies") {
  EngineFixture f;
  const ItemKey a = f.bug(), b = f.bug();
  const std::vector<ItemCommand> commands{{a, AddDependency{b}}, {b, AddDependency{a}}};
  const auto refused = f.engine.execute_all(f.mia, commands);
  REQUIRE(refused.error().code() == errc::bulk_refused);
  CHECK(refused.error().cause()->code() == errc::dependency_cycle);
}

TEST_CASE("a change in between is noticed, and everything is judged again") {
  EngineFixture f;
  const ItemKey first = f.bug(), second = f.bug();
  WorkflowEngine other({.storage = f.memory, .clock = f.clock, .random = f.random});
  bool meddled = false;
  f.storage.before_commit([&] {
    if (!std::exchange(meddled, true)) REQUIRE(other.transition(f.noa, second, "triaging"));
  });
  const std::vector<ItemCommand> commands{{first, AddComment{"one"}}, {second, ChangeStatus{"triaging"}}};
  const auto refused = f.engine.execute_all(f.mia, commands);
  REQUIRE(meddled);
  CHECK(refused.error().code() == errc::bulk_refused);
  CHECK(f.engine.comments(f.host, first)->empty());
}

TEST_CASE("a listener is told of every item of a bulk, once") {
  EngineFixture f;
  std::vector<std::string> told;
  const auto subscription =
      f.engine.subscribe({}, inline_executor(), [&](const Event& event) { told.push_back(event.item.str()); });
  const auto made = f.engine.create_all(f.host, bugs(50));
  REQUIRE(made);
  std::vector<std::string> keys;
  for (const auto& item : *made) keys.push_back(item->key.str());
  CHECK(told == keys);
}

TEST_CASE("an answer under a key is remembered for each element") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const std::vector<ItemCommand> commands{{key, AddComment{"a"}, {.idempotency_key = "1"}},
                                          {key, AddComment{"b"}, {.idempotency_key = "2"}}};
  REQUIRE(f.engine.execute_all(f.mia, commands));
  const auto again = f.engine.execute_all(f.mia, commands);
  REQUIRE(again);
  CHECK(again->front()->comment_count == 1);
  CHECK(again->back()->comment_count == 2);
  CHECK(f.engine.comments(f.host, key)->size() == 2);
}
