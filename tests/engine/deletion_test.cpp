// Deleting an item: what keeps it, what goes with it, what stays.
#include <doctest/doctest.h>

#include <utility>

#include "engine/engine_fixture.hpp"
#include "engine/started_run.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct DeletionFixture : EngineFixture {
  std::size_t count(const char* kind) {
    return memory.count({.index = Index::key, .prefix = {std::string(kind)}}).value();
  }
  ItemKey below(const ItemKey& task) {
    const NewItem part{.workflow = "TRIAGE", .title = "part", .kind = WorkKind::sub_task, .parent = task};
    return engine.create(host, part).value().key;
  }
};

}  // namespace

TEST_CASE("a deleted item is gone with all it had, but for its audit trail") {
  DeletionFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.comment(f.mia, key, "seen"));
  REQUIRE(f.engine.delete_item(f.mia, f.below(key)));  // leaves the record of what was below
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
  REQUIRE(f.engine.progress(f.mia, key, {.gate = "triage_to_plan", .accept_text = true}));
  CHECK(f.count("gates") == 1);
  CHECK(f.count("below") == 1);
  REQUIRE(tests::start_run(f.engine, key, "openindex-dispatcher", 30min));
  const auto deleted = f.engine.delete_item(f.mia, key, {.reason = "spam"});
  REQUIRE(deleted);
  CHECK(deleted->title == "crash on empty input");
  CHECK(f.engine.get(f.host, key).error().code() == errc::not_found);
  CHECK(f.engine.delete_item(f.mia, key).error().code() == errc::not_found);
  CHECK(f.engine.list(f.host, {})->items.empty());
  CHECK(f.queue.available(f.host)->items.empty());
  for (const char* kind : {"item", "content", "hold", "gates", "dependents", "below", "run", "step", "comment"}) {
    CAPTURE(kind);
    CHECK(f.count(kind) == 0);
  }
  const auto types = f.audit_types(key);
  REQUIRE(types.size() > 2);
  CHECK(types[types.size() - 2] == "work_item.deleted");
  CHECK(types.back() == "agent.run_cancelled");
  CHECK(f.engine.verify(f.host, key));
  CHECK(f.engine.export_receipt(f.host, key));
  CHECK(f.engine.verify_all(f.host));
  CHECK(f.bug() != key);
}

TEST_CASE(
    "an item is deleted when nothing stands below it and nothing depends on it, and the refusal names what does") {
  DeletionFixture f;
  const ItemKey task = f.bug(), part = f.below(task);
  const ItemKey waits = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "x", .depends_on = {task}})->key;
  const auto refused = f.engine.delete_item(f.mia, task);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::item_needed);
  CHECK(refused.error().missing() == std::vector<std::string>{part.str(), waits.str()});
  CHECK(f.engine.delete_item(f.mia, part));
  CHECK(f.engine.delete_item(f.mia, task).error().missing() == std::vector<std::string>{waits.str()});
  CHECK(f.engine.delete_item(f.mia, waits));
  CHECK(f.engine.delete_item(f.mia, task));
}

TEST_CASE("what a deleted item depended on can be deleted after it") {
  DeletionFixture f;
  const ItemKey first = f.bug();
  const ItemKey waits = f.engine.create(f.host, {.workflow = "TRIAGE", .title = "x", .depends_on = {first}})->key;
  CHECK(f.engine.delete_item(f.mia, first).error().code() == errc::item_needed);
  REQUIRE(f.engine.remove_dependency(f.mia, waits, first));
  CHECK(f.engine.delete_item(f.mia, first));
  CHECK(f.engine.get(f.host, waits)->blocked_by.empty());
}

TEST_CASE("a whole tree is deleted in one commit, from below, or not at all") {
  DeletionFixture f;
  const ItemKey task = f.bug(), one = f.below(task), two = f.below(task);
  const std::vector<ItemCommand> wrong_order{{task, DeleteItem{}, {}}, {one, DeleteItem{}, {}}};
  CHECK(f.engine.execute_all(f.mia, wrong_order).error().code() == errc::bulk_refused);
  CHECK(f.engine.get(f.host, one));
  int commits = 0;
  std::size_t left = 0;
  f.storage.before_commit([&] {
    if (++commits == 2) left = f.count("item");  // what follows the first only erases leftovers
  });
  const std::vector<ItemCommand> tree{
      {one, AddComment{"last words"}, {}}, {one, DeleteItem{}, {}}, {two, DeleteItem{}, {}}, {task, DeleteItem{}, {}}};
  const auto deleted = f.engine.execute_all(f.mia, tree);
  REQUIRE(deleted);
  CHECK(commits >= 2);
  CHECK(left == 0);
  for (const char* kind : {"item", "content", "dependents", "below", "comment"}) CHECK(f.count(kind) == 0);
  for (const ItemKey& key : {task, one, two}) CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("deleting is for people with the admin role and the host, and takes what is held") {
  DeletionFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::member));
  auto session = f.queue.claim(f.alpha, key).value();
  CHECK(f.engine.delete_item(f.noa, key).error().code() == errc::not_permitted);
  CHECK(f.engine.delete_item(f.alpha, key).error().code() == errc::not_permitted);
  CHECK(f.engine.delete_item(f.mia, key, {.reason = std::string(2001, 'x')}).error().code() == errc::invalid_argument);
  CHECK(f.engine.delete_item(f.mia, key));
  CHECK(session.comment("still here?").error().code() == errc::not_found);
}

TEST_CASE("a sub-task that is created while its task is being deleted keeps the task") {
  DeletionFixture f;
  const ItemKey task = f.bug();
  WorkflowEngine elsewhere({.storage = f.memory, .clock = f.clock, .random = f.random});
  bool created = false;
  f.storage.before_commit([&] {
    if (std::exchange(created, true)) return;
    const NewItem late{.workflow = "TRIAGE", .title = "late", .kind = WorkKind::sub_task, .parent = task};
    REQUIRE(elsewhere.create(f.host, late));
  });
  CHECK(f.engine.delete_item(f.mia, task).error().code() == errc::item_needed);
  CHECK(created);
  CHECK(f.engine.children(f.host, task)->size() == 1);
}

TEST_CASE("what needs an item is named to those who may see it") {
  DeletionFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  REQUIRE(f.engine.create_domain(f.host, {.key = "OPS", .name = "Ops", .owner = "noa"}));
  REQUIRE(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "x", .domain = "OPS", .depends_on = {key}}));
  CHECK(f.engine.delete_item(f.mia, key).error().code() == errc::item_needed);
  CHECK(f.engine.delete_item(f.mia, key).error().missing().empty());
  CHECK(f.engine.delete_item(f.host, key).error().missing().size() == 1);
}

TEST_CASE("a deletion under a key is answered again, and subscribers are told of it") {
  DeletionFixture f;
  const ItemKey key = f.bug();
  std::vector<Event> told;
  const auto subscription = f.engine.subscribe({.domain = "BUG", .workflow = "TRIAGE", .stage = "intake"},
                                               inline_executor(), [&](const Event& event) { told.push_back(event); });
  const CallOptions once{.idempotency_key = "once"};
  REQUIRE(f.engine.delete_item(f.mia, key, {}, once));
  CHECK(f.engine.delete_item(f.mia, key, {}, once)->key == key);
  REQUIRE(told.size() == 1);
  CHECK(told[0].item == key);
  CHECK(told[0].types == std::vector<std::string>{"work_item.deleted"});
  CHECK(told[0].actor == "mia");
}

TEST_CASE("after a failure at any storage call an item is there as before or gone, and the retry deletes it") {
  using Fault = testing::FaultyStorage::Fault;
  for (const Fault fault : {Fault::before, Fault::after}) {
    bool failed = true;
    for (std::uint64_t nth = 1; failed; ++nth) {
      DeletionFixture f;
      const ItemKey key = f.bug();
      REQUIRE(f.engine.comment(f.mia, key, "seen"));
      f.storage.fail_nth(nth, fault);
      const auto first = f.engine.delete_item(f.mia, key, {}, {.idempotency_key = "k"});
      failed = f.storage.failed();
      f.storage.heal();
      if (!first && fault == Fault::before) CHECK(f.engine.get(f.host, key));
      CHECK(f.engine.delete_item(f.mia, key, {}, {.idempotency_key = "k"}));
      CHECK(f.engine.get(f.host, key).error().code() == errc::not_found);
      CHECK(f.engine.verify(f.host, key));
    }
  }
}
