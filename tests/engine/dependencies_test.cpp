#include <doctest/doctest.h>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct DependencyFixture : EngineFixture {
  bool is_available(const ItemKey& key) {
    for (const WorkItem& item : queue.available(host, {}, 1000).value().items) {
      if (item.key == key) return true;
    }
    return false;
  }
  void reject(const ItemKey& key) {
    REQUIRE(engine.transition(mia, key, "triaging"));
    REQUIRE(engine.transition(mia, key, "rejected"));
  }
  WorkItem read(const ItemKey& key) { return engine.get(host, key).value(); }
};

}  // namespace

TEST_CASE("an item that waits for another is listed but not available until that one is resolved") {
  DependencyFixture f;
  const ItemKey first = f.bug("first");
  const ItemKey second = f.bug("second");
  REQUIRE(f.engine.add_dependency(f.mia, second, first));
  CHECK(f.read(second).blocked_by == std::vector{first});
  CHECK(f.engine.list(f.host, {})->items.size() == 2);
  CHECK(f.is_available(first));
  CHECK_FALSE(f.is_available(second));
  const auto refused = f.engine.claim(f.alpha, second);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::dependencies_unresolved);
  CHECK(refused.error().missing() == std::vector<std::string>{first.str()});
  CHECK(f.engine.explain(f.host, second)->summary == "Waiting until " + first.str() + " is resolved");
  f.reject(first);
  CHECK(f.read(second).blocked_by.empty());
  CHECK(f.read(second).depends_on == std::vector{first});
  CHECK(f.is_available(second));
  CHECK(f.audit_types(second).back() == "work_item.dependency_resolved");
  CHECK(f.engine.verify(f.host, second));
}

TEST_CASE("a claim of the next item passes over items that wait") {
  DependencyFixture f;
  const ItemKey first = f.bug("first", Priority::low);
  const ItemKey second =
      f.engine
          .create(f.host,
                  {.workflow = "TRIAGE", .title = "second", .priority = Priority::critical, .depends_on = {first}})
          ->key;
  auto session = f.queue.claim_next(f.alpha).value();
  REQUIRE(session);
  CHECK(session->item().key == first);
  CHECK_FALSE(f.queue.claim_next(f.beta).value());
  CHECK(f.read(second).blocked_by.size() == 1);
}

TEST_CASE("a circle of dependencies is refused, however long") {
  DependencyFixture f;
  std::vector<ItemKey> chain;
  for (int i = 0; i < 20; ++i) chain.push_back(f.bug());
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) REQUIRE(f.engine.add_dependency(f.mia, chain[i], chain[i + 1]));
  CHECK(f.engine.add_dependency(f.mia, chain.back(), chain.front()).error().code() == errc::dependency_cycle);
  CHECK(f.engine.add_dependency(f.mia, chain[3], chain[3]).error().code() == errc::dependency_cycle);
  CHECK(f.engine.add_dependency(f.mia, chain[3], "BUG-999").error().code() == errc::not_found);
  CHECK(f.read(chain.back()).depends_on.empty());
}

TEST_CASE("two dependencies that would close a circle together are not both added") {
  DependencyFixture f;
  const ItemKey a = f.bug(), b = f.bug(), c = f.bug(), d = f.bug();
  REQUIRE(f.engine.add_dependency(f.mia, b, c));
  REQUIRE(f.engine.add_dependency(f.mia, d, a));
  // Another engine adds c -> d between this one's look and its commit of a -> b.
  WorkflowEngine other{{.storage = f.memory, .clock = f.clock, .random = f.random}};
  bool met = false;
  f.storage.before_commit([&] {
    if (met) return;
    met = true;
    REQUIRE(other.add_dependency(f.mia, c, d));
  });
  CHECK(f.engine.add_dependency(f.mia, a, b).error().code() == errc::dependency_cycle);
  CHECK(met);
}

TEST_CASE("a dependency that is removed, or was resolved before, holds nothing back") {
  DependencyFixture f;
  const ItemKey first = f.bug(), second = f.bug(), third = f.bug();
  REQUIRE(f.engine.add_dependency(f.mia, second, first));
  REQUIRE(f.engine.remove_dependency(f.mia, second, first));
  CHECK(f.is_available(second));
  f.reject(first);
  REQUIRE(f.engine.add_dependency(f.mia, third, first));
  CHECK(f.is_available(third));
  const auto before = f.read(third).version;
  CHECK(f.engine.add_dependency(f.mia, third, first)->version == before);
  CHECK(f.engine.remove_dependency(f.mia, third, second)->version == before);
}

TEST_CASE("reopening an item holds back what waits for it again") {
  DependencyFixture f;
  const ItemKey first = f.bug(), second = f.bug();
  REQUIRE(f.engine.add_dependency(f.mia, second, first));
  f.reject(first);
  CHECK(f.engine.reopen(f.alpha, first).error().code() == errc::not_permitted);
  const auto reopened = f.engine.reopen(f.mia, first, {.reason = "not rejected after all"});
  REQUIRE(reopened);
  CHECK(reopened->resolution == Resolution::unresolved);
  CHECK_FALSE(reopened->resolved_at);
  CHECK_FALSE(f.is_available(second));
  CHECK(f.engine.reopen(f.mia, first).error().code() == errc::not_resolved);
  CHECK(f.engine.verify(f.host, first));
}

TEST_CASE("an item that was resolved while it waited knows what it waits for when it is opened again") {
  DependencyFixture f;
  const ItemKey first = f.bug(), second = f.bug();
  REQUIRE(f.engine.add_dependency(f.mia, second, first));
  f.reject(second);
  f.reject(first);
  CHECK(f.read(second).blocked_by.empty());
  REQUIRE(f.engine.reopen(f.mia, second));
  CHECK(f.is_available(second));
  f.reject(second);
  REQUIRE(f.engine.reopen(f.mia, first));
  REQUIRE(f.engine.reopen(f.mia, second));
  CHECK(f.read(second).blocked_by == std::vector{first});
  CHECK_FALSE(f.is_available(second));
  CHECK(f.engine.verify(f.host, second));
}

TEST_CASE("one commit frees every item that waited, each with an entry in its own trail") {
  DependencyFixture f;
  const ItemKey first = f.bug();
  std::vector<ItemKey> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(f.engine.create(f.host, {.workflow = "TRIAGE", .title = "w", .depends_on = {first}})->key);
  }
  f.reject(first);
  for (const ItemKey& key : waiting) {
    CHECK(f.is_available(key));
    CHECK(f.engine.verify(f.host, key));
  }
}
