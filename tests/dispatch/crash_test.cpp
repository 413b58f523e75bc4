#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;
using tests::set_triage;

TEST_CASE("after a crash no journaled turn is asked again and no tool acts twice") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"add_comment", R"({"body":"once"})"}});
  f.settle();
  REQUIRE(f.model.requests.size() == 2);
  f.crash();
  f.settle();
  CHECK(f.model.requests.size() == 2);  // the dead dispatcher's hold still counts
  f.clock.advance(61s);
  f.settle();
  REQUIRE(f.model.requests.size() == 3);  // the request in flight is asked once more, with the same conversation
  CHECK(f.model.requests[2].body == f.model.requests[1].body);
  CHECK(f.engine.comments(f.host, bug)->size() == 1);
  CHECK(f.run(bug).starts == 2);
  CHECK(f.engine.get(f.host, bug)->hold->epoch == 2);
}

TEST_CASE("an answer that comes after the run was taken over is ignored") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  auto late = std::move(f.model.waiting.front());
  f.model.waiting.clear();
  const auto first = std::move(f.dispatcher);  // sleeps through its deadline, but lives
  f.dispatcher = f.make_dispatcher();
  f.clock.advance(61s);
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  late.second(HttpResponse{
      200, {}, R"({"choices":[{"message":{"content":"late","role":"assistant"},"finish_reason":"stop"}]})"});
  static_cast<void>(first->step().value());
  CHECK(f.engine.journal(f.host, f.run(bug).id)->empty());
  f.model.answer_calls({{"add_comment", R"({"body":"from the second"})"}});
  f.settle();
  CHECK(f.engine.comments(f.host, bug)->size() == 1);
}

TEST_CASE("an orderly stop gives runs back at once and does not count as a start") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  std::stop_source stop;
  stop.request_stop();
  REQUIRE(f.dispatcher->run(stop.get_token()));
  CHECK(f.run(bug).state == RunState::queued);
  CHECK(f.run(bug).starts == 0);
  CHECK(f.model.cancelled.size() == 1);
  f.dispatcher = f.make_dispatcher();
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("a process that dies while a model thinks blames nobody: the run goes on") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  for (int death = 0; death < 12; ++death) {
    f.settle();
    REQUIRE(f.run(bug).state == RunState::running);
    f.crash();
    f.clock.advance(61s);
  }
  f.settle();
  CHECK(f.model.requests.size() == 13);
  f.model.answer_calls({{"add_comment", R"({"body":"at last"})"}});
  f.settle();
  CHECK(f.engine.comments(f.host, bug)->size() == 1);
  CHECK(f.run(bug).starts == 1);
  CHECK(f.run(bug).asked == 0);
}

TEST_CASE("a step that kills the process again and again is given up, without asking the model again") {
  DispatchFixture f;
  f.attach(f.provider());
  int calls = 0;
  const auto deadly = [&](const ToolCall&) -> Result<std::string> {
    ++calls;
    f.storage.fail_nth(1);  // what comes after the call is never written, as when the process dies in it
    return std::string("never seen");
  };
  const auto offer = [&] { f.dispatcher->add_tool({.name = "look", .description = "Looks", .call = deadly}).value(); };
  offer();
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"look", "{}"}});
  for (int death = 0; death < 3; ++death) {
    for (int round = 0; round < 3; ++round) static_cast<void>(f.dispatcher->step().has_value());
    CHECK(calls == death + 1);
    f.storage.heal();
    f.crash();
    offer();
    f.clock.advance(61s);
  }
  f.settle();
  CHECK(calls == 3);
  CHECK(f.model.requests.size() == 1);
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::crash_loop);
}

TEST_CASE("a runner that throws or is not there leaves a reason") {
  struct Thrower final : AgentRunner {
    struct Program final : RunProgram {
      RunAction on(const RunEvent&) override { throw std::runtime_error("my bad"); }
    };
    std::unique_ptr<RunProgram> start() override { return std::make_unique<Program>(); }
  } thrower;
  DispatchFixture f;
  f.dispatcher->add_runner("chat", thrower);
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).state == RunState::failed);
  CHECK(f.run(bug).reason == RunReason::runner_failed);
  CHECK(f.run(bug).detail.find("my bad") != std::string::npos);
}

TEST_CASE("a storage failure at any call of a round loses nothing and doubles nothing") {
  for (const auto fault : {testing::FaultyStorage::Fault::before, testing::FaultyStorage::Fault::after}) {
    for (std::uint64_t nth = 1; nth < 80; ++nth) {
      CAPTURE(nth);
      DispatchFixture f;
      f.attach(f.provider());
      const ItemKey bug = f.dispatched();
      f.storage.fail_nth(nth, fault);
      static_cast<void>(f.dispatcher->step().has_value());
      for (int i = 0; i < 3; ++i) static_cast<void>(f.dispatcher->step().has_value());
      if (!f.model.waiting.empty())
        f.model.answer_calls({{"add_comment", R"({"body":"once"})"}, {"set_fields", set_triage}});
      for (int i = 0; i < 3; ++i) static_cast<void>(f.dispatcher->step().has_value());
      const bool failed = f.storage.failed();
      f.storage.heal();
      // Whatever was interrupted goes on, at the latest after its deadline.
      for (int round = 0; round < 6 && f.engine.comments(f.host, bug)->empty(); ++round) {
        f.clock.advance(61s);
        f.settle();
        if (!f.engine.comments(f.host, bug)->empty()) break;  // the journaled turn was carried out
        if (!f.model.waiting.empty())
          f.model.answer_calls({{"add_comment", R"({"body":"once"})"}, {"set_fields", set_triage}});
        f.settle();
      }
      CHECK(f.engine.comments(f.host, bug)->size() == 1);
      CHECK(f.engine.verify(f.host, bug));
      if (!failed) break;
      REQUIRE(nth < 79);
    }
  }
}

TEST_CASE("an agent that takes over a dead dispatcher's item and gives it back lets the run go on") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.crash();
  f.clock.advance(61s);
  REQUIRE(f.engine.claim(f.alpha, bug, {.hold = 30min}));
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::item_held);
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  REQUIRE(f.engine.release(f.alpha, bug));
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("a dispatcher whose item was taken over journals nothing more and calls no tool") {
  DispatchFixture f;
  int calls = 0;
  REQUIRE(f.dispatcher->add_tool(
      {.name = "push", .effect = ToolEffect::write, .call = [&](const ToolCall&) -> Result<std::string> {
         ++calls;
         return std::string("pushed");
       }}));
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.clock.advance(61s);  // it sleeps through its deadline
  REQUIRE(f.engine.claim(f.alpha, bug));
  f.model.answer_calls({{"push", "{}"}});
  static_cast<void>(f.dispatcher->step().value());
  CHECK(calls == 0);
  CHECK(f.engine.journal(f.host, f.run(bug).id)->empty());
}

TEST_CASE("a runner's complaint of any bytes can be read back") {
  struct Thrower final : AgentRunner {
    struct Program final : RunProgram {
      RunAction on(const RunEvent&) override { throw std::runtime_error("\xff\xfe bad"); }
    };
    std::unique_ptr<RunProgram> start() override { return std::make_unique<Program>(); }
  } thrower;
  DispatchFixture f;
  f.dispatcher->add_runner("chat", thrower);
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).detail.find("bad") != std::string::npos);
  CHECK(f.engine.explain(f.host, bug));
}
TEST_CASE("a dispatcher that slept through its own deadline goes on with what nobody took") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.clock.advance(61s);
  f.settle();
  REQUIRE(f.model.requests.size() == 1);  // still waiting for that answer: a second would be paid for nothing
  CHECK(f.engine.get(f.host, bug)->hold->deadline == f.clock.now() + 60s);
  CHECK(f.engine.get(f.host, bug)->hold->epoch == 1);
  f.model.answer_calls({{"add_comment", R"({"body":"awake"})"}});
  f.settle();
  CHECK(f.engine.comments(f.host, bug)->size() == 1);
}

TEST_CASE("one damaged run record does not keep the others from starting") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey damaged = f.dispatched();
  const ItemKey sound = f.dispatched();
  const RecordId id{"run", f.run(damaged).id.str()};
  auto record = f.storage.get(std::span(&id, 1)).value().front().value();
  ChangeSet damage;
  damage.id = "com_damage";
  damage.expectations.push_back({id, record.version});
  damage.puts.push_back({id, "{", record.index});
  REQUIRE(f.storage.commit(std::span(&damage, 1)).front());
  f.settle();
  CHECK(f.run(sound).state == RunState::running);
}

TEST_CASE("a dead dispatcher's run whose item waits for another is parked, and goes on when that is resolved") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  const ItemKey first = f.bug();
  REQUIRE(f.engine.add_dependency(f.mia, bug, first));
  f.crash();
  f.clock.advance(61s);
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::dependencies);
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  REQUIRE(f.engine.transition(f.mia, first, "triaging"));
  REQUIRE(f.engine.transition(f.mia, first, "rejected"));
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
}
