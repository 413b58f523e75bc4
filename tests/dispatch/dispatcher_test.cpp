#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::accept;
using tests::DispatchFixture;
using tests::set_triage;

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

TEST_CASE("when the item is deleted under its run, the run ends here and nothing of it comes back") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched(), other = f.dispatched();
  f.settle();
  REQUIRE(f.run(bug).state == RunState::running);
  REQUIRE(f.engine.delete_item(f.mia, bug));
  f.model.answer_calls({{"add_comment", R"({"body":"too late"})"}});
  f.settle();
  f.clock.advance(10min);
  f.settle();
  CHECK(f.engine.runs(f.host, bug)->empty());
  CHECK(f.engine.comments(f.host, bug)->empty());
  CHECK(f.engine.get(f.host, bug).error().code() == errc::not_found);
  CHECK(f.engine.verify(f.host, bug));
  REQUIRE(f.engine.delete_item(f.mia, other));
  f.clock.advance(10min);  // the next beat notices
  f.settle();
  CHECK(f.dispatcher->step()->in_flight == 0);
}

TEST_CASE("a runner whose command names what is not there is told so and goes on") {
  struct Namer final : AgentRunner {
    struct Program final : RunProgram {
      explicit Program(Namer& runner) : runner_(runner) {}
      RunAction on(const RunEvent& event) override {
        if (const auto* done = std::get_if<CallDone>(&event)) runner_.told.push_back(done->outcome.text);
        if (runner_.told.empty()) return Act{{"1", "wait_for", "{}"}, AddDependency{"BUG-999"}};
        if (runner_.told.size() == 1) return Act{{"2", "drop_file", "{}"}, RemoveAttachment{7}};
        return AskPerson{};
      }
      Namer& runner_;
    };
    std::unique_ptr<RunProgram> start() override { return std::make_unique<Program>(*this); }
    std::vector<std::string> told;
  } namer;
  DispatchFixture f;
  f.dispatcher->add_runner("chat", namer);
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(namer.told.size() == 2);
  CHECK(namer.told[0].find("not_found") != std::string::npos);
  CHECK(namer.told[1].find("not_found") != std::string::npos);
  CHECK(f.run(bug).reason == RunReason::needs_person);
}
