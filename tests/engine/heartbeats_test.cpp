#include <thread>

#include <doctest/doctest.h>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;

namespace {

struct BeatenFixture : EngineFixture {
  Heartbeats beats{clock};
  AgentQueue beaten{engine, beats};
  const ItemKey key = bug();
};

}  // namespace

TEST_CASE("the hold of a session is beaten at a third of it, for as long as it takes") {
  BeatenFixture f;
  const auto work = f.beaten.claim(f.alpha, f.key, {.hold = 30min}).value();
  CHECK(f.beats.beat() == f.clock.steady() + 10min);
  f.clock.advance(9min);
  CHECK(f.beats.beat() == f.clock.steady() + 1min);
  CHECK(f.engine.get(f.host, f.key)->hold->deadline == f.clock.now() + 21min);
  for (int third = 0; third < 9; ++third) {
    f.clock.advance(10min);
    CHECK(f.beats.beat() == f.clock.steady() + 10min);
    CHECK(f.engine.get(f.host, f.key)->hold->deadline == f.clock.now() + 30min);
  }
  CHECK(f.engine.get(f.host, f.key)->hold->epoch == 1);
  CHECK_FALSE(work.stop_token().stop_requested());
}

TEST_CASE("sessions from claim_next are beaten, too") {
  BeatenFixture f;
  f.bug();
  const auto both = f.beaten.claim_next(f.alpha, 2, {}, {.hold = 30min}).value();
  REQUIRE(both.size() == 2);
  f.clock.advance(29min);
  f.beats.beat();
  for (const auto& work : both) {
    CHECK(f.engine.get(f.host, work.item().key)->hold->deadline == f.clock.now() + 30min);
  }
}

TEST_CASE("a beat that finds the hold taken requests the session's stop, and is the last one") {
  BeatenFixture f;
  auto work = f.beaten.claim(f.alpha, f.key, {.hold = 30min}).value();
  REQUIRE(f.engine.take_over(f.mia, f.key, {.agent = "agent-beta", .hold = 30min}));
  CHECK_FALSE(work.stop_token().stop_requested());
  f.clock.advance(10min);
  CHECK_FALSE(f.beats.beat());
  CHECK(work.stop_token().stop_requested());
  CHECK(work.comment("too late").error().code() == errc::hold_lost);
}

TEST_CASE("a call that finds the hold taken requests the session's stop, with and without beats") {
  EngineFixture f;
  const ItemKey key = f.bug();
  auto work = f.queue.claim(f.alpha, key).value();
  REQUIRE(f.engine.take_over(f.mia, key, {.agent = "agent-beta", .hold = 30min}));
  CHECK(work.comment("too late").error().code() == errc::hold_lost);
  CHECK(work.stop_token().stop_requested());
}

TEST_CASE("a call that is refused for another reason stops nothing") {
  EngineFixture f;
  auto work = f.queue.claim(f.alpha, f.bug()).value();
  CHECK_FALSE(work.set_field("severity", "no such option"));
  CHECK_FALSE(work.stop_token().stop_requested());
}

TEST_CASE("a beat that the storage refuses is tried again soon, and the work stopped when the hold has run out") {
  BeatenFixture f;
  const auto work = f.beaten.claim(f.alpha, f.key, {.hold = 30min}).value();
  const auto failing = [&] {
    f.storage.fail_nth(2);  // the commit, behind a look at the switches of agents
    const auto next = f.beats.beat();
    f.storage.heal();
    return next;
  };
  f.clock.advance(10min);
  CHECK(failing() == f.clock.steady() + 1s);
  f.clock.advance(20min - 1ms);
  CHECK(failing());
  CHECK_FALSE(work.stop_token().stop_requested());
  f.clock.advance(1s);
  CHECK_FALSE(failing());
  CHECK(work.stop_token().stop_requested());
}

TEST_CASE("a beat that comes late keeps a hold that nobody took") {
  BeatenFixture f;
  const auto work = f.beaten.claim(f.alpha, f.key, {.hold = 30min}).value();
  f.clock.advance(2h);
  CHECK(f.beats.beat());
  CHECK_FALSE(work.stop_token().stop_requested());
  CHECK(f.engine.get(f.host, f.key)->hold->deadline == f.clock.now() + 30min);
}

TEST_CASE("sessions that were finished or dropped are beaten no more") {
  BeatenFixture f;
  REQUIRE(f.beaten.claim(f.alpha, f.key).value().release());
  { const auto dropped = f.beaten.claim(f.alpha, f.bug()).value(); }
  f.clock.advance(10min);
  CHECK_FALSE(f.beats.beat());
  CHECK_FALSE(f.engine.get(f.host, f.key)->hold);
}

TEST_CASE("a session that was finished or moved from refuses what comes after") {
  EngineFixture f;
  const ItemKey key = f.bug();
  auto work = f.queue.claim(f.alpha, key).value();
  auto moved = std::move(work);
  CHECK(work.comment("from nowhere").error().code() == errc::hold_lost);
  REQUIRE(std::move(moved).release());
  CHECK(moved.comment("too late").error().code() == errc::hold_lost);
  CHECK(std::move(moved).complete().error().code() == errc::hold_lost);
  CHECK(std::move(moved).release().error().code() == errc::hold_lost);
  CHECK(moved.context().error().code() == errc::hold_lost);
  CHECK(moved.heartbeat().error().code() == errc::hold_lost);
  CHECK(f.engine.get(f.host, key)->comment_count == 0);
}

TEST_CASE("beats from another thread do not disturb sessions that are written, moved and dropped") {
  BeatenFixture f;
  std::jthread beating([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      f.clock.advance(10min);
      f.beats.beat();
    }
  });
  for (int i = 0; i < 50; ++i) {
    auto work = f.beaten.claim(f.alpha, f.key, {.hold = 24h}).value();
    CHECK(work.comment("one"));
    auto moved = std::move(work);
    CHECK(moved.comment("two"));
    if (i % 2 == 0) CHECK(std::move(moved).release());
  }
  beating.request_stop();
  beating.join();
  CHECK(f.engine.get(f.host, f.key)->comment_count == 100);
}

TEST_CASE("a thread that runs the beats keeps a hold by itself, and ends when it is asked to") {
  MemoryStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  const auto host = Actor::system("host");
  REQUIRE(engine.save(host, tests::triage_workflow()));
  Heartbeats beats;
  AgentQueue queue{engine, beats};
  std::jthread beating([&](const std::stop_token& stop) { beats.run(stop); });
  const ItemKey key = engine.create(host, {.workflow = "TRIAGE", .title = "slow"})->key;
  const auto work = queue.claim(Actor::agent("agent-alpha"), key, {.hold = 1s}).value();
  const Time first = work.item().hold->deadline;
  for (std::uint64_t seen = 0; engine.get(host, key)->hold->deadline == first;) {
    seen = storage.wait_for_change({.seen = seen, .timeout = 10s})->sequence;
  }
  CHECK(engine.get(host, key)->hold->epoch == 1);
}
