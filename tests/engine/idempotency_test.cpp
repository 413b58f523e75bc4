#include <doctest/doctest.h>

#include <set>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

TEST_CASE("the same key and request give the same answer and change nothing a second time") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto first = f.engine.comment(f.mia, key, "once", {.idempotency_key = "k1"}).value();
  REQUIRE(f.engine.update(f.mia, key, {.title = "changed since"}));
  const auto again = f.engine.comment(f.mia, key, "once", {.idempotency_key = "k1"}).value();
  CHECK(again.version == first.version);
  CHECK(again.title == first.title);
  CHECK(again.comment_count == 1);
  CHECK(f.engine.comments(f.host, key)->size() == 1);
}

TEST_CASE("the same key with another request, item or content is refused, another actor's key is another key") {
  EngineFixture f;
  const ItemKey key = f.bug(), other = f.bug();
  REQUIRE(f.engine.comment(f.mia, key, "once", {.idempotency_key = "k1"}));
  CHECK(f.engine.comment(f.mia, key, "twice", {.idempotency_key = "k1"}).error().code() == errc::idempotency_conflict);
  CHECK(f.engine.comment(f.mia, other, "once", {.idempotency_key = "k1"}).error().code() == errc::idempotency_conflict);
  CHECK(f.engine.transition(f.mia, key, "triaging", {.idempotency_key = "k1"}).error().code() ==
        errc::idempotency_conflict);
  CHECK(f.engine.comment(f.noa, key, "mine", {.idempotency_key = "k1"}));
  CHECK(f.engine.comment(f.mia, key, "x", {.idempotency_key = std::string(201, 'x')}).error().code() ==
        errc::invalid_argument);
}

TEST_CASE("a refusal is not remembered") {
  EngineFixture f;
  const ItemKey key = f.bug();
  CHECK(f.engine.transition(f.mia, key, "planning", {.idempotency_key = "k"}).error().code() ==
        errc::status_transition_not_allowed);
  CHECK(f.engine.transition(f.mia, key, "triaging", {.idempotency_key = "k"}));
}

TEST_CASE("a claim that is repeated with its key answers with the same epoch, also when it changed nothing") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto claimed = f.engine.claim(f.alpha, key, {}, {.idempotency_key = "c"}).value();
  REQUIRE(f.engine.release(f.alpha, key));
  const auto again = f.engine.claim(f.alpha, key, {}, {.idempotency_key = "c"}).value();
  CHECK(again.hold->epoch == claimed.hold->epoch);
  CHECK_FALSE(f.engine.get(f.host, key)->hold);
  CHECK(f.engine.reacknowledge(f.mia, key, {}, {.idempotency_key = "n"}));
  CHECK(f.engine.reacknowledge(f.mia, key, {.gate = "x"}, {.idempotency_key = "n"}).error().code() ==
        errc::idempotency_conflict);
}

TEST_CASE("an answer is forgotten after a day, and its record is swept away") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.comment(f.mia, key, "once", {.idempotency_key = "k1"}));
  f.clock.advance(24h);
  CHECK(f.engine.comment(f.mia, key, "another", {.idempotency_key = "k1"}));
  CHECK(f.engine.comments(f.host, key)->size() == 2);
  f.clock.advance(24h);
  for (int i = 0; i < 256; ++i) {
    REQUIRE(f.engine.comment(f.mia, key, "more", {.idempotency_key = "more" + std::to_string(i)}));
  }
  const auto left = f.memory.count({.index = Index::due, .prefix = {"idempotency"}});
  CHECK(left.value() <= 256);
}

TEST_CASE("after a failure at any storage call the same key is answered once, whatever became of the first try") {
  for (const auto fault : {testing::FaultyStorage::Fault::before, testing::FaultyStorage::Fault::after}) {
    for (std::uint64_t nth = 1; nth < 30; ++nth) {
      CAPTURE(nth);
      EngineFixture f;
      const ItemKey key = f.bug();
      f.storage.fail_nth(nth, fault);
      static_cast<void>(f.engine.comment(f.mia, key, "once", {.idempotency_key = "k"}).has_value());
      const bool failed = f.storage.failed();
      f.storage.heal();
      REQUIRE(f.engine.comment(f.mia, key, "once", {.idempotency_key = "k"}));
      CHECK(f.engine.comments(f.host, key)->size() == 1);
      CHECK(f.engine.verify(f.host, key));
      if (!failed) break;
      REQUIRE(nth < 29);
    }
  }
}

TEST_CASE("a claim under a key gives the same hold again, whatever happened since") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto epoch = f.queue.claim(f.alpha, key, {}, {.idempotency_key = "c"})->epoch();  // dropped at once
  const auto again = f.queue.claim(f.alpha, key, {}, {.idempotency_key = "c"});
  REQUIRE(again);
  CHECK(again->epoch() == epoch);
  CHECK(f.queue.claim(f.alpha, key, {.hold = 5min}, {.idempotency_key = "c"}).error().code() ==
        errc::idempotency_conflict);
}

TEST_CASE("the next item under a key is the same one again, and another key takes another") {
  EngineFixture f;
  for (int i = 0; i < 3; ++i) static_cast<void>(f.bug());
  const auto first = f.queue.claim_next(f.alpha, {}, {}, {.idempotency_key = "n1"}).value();
  REQUIRE(first);
  const auto again = f.queue.claim_next(f.alpha, {}, {}, {.idempotency_key = "n1"}).value();
  REQUIRE(again);
  CHECK(again->item().key == first->item().key);
  CHECK(again->epoch() == first->epoch());
  CHECK(f.queue.mine(f.alpha)->size() == 1);
  const auto other = f.queue.claim_next(f.alpha, {}, {}, {.idempotency_key = "n2"}).value();
  REQUIRE(other);
  CHECK(other->item().key != first->item().key);
  CHECK(f.queue.claim_next(f.alpha, {.stage = "intake"}, {}, {.idempotency_key = "n1"}).error().code() ==
        errc::idempotency_conflict);
}

TEST_CASE("what a session does under a key is done once") {
  EngineFixture f;
  f.bug();
  auto session = f.queue.claim_next(f.alpha).value();
  REQUIRE(session);
  const CallOptions once{.idempotency_key = "once"};
  REQUIRE(session->comment("seen", once));
  REQUIRE(session->comment("seen", once));
  CHECK(session->item().comment_count == 1);
  CHECK(session->comment("seen again", once).error().code() == errc::idempotency_conflict);
  REQUIRE(session->set_field("component", "parser", {.idempotency_key = "field"}));
  CHECK(std::move(*session).release("", {.idempotency_key = "end"}));
}

TEST_CASE("many claimed under a key are the same ones again") {
  EngineFixture f;
  for (int i = 0; i < 5; ++i) static_cast<void>(f.bug());
  const auto first = f.queue.claim_next(f.alpha, 3, {}, {}, {.idempotency_key = "m"});
  REQUIRE(first);
  REQUIRE(first->size() == 3);
  const auto again = f.queue.claim_next(f.alpha, 3, {}, {}, {.idempotency_key = "m"});
  REQUIRE(again);
  std::set<std::string> before, after;
  for (const auto& session : *first) before.insert(session.item().key.str());
  for (const auto& session : *again) after.insert(session.item().key.str());
  CHECK(before == after);
  CHECK(f.queue.mine(f.alpha)->size() == 3);
}

TEST_CASE("changes of domains and definitions under a key are answered again as they were") {
  EngineFixture f;
  const CallOptions once{.idempotency_key = "d"};
  const NewDomain bugs{.key = "BUG", .name = "Bugs", .owner = "mia"};
  REQUIRE(f.engine.create_domain(f.host, bugs, once));
  CHECK(f.engine.create_domain(f.host, bugs, once)->version == 1);
  CHECK(f.engine.create_domain(f.host, bugs).error().code() == errc::already_exists);
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::admin));
  REQUIRE(f.engine.hand_over_domain(f.mia, "BUG", "noa", once));
  const auto again = f.engine.hand_over_domain(f.mia, "BUG", "noa", once);  // by one who is no owner any more
  REQUIRE(again);
  CHECK(again->version == 3);
  CHECK(f.engine.hand_over_domain(f.mia, "BUG", "pia", once).error().code() == errc::idempotency_conflict);
  CHECK(f.engine.hand_over_domain(f.mia, "BUG", "noa").error().code() == errc::not_permitted);

  Workflow changed = tests::triage_workflow();
  changed.description = "second";
  const CallOptions saving{.idempotency_key = "s"};
  const auto second = f.engine.save(f.host, changed, saving);
  REQUIRE(second);
  CHECK(second->created);
  changed.description = "third";
  REQUIRE(f.engine.save(f.host, changed));
  changed.description = "second";
  const auto repeated = f.engine.save(f.host, changed, saving);
  REQUIRE(repeated);
  CHECK(repeated->version == 2);
  CHECK(repeated->created);
  CHECK(f.engine.save(f.host, tests::triage_workflow(), saving).error().code() == errc::idempotency_conflict);

  const CallOptions setting{.idempotency_key = "t"};
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.turns_max = 9}, setting));
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.turns_max = 12}));
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.turns_max = 9}, setting));
  CHECK(f.engine.stage_settings(f.host, "TRIAGE", "plan")->turns_max == 12);  // the repetition changed nothing
  CHECK(f.engine.set_stage_settings(f.host, "TRIAGE", "plan", {.turns_max = 5}, setting).error().code() ==
        errc::idempotency_conflict);
}
