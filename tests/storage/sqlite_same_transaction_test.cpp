// A host's rows and our changes in one transaction: through the engine and the queue.
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <openindex/core/executor.hpp>

#include "storage/enlisted_host.hpp"

using namespace openindex;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;

struct Collected {
  std::vector<Event> events;
  EventListener listener() {
    return [this](const Event& event) { events.push_back(event); };
  }
};

}  // namespace

TEST_CASE("the host's row and an item land together") {
  EnlistedHost f;
  const auto transaction = f.order("tea");
  const auto created = f.engine.with(*transaction).create(f.host, f.bug());
  REQUIRE(created);
  CHECK(f.engine.with(*transaction).get(f.host, created->key)->title == "crash");
  CHECK(f.engine.get(f.host, created->key).error().code() == errc::not_found);
  CHECK(f.items() == 0);
  f.commit(*transaction);
  CHECK(f.orders() == Names{"tea"});
  CHECK(f.engine.get(f.host, created->key)->title == "crash");
  CHECK(f.engine.verify(f.host, created->key));
}

TEST_CASE("the host's row and an item are rolled back together") {
  EnlistedHost f;
  const auto transaction = f.order("tea");
  const auto created = f.engine.with(*transaction).create(f.host, f.bug());
  REQUIRE(created);
  f.roll_back();
  CHECK(f.orders().empty());
  CHECK(f.engine.get(f.host, created->key).error().code() == errc::not_found);
  CHECK(f.items() == 0);
}

TEST_CASE("a change inside is what the engine outside goes by after COMMIT, and not after ROLLBACK") {
  EnlistedHost f;
  const auto key = f.engine.create(f.host, f.bug()).value().key;
  REQUIRE(f.engine.comment(f.host, key, "seen"));
  {
    const auto transaction = f.order("tea");
    auto inside = f.engine.with(*transaction);
    REQUIRE(inside.claim(f.alpha, key));
    REQUIRE(inside.comment(f.alpha, key, "undone"));
    CHECK(inside.get(f.host, key)->status == "triaging");
    CHECK(f.engine.get(f.host, key)->status == "new");
    f.roll_back();
  }
  CHECK(f.engine.get(f.host, key)->status == "new");
  REQUIRE(f.engine.comment(f.host, key, "after the rollback"));
  {
    const auto transaction = f.order("milk");
    REQUIRE(f.engine.with(*transaction).claim(f.alpha, key));
    f.commit(*transaction);
  }
  CHECK(f.engine.claim(Actor::agent("agent-beta"), key).error().code() == errc::already_claimed);
  REQUIRE(f.engine.comment(f.host, key, "after the commit"));
  CHECK(f.engine.comments(f.host, key)->size() == 3);
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("what the rules refuse inside leaves the host's transaction as it was") {
  EnlistedHost f;
  const auto transaction = f.order("tea");
  auto inside = f.engine.with(*transaction);
  const auto key = inside.create(f.host, f.bug()).value().key;
  CHECK(inside.complete(f.host, key, {"done"}).error().code() == errc::status_transition_not_allowed);
  CHECK(inside.create(f.host, {.workflow = "NONE"}).error().code() == errc::not_found);
  f.commit(*transaction);
  CHECK(f.orders() == Names{"tea"});
  CHECK(f.items() == 1);
}

TEST_CASE("numbers that were given out in a transaction are not given out again after its rollback") {
  EnlistedHost f;
  std::set<std::string> keys;
  bool outside_first = false;
  SUBCASE("before the engine has any") {}
  SUBCASE("from those that the engine has") { outside_first = true; }
  if (outside_first) keys.insert(f.engine.create(f.host, f.bug())->key.str());
  const std::size_t before = keys.size();
  for (int round = 0; round < 2; ++round) {
    const auto transaction = f.order("tea");
    auto inside = f.engine.with(*transaction);
    for (int i = 0; i < 40; ++i) keys.insert(inside.create(f.host, f.bug())->key.str());
    f.roll_back();
  }
  for (int i = 0; i < 40; ++i) keys.insert(f.engine.create(f.host, f.bug())->key.str());
  CHECK(keys.size() == before + 120);
}

TEST_CASE("items of a committed transaction keep their numbers to themselves") {
  EnlistedHost f;
  std::set<std::string> keys;
  for (int round = 0; round < 3; ++round) {
    keys.insert(f.engine.create(f.host, f.bug())->key.str());
    const auto transaction = f.order("tea");
    auto inside = f.engine.with(*transaction);
    for (int i = 0; i < 40; ++i) keys.insert(inside.create(f.host, f.bug())->key.str());
    f.commit(*transaction);
  }
  WorkflowEngine another({.storage = *f.storage});
  keys.insert(another.create(f.host, f.bug())->key.str());
  CHECK(keys.size() == 124);
}

TEST_CASE("who takes numbers outside while a transaction is open is refused, and does not hold the transaction up") {
  EnlistedHost f;
  const auto transaction = f.order("tea");
  auto inside = f.engine.with(*transaction);
  REQUIRE(inside.create(f.host, f.bug()));
  auto outside = std::async(std::launch::async, [&] { return f.engine.create(f.host, f.bug()); });
  for (int i = 0; i < 50; ++i) REQUIRE(inside.create(f.host, f.bug()));
  const auto refused = outside.get();
  CHECK(refused.error().code() == errc::storage_busy);
  f.commit(*transaction);
  CHECK(f.engine.create(f.host, f.bug()));
  CHECK(f.items() == 52);
}

TEST_CASE("calls outside an open transaction get storage_busy, in the thread that has it as well") {
  EnlistedHost f;
  const auto key = f.engine.create(f.host, f.bug()).value().key;
  const auto transaction = f.order("tea");
  REQUIRE(f.engine.with(*transaction).comment(f.host, key, "inside"));
  CHECK(f.engine.comment(f.host, key, "outside").error().code() == errc::storage_busy);
  CHECK(f.queue.claim(f.alpha, key).error().code() == errc::storage_busy);
  CHECK(f.engine.comments(f.host, key)->empty());  // readers never wait
  f.commit(*transaction);
  CHECK(f.engine.comment(f.host, key, "outside"));
}

TEST_CASE("subscriptions are told of a transaction after committed, and never before") {
  EnlistedHost f;
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  const auto transaction = f.order("tea");
  auto inside = f.engine.with(*transaction);
  const auto key = inside.create(f.host, f.bug()).value().key;
  REQUIRE(inside.claim(f.alpha, key));
  CHECK(seen.events.empty());
  f.connection.execute("COMMIT");
  CHECK(seen.events.empty());
  transaction->committed();
  REQUIRE(seen.events.size() == 2);
  CHECK(seen.events[0].version == 1);
  CHECK(seen.events[0].types == Names{"work_item.created"});
  CHECK(seen.events[1].version == 2);
  CHECK(seen.events[1].item == key);
  transaction->committed();
  CHECK(seen.events.size() == 2);
}

TEST_CASE("subscribing inside a transaction tells nothing earlier") {
  EnlistedHost f;
  Collected seen;
  const auto transaction = f.order("tea");
  Subscription subscription;
  {
    auto inside = f.engine.with(*transaction);
    subscription = inside.subscribe({}, inline_executor(), seen.listener());
    REQUIRE(inside.create(f.host, f.bug()));
  }
  CHECK(seen.events.empty());
  f.commit(*transaction);
  CHECK(seen.events.size() == 1);
}

TEST_CASE("of a transaction that was rolled back nobody is told, even by mistake") {
  EnlistedHost f;
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  const auto key = f.engine.create(f.host, f.bug()).value().key;
  {
    const auto transaction = f.order("tea");
    REQUIRE(f.engine.with(*transaction).claim(f.alpha, key));
    f.roll_back();
    transaction->committed();
  }
  CHECK(seen.events.size() == 1);
  REQUIRE(f.engine.claim(f.alpha, key));  // the version that was rolled back, again
  REQUIRE(seen.events.size() == 2);
  CHECK(seen.events[1].version == 2);
}

TEST_CASE("a part that the host rolled back to a savepoint is not told, the rest is") {
  EnlistedHost f;
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  const auto transaction = f.order("tea");
  auto inside = f.engine.with(*transaction);
  const auto key = inside.create(f.host, f.bug()).value().key;
  f.connection.execute("SAVEPOINT part");
  REQUIRE(inside.comment(f.host, key, "undone"));
  REQUIRE(inside.claim(f.alpha, key));
  f.connection.execute("ROLLBACK TO part");
  CHECK(inside.get(f.host, key)->status == "new");
  REQUIRE(inside.comment(f.host, key, "kept"));
  f.commit(*transaction);
  REQUIRE(seen.events.size() == 2);
  CHECK(seen.events[1].version == 2);
  CHECK(seen.events[1].types == Names{"work_item.comment_created"});
  CHECK(f.engine.comments(f.host, key)->at(0).body == "kept");
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("events of one item keep their order when somebody is faster than committed") {
  EnlistedHost f;
  Collected seen;
  const auto key = f.engine.create(f.host, f.bug()).value().key;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  auto transaction = f.order("tea");
  REQUIRE(f.engine.with(*transaction).comment(f.host, key, "inside"));
  f.connection.execute("COMMIT");
  REQUIRE(f.engine.comment(f.host, key, "outside"));
  CHECK(seen.events.empty());
  SUBCASE("which is called") {
    transaction->committed();
    REQUIRE(seen.events.size() == 2);
    CHECK(seen.events[0].version == 2);
    CHECK(seen.events[1].version == 3);
  }
  SUBCASE("which is never called") {
    transaction.reset();
    REQUIRE(seen.events.size() == 1);
    CHECK(seen.events[0].version == 3);
  }
}

TEST_CASE("who subscribes between the change and committed learns that something was missed") {
  EnlistedHost f;
  Collected seen;
  const auto transaction = f.order("tea");
  REQUIRE(f.engine.with(*transaction).create(f.host, f.bug()));
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  f.commit(*transaction);
  REQUIRE(seen.events.size() == 1);
  CHECK(seen.events[0].missed == 1);
}

TEST_CASE("committed wakes who waits for work") {
  EnlistedHost f;
  auto waiter = std::async(std::launch::async, [&] { return f.queue.wait_available(f.alpha, {}, 1h).value(); });
  const auto transaction = f.order("tea");
  REQUIRE(f.engine.with(*transaction).create(f.host, f.bug()));
  f.commit(*transaction);
  CHECK(waiter.get());
}

TEST_CASE("an agent queue inside a transaction claims what was created in it") {
  EnlistedHost f;
  const auto transaction = f.order("tea");
  auto inside = f.engine.with(*transaction);
  AgentQueue queue{inside};
  REQUIRE(inside.create(f.host, f.bug()));
  CHECK(queue.available(f.alpha)->items.size() == 1);
  CHECK(f.queue.available(f.alpha)->items.empty());
  auto work = queue.claim_next(f.alpha).value();
  REQUIRE(work);
  REQUIRE(work->comment("on it"));
  CHECK(queue.mine(f.alpha)->size() == 1);
  CHECK(std::move(*work).release());
  f.commit(*transaction);
  CHECK(f.queue.available(f.alpha)->items.size() == 1);
}

TEST_CASE("many items at once are part of the transaction, all or none") {
  EnlistedHost f;
  const auto transaction = f.order("tea");
  auto inside = f.engine.with(*transaction);
  const std::vector<NewItem> good(60, f.bug());
  REQUIRE(inside.create_all(f.host, good));
  auto bad = good;
  bad[30].workflow = "NONE";
  CHECK(inside.create_all(f.host, bad).error().code() == errc::bulk_refused);
  CHECK(f.items() == 0);
  f.commit(*transaction);
  CHECK(f.items() == 60);
}

TEST_CASE("a workflow, a role and settings that were rolled back count nowhere") {
  EnlistedHost f;
  const Actor mia = Actor::person("mia");
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "noa"}));
  auto changed = tests::triage_workflow();
  changed.name = "Renamed inside";
  {
    const auto transaction = f.order("tea");
    auto inside = f.engine.with(*transaction);
    REQUIRE(inside.save(f.host, changed)->version == 2);
    CHECK(inside.workflow(f.host, "TRIAGE")->name == "Renamed inside");
    REQUIRE(inside.set_member(f.host, "BUG", "mia", Role::member));
    REQUIRE(inside.create(mia, f.bug())->workflow_version == 2);
    REQUIRE(inside.set_stage_settings(f.host, "TRIAGE", "triage", {.claims_by_hand = false}));
    f.roll_back();
  }
  CHECK(f.engine.workflow(f.host, "TRIAGE")->name == "Bug triage");
  CHECK(f.engine.create(mia, f.bug()).error().code() == errc::not_found);
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "triage")->claims_by_hand);
  changed.name = "Renamed outside";
  REQUIRE(f.engine.save(f.host, changed)->version == 2);
  const auto transaction = f.order("milk");
  CHECK(f.engine.with(*transaction).workflow(f.host, "TRIAGE", 2)->name == "Renamed outside");
  f.roll_back();
}

TEST_CASE("an item that was deleted in a transaction is gone after COMMIT, and as it was after ROLLBACK") {
  EnlistedHost f;
  const ItemKey key = f.engine.create(f.host, f.bug())->key;
  REQUIRE(f.engine.comment(f.host, key, "seen"));
  const auto delete_inside = [&] {
    auto transaction = f.order("tea");
    REQUIRE(f.engine.with(*transaction).delete_item(f.host, key));
    CHECK(f.engine.with(*transaction).get(f.host, key).error().code() == errc::not_found);
    return transaction;
  };
  {
    const auto transaction = delete_inside();
    f.roll_back();
  }
  CHECK(f.engine.comments(f.host, key)->size() == 1);
  REQUIRE(f.engine.comment(f.host, key, "still here"));
  {
    const auto transaction = delete_inside();
    f.commit(*transaction);
  }
  CHECK(f.engine.comment(f.host, key, "gone?").error().code() == errc::not_found);
  CHECK(f.engine.comments(f.host, key)->empty());
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("an idempotency key that was used in a transaction is known after COMMIT, and free after ROLLBACK") {
  EnlistedHost f;
  auto order = f.bug();
  order.idempotency_key = "order-1";
  const auto create_inside = [&] {
    const auto transaction = f.order("tea");
    const auto created = f.engine.with(*transaction).create(f.host, order).value().key;
    CHECK(f.engine.with(*transaction).create(f.host, order)->key == created);
    return std::pair(created, f.storage->enlist(f.connection.raw()).has_value());
  };
  const auto undone = create_inside().first;
  f.roll_back();
  const auto kept = create_inside().first;
  f.connection.execute("COMMIT");
  CHECK(kept != undone);
  CHECK(f.engine.create(f.host, order)->key == kept);
  CHECK(f.items() == 1);
}

TEST_CASE("a transaction that could not be enlisted is answered by every call in it") {
  EnlistedHost f;
  const auto created = f.engine.with(f.storage->enlist(f.connection.raw())).create(f.host, f.bug());
  REQUIRE(!created);
  CHECK(created.error().code() == errc::invalid_argument);
  CHECK(created.error().message().find("not inside a transaction") != std::string::npos);
  const auto none = f.storage->enlist(nullptr);
  CHECK(f.engine.with(none).get(f.host, "BUG-1").error().message() == "The connection is null");
  CHECK(f.engine.with(none).list(f.host, {}).error().message() == "The connection is null");
  CHECK(f.engine.with(none).save(f.host, tests::triage_workflow()).error().message() == "The connection is null");
}

TEST_CASE("an engine does not work in a transaction of another storage") {
  EnlistedHost f;
  EnlistedHost other;
  const auto transaction = other.order("tea");
  const auto refused = f.engine.with(*transaction).create(f.host, f.bug());
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::invalid_argument);
  other.commit(*transaction);
  CHECK(other.items() == 0);
}

TEST_CASE("a connection can be closed right after its enlisted transaction is gone") {
  EnlistedHost f;
  sqlite3* host = nullptr;
  REQUIRE(sqlite3_open(f.file.path().c_str(), &host) == SQLITE_OK);
  REQUIRE(sqlite3_exec(host, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(f.engine.with(f.storage->enlist(host)).create(f.host, f.bug()));
  REQUIRE(sqlite3_exec(host, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_close(host) == SQLITE_OK);
  CHECK(f.items() == 1);
}
