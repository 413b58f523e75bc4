#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

const std::string set_triage = R"({"severity":"high","component":"parser"})";
const std::string accept = R"({"accept_requirements_text":true})";

}  // namespace

TEST_CASE("a stage is done end to end and the next one starts") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  CHECK(f.engine.get(f.host, bug)->hold->agent == AgentId("openindex-dispatcher"));
  f.model.answer_calls({{"set_fields", set_triage}, {"add_comment", R"({"body":"Rated high."})"}});
  f.settle();
  CHECK(f.engine.get(f.host, bug)->fields.at("component") == FieldValue("parser"));
  f.model.answer_calls({{"progress_triage_to_plan", accept}});
  f.settle();
  const auto item = f.engine.get(f.host, bug).value();
  CHECK(item.status == "planning");
  const auto runs = f.engine.runs(f.host, bug).value();
  REQUIRE(runs.size() == 2);
  CHECK(runs[1].state == RunState::succeeded);
  CHECK(runs[1].input_tokens == 200);
  CHECK(runs[0].state == RunState::running);
  CHECK(f.model.waiting.size() == 1);
  CHECK(f.engine.verify(f.host, bug));
}

TEST_CASE("a run without a provider waits, says so, and starts by itself when one is attached") {
  DispatchFixture f;
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::no_provider);
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  const auto why = f.engine.explain(f.host, bug).value();
  CHECK(why.run_reason == RunReason::no_provider);
  CHECK(f.audit_types(bug).back() == "agent.dispatch_blocked");
  f.settle();
  CHECK(f.model.requests.empty());
  f.attach(f.provider());
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.model.requests.size() == 1);
}

TEST_CASE("a disabled provider parks the run until it is enabled") {
  DispatchFixture f;
  const ProviderId id = f.provider();
  f.attach(id);
  REQUIRE(f.providers.update(f.host, id, {.enabled = false}));
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).reason == RunReason::provider_disabled);
  REQUIRE(f.providers.update(f.host, id, {.enabled = true}));
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
}

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

TEST_CASE("a step that kills the process again and again is given up") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  for (int death = 0; death < 3; ++death) {
    f.settle();
    CHECK(f.run(bug).state == RunState::running);
    f.crash();
    f.clock.advance(61s);
  }
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::crash_loop);
  CHECK(f.model.requests.size() == 3);
}

TEST_CASE("beats keep the hold while a model thinks for long") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  const auto version = f.engine.get(f.host, bug)->version;
  for (int i = 0; i < 10; ++i) {
    f.clock.advance(21s);
    static_cast<void>(f.dispatcher->step().value());
  }
  const auto item = f.engine.get(f.host, bug).value();
  CHECK(item.hold->epoch == 1);
  CHECK(item.hold->deadline > f.clock.now());
  CHECK(item.version == version);
}

TEST_CASE("failures that pass by themselves are retried later, honouring what the provider asks for") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(429, {{"Retry-After", "17"}});
  f.settle();
  CHECK(f.run(bug).reason == RunReason::rate_limited);
  CHECK(*f.run(bug).due_at == f.clock.now() + 17s);
  CHECK_FALSE(f.engine.get(f.host, bug)->hold);
  f.clock.advance(16s);
  f.settle();
  CHECK(f.model.requests.size() == 1);
  f.clock.advance(1s);
  f.settle();
  CHECK(f.model.requests.size() == 2);
  f.model.answer(Error(errc::http_interrupted));
  f.settle();
  CHECK(f.run(bug).reason == RunReason::network);
  CHECK(f.run(bug).retries == 2);
}

TEST_CASE("garbage, HTML, half a body and an empty answer are waited out and then explained") {
  for (const char* body : {"", "<html>bad gateway</html>", R"({"choices":[{"message":{"con)", "[]", "\xff\xfe"}) {
    DispatchFixture f;
    f.attach(f.provider());
    const ItemKey bug = f.dispatched();
    f.settle();
    for (int i = 0; i < 9; ++i) {
      REQUIRE(f.model.waiting.size() == 1);
      f.model.answer(HttpResponse{200, {}, body});
      f.settle();
      CHECK(f.run(bug).reason == RunReason::malformed_reply);
      f.clock.advance(2min);
      f.settle();
    }
    CHECK(f.run(bug).state == RunState::waiting);
    CHECK_FALSE(f.run(bug).due_at);
    CHECK(f.engine.explain(f.host, bug)->summary.find("malformed_reply") != std::string::npos);
  }
}

TEST_CASE("a refused key parks the run until the settings change, a refused content fails it") {
  DispatchFixture f;
  const ProviderId id = f.provider();
  f.attach(id);
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(401);
  f.settle();
  CHECK(f.run(bug).reason == RunReason::unauthorized);
  CHECK_FALSE(f.run(bug).due_at);
  REQUIRE(f.providers.update(f.host, id, {.config = {{"api_key", "another"}}}));
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  f.model.answer(HttpResponse{
      200,
      {},
      R"({"choices":[{"message":{"role":"assistant","content":null,"refusal":"I will not"},"finish_reason":"stop"}]})"});
  f.settle();
  CHECK(f.run(bug).state == RunState::failed);
  CHECK(f.run(bug).reason == RunReason::refused);
  CHECK(f.engine.get(f.host, bug)->status == "triaging");
  CHECK(f.engine.explain(f.host, bug)->run_state == RunState::failed);
}

TEST_CASE("the next provider of the stage is asked when one fails") {
  DispatchFixture f;
  f.attach(f.provider("first"));
  f.attach(f.provider("second"));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(503);
  f.settle();
  REQUIRE(f.model.requests.size() == 2);
  CHECK(f.model.requests[0].headers != f.model.requests[1].headers);
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("tool calls that make no sense are answered and the run goes on") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls(
      {{"delete_everything", "{}"}, {"set_fields", "{\"severity\": \"hi"}, {"progress_triage_to_plan", accept}});
  f.settle();
  CHECK(f.engine.get(f.host, bug)->status == "triaging");
  REQUIRE(f.model.waiting.size() == 1);
  const auto journal = f.engine.journal(f.host, f.run(bug).id).value();
  CHECK(journal.size() == 5);  // context, turn, and an answer to each call
  f.model.answer_calls({{"set_fields", set_triage}});
  f.settle();
  f.model.answer_calls({{"progress_triage_to_plan", accept}});
  f.settle();
  CHECK(f.engine.get(f.host, bug)->status == "planning");
}

TEST_CASE("a model that never acts is reminded and then a person is asked") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  for (int i = 0; i < 5 && !f.model.waiting.empty(); ++i) {
    f.model.answer_text("I think it is bad.");
    f.settle();
  }
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::needs_person);
  REQUIRE(f.engine.set_fields(f.mia, bug, {{"severity", "low"}, {"component", "ui"}}));
  REQUIRE(f.engine.progress(f.mia, bug, {.gate = "triage_to_plan", .accept_text = true}));
  CHECK(f.engine.runs(f.host, bug)->back().state == RunState::cancelled);
}

TEST_CASE("host tools get checked arguments and their results go to the model") {
  DispatchFixture f;
  int calls = 0;
  std::string key;
  const Tool tool{.name = "look_up",
                  .description = "Look a term up",
                  .schema = R"({"type":"object","properties":{"term":{"type":"string"}},"required":["term"]})",
                  .call = [&](const ToolCall& call) -> Result<std::string> {
                    ++calls;
                    key = call.key;
                    if (call.text("term") == "boom") throw std::runtime_error("broken tool");
                    return "found " + call.text("term");
                  }};
  REQUIRE(f.dispatcher->add_tool(tool));
  CHECK(f.dispatcher->add_tool(tool).error().code() == errc::already_exists);
  CHECK(f.dispatcher->add_tool({.name = "set_fields", .call = tool.call}).error().code() == errc::invalid_argument);
  CHECK(f.dispatcher->add_tool({.name = "bad name", .call = tool.call}).error().code() == errc::invalid_argument);
  CHECK_FALSE(f.dispatcher->add_tool({.name = "bad_schema", .schema = "[]", .call = tool.call}));
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls(
      {{"look_up", R"({"term":"parser"})"}, {"look_up", R"({"wrong":1})"}, {"look_up", R"({"term":"boom"})"}});
  f.settle();
  CHECK(calls == 2);
  CHECK(key == f.run(bug).id.str() + ".5");
  CHECK(f.model.requests.back().body.find("found parser") != std::string::npos);
  CHECK(f.model.requests.back().body.find("broken tool") != std::string::npos);
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("an agent that claims by hand takes precedence and the run waits for its deadline") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  REQUIRE(f.engine.claim(f.alpha, bug, {.hold = 5min}));
  f.settle();
  CHECK(f.run(bug).reason == RunReason::item_held);
  CHECK(*f.run(bug).due_at == f.clock.now() + 5min);
  f.clock.advance(5min);
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("when the item leaves the stage by another hand, the run ends and its answer changes nothing") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.transition(f.mia, bug, "rejected"));
  f.model.answer_calls({{"add_comment", R"({"body":"too late"})"}});
  f.settle();
  CHECK(f.run(bug).state == RunState::cancelled);
  CHECK(f.engine.comments(f.host, bug)->empty());
  CHECK(f.dispatcher->step()->in_flight == 0);
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

TEST_CASE("more parked runs than there is room for are each looked at once") {
  DispatchFixture f;
  std::vector<ItemKey> bugs;
  for (int i = 0; i < 70; ++i) bugs.push_back(f.dispatched());
  f.settle();
  const auto entries = f.audit_types(bugs.front()).size();
  for (int i = 0; i < 5; ++i) CHECK(f.dispatcher->step()->events == 0);
  CHECK(f.audit_types(bugs.front()).size() == entries);
  f.attach(f.provider());
  f.settle();
  CHECK(f.model.waiting.size() == 64);
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

TEST_CASE("of several failing providers the one that recovers by itself decides") {
  DispatchFixture f;
  f.attach(f.provider("first"));
  const ProviderId second = f.provider("second");
  f.attach(second);
  REQUIRE(f.providers.update(f.host, second, {.enabled = false}));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(429, {{"Retry-After", "5"}});
  f.settle();
  CHECK(f.run(bug).reason == RunReason::rate_limited);
  CHECK(f.run(bug).due_at);
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
