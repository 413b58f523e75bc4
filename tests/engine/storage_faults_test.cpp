// Every change, with the 1st, 2nd, 3rd … storage call failing until it succeeds: the item is as before or as after.
#include <doctest/doctest.h>

#include <functional>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;
using Fault = testing::FaultyStorage::Fault;

namespace {

struct Operation {
  const char* name;
  std::function<void(EngineFixture&, const ItemKey&)> prepare;
  std::function<Result<WorkItem>(EngineFixture&, const ItemKey&)> run;
  std::size_t entries;  ///< Audit entries that it appends.
};

const Operation operations[] = {
    {"claim", [](auto&, auto&) {}, [](auto& f, auto& key) { return f.engine.claim(f.alpha, key); }, 3},
    {"release", [](auto& f, auto& key) { REQUIRE(f.engine.claim(f.alpha, key)); },
     [](auto& f, auto& key) { return f.engine.release(f.alpha, key); }, 1},
    {"set_fields", [](auto&, auto&) {},
     [](auto& f, auto& key) {
       return f.engine.set_fields(f.mia, key, {{"component", "parser"}});
     },
     1},
    {"comment", [](auto&, auto&) {}, [](auto& f, auto& key) { return f.engine.comment(f.mia, key, "hello"); }, 1},
    {"transition", [](auto&, auto&) {}, [](auto& f, auto& key) { return f.engine.transition(f.mia, key, "triaging"); },
     2},
    {"progress",
     [](auto& f, auto& key) {
       REQUIRE(f.engine.transition(f.mia, key, "triaging"));
       REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
     },
     [](auto& f, auto& key) { return f.engine.progress(f.mia, key, {.gate = "triage_to_plan", .accept_text = true}); },
     4},
    {"complete", [](auto& f, auto& key) { REQUIRE(f.engine.transition(f.mia, key, "triaging")); },
     [](auto& f, auto& key) { return f.engine.complete(f.mia, key, {"rejected"}); }, 2},
};

}  // namespace

TEST_CASE("a change that fails at any storage call is done whole or not at all, and can be repeated") {
  for (const Operation& operation : operations) {
    for (const Fault fault : {Fault::before, Fault::after}) {
      for (std::uint64_t nth = 1; nth < 50; ++nth) {
        CAPTURE(operation.name);
        CAPTURE(nth);
        CAPTURE(static_cast<int>(fault));
        EngineFixture f;
        const ItemKey key = f.bug();
        operation.prepare(f, key);
        const std::size_t before = f.audit_types(key).size();
        f.storage.fail_nth(nth, fault);
        const auto result = operation.run(f, key);
        const bool failed = f.storage.failed();
        f.storage.heal();
        const std::size_t after = f.audit_types(key).size();
        CHECK(f.engine.verify(f.host, key));
        if (result) {
          CHECK(after == before + operation.entries);
        } else {
          REQUIRE((after == before || after == before + operation.entries));
          if (after == before) CHECK(operation.run(f, key));
        }
        if (!failed) break;
        REQUIRE(nth < 49);
      }
    }
  }
}

TEST_CASE("an answer that is lost after a commit is found out and not repeated") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.get(f.mia, key));
  // Item and domain come from the caches, so the first call is the commit itself.
  f.storage.fail_nth(1, Fault::after);
  const auto result = f.engine.comment(f.mia, key, "once");
  REQUIRE(f.storage.failed());
  REQUIRE(result);
  f.storage.heal();
  CHECK(f.engine.comments(f.mia, key)->size() == 1);
  CHECK(f.engine.comment(f.mia, key, "twice"));  // what is remembered of the item fits what is stored
  CHECK(f.engine.verify(f.host, key));
}

TEST_CASE("creating with an idempotency key can be repeated after any failure") {
  for (const Fault fault : {Fault::before, Fault::after}) {
    for (std::uint64_t nth = 1; nth < 30; ++nth) {
      EngineFixture f;
      const NewItem item{.workflow = "TRIAGE", .title = "crash", .idempotency_key = "k"};
      f.storage.fail_nth(nth, fault);
      const auto first = f.engine.create(f.host, item);
      const bool failed = f.storage.failed();
      f.storage.heal();
      REQUIRE(f.engine.create(f.host, item));
      CHECK(f.engine.list(f.host, {})->items.size() == 1);
      if (!failed) break;
    }
  }
}
