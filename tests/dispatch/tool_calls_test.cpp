// Tools of the host: who must approve of a call, and what becomes of one that an interruption left open.
#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

// A tool that reaches outside, and the world outside, which remembers the keys that reached it.
struct ToolFixture : DispatchFixture {
  std::vector<std::string> sent;
  bool dies = false;  ///< The process, when the call has taken effect and nothing is written of it.
  Tool tool{.name = "send_mail",
            .description = "Send a mail",
            .schema = R"({"type":"object","properties":{"to":{"type":"string"}},"required":["to"]})",
            .effect = ToolEffect::external,
            .call = [this](const ToolCall& call) -> Result<std::string> {
              sent.emplace_back(call.key);
              if (dies) storage.fail_nth(1);
              return "sent to " + call.text("to");
            }};

  ItemKey working() {
    REQUIRE(dispatcher->add_tool(tool));
    attach(provider());
    const ItemKey key = dispatched();
    settle();
    return key;
  }
  void model_calls_tool() { model.answer_calls({{"send_mail", R"({"to":"ops"})"}}); }
  void die_in_call() {
    dies = true;
    model_calls_tool();
    static_cast<void>(dispatcher->step());
    dies = false;
    storage.heal();
    restart();
  }
  void restart() {
    crash();
    REQUIRE(dispatcher->add_tool(tool));
    clock.advance(2min);
    settle();
  }
  bool model_was_told(std::string_view text) const {
    return model.requests.back().body.find(text) != std::string::npos;
  }
};

}  // namespace

TEST_CASE("whether an interrupted call took effect is not guessed: the run waits for a person, and never calls again") {
  ToolFixture f;
  const ItemKey bug = f.working();
  f.die_in_call();
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::unknown_effect);
  CHECK(f.run(bug).detail.find("send_mail") != std::string::npos);
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "The mail did arrive"}));
  f.settle();
  CHECK(f.sent.size() == 1);
  CHECK(f.model_was_told("The mail did arrive"));
  CHECK(f.model_was_told("it is not made again"));
}

TEST_CASE("a tool that can tell is asked about the interrupted call by its key, and it is not made twice") {
  ToolFixture f;
  std::string asked;
  f.tool.outcome = [&](const ToolCall& call) -> Result<std::optional<std::string>> {
    asked = call.key;
    CHECK(call.text("to") == "ops");
    return std::optional<std::string>("found in the outbox");
  };
  const ItemKey bug = f.working();
  f.die_in_call();
  REQUIRE(f.sent.size() == 1);
  CHECK(asked == f.sent.front());
  CHECK(f.model_was_told("found in the outbox"));
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("an interrupted call that the tool knows nothing of is made now, under its key") {
  ToolFixture f;
  f.tool.outcome = [](const ToolCall&) -> Result<std::optional<std::string>> { return std::nullopt; };
  const ItemKey bug = f.working();
  f.die_in_call();
  REQUIRE(f.sent.size() == 2);
  CHECK(f.sent[0] == f.sent[1]);
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.model_was_told("sent to ops"));
}

TEST_CASE("a tool that cannot tell, or throws, leaves the question to a person") {
  for (const bool throws : {false, true}) {
    CAPTURE(throws);
    ToolFixture f;
    f.tool.outcome = [throws](const ToolCall&) -> Result<std::optional<std::string>> {
      if (throws) throw std::runtime_error("no line to the server");
      return Error(errc::http_unreachable, "no line to the server");
    };
    const ItemKey bug = f.working();
    f.die_in_call();
    CHECK(f.sent.size() == 1);
    CHECK(f.run(bug).reason == RunReason::unknown_effect);
    CHECK(f.run(bug).detail.find("no line to the server") != std::string::npos);
  }
}

TEST_CASE("a repeatable tool is called again with the same key") {
  ToolFixture f;
  f.tool.repeatable = true;
  const ItemKey bug = f.working();
  f.die_in_call();
  REQUIRE(f.sent.size() == 2);
  CHECK(f.sent[0] == f.sent[1]);
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("a call of a tool that is gone after the interruption is left to a person") {
  ToolFixture f;
  f.tool.repeatable = true;
  const ItemKey bug = f.working();
  f.dies = true;
  f.model_calls_tool();
  static_cast<void>(f.dispatcher->step());
  f.storage.heal();
  f.crash();
  f.clock.advance(2min);
  f.settle();
  CHECK(f.sent.size() == 1);
  CHECK(f.run(bug).reason == RunReason::unknown_effect);
}

TEST_CASE("a tool that needs approval is not called before a person says yes") {
  ToolFixture f;
  f.tool.needs_approval = true;
  const ItemKey bug = f.working();
  f.model_calls_tool();
  f.settle();
  const AgentRun waits = f.run(bug);
  CHECK(waits.reason == RunReason::needs_approval);
  CHECK(waits.question.find(R"({"to":"ops"})") != std::string::npos);
  CHECK(f.sent.empty());
  CHECK(f.engine.resume_run(f.mia, bug).error().code() == errc::invalid_argument);
  CHECK(f.engine.resume_run(f.alpha, bug, {.step = f.run(bug).steps, .approved = true}).error().code() ==
        errc::not_permitted);
  CHECK(f.sent.empty());
  f.restart();
  CHECK(f.sent.empty());
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = f.run(bug).steps, .approved = true}));
  f.settle();
  CHECK(f.sent.size() == 1);
  CHECK(f.model_was_told("sent to ops"));
}

TEST_CASE("an approval is for one call: the next one waits for another") {
  ToolFixture f;
  f.tool.needs_approval = true;
  const ItemKey bug = f.working();
  f.model.answer_calls({{"send_mail", R"({"to":"ops"})"}, {"send_mail", R"({"to":"dev"})"}});
  f.settle();
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = f.run(bug).steps, .approved = true}));
  f.settle();
  CHECK(f.sent.size() == 1);
  CHECK(f.run(bug).reason == RunReason::needs_approval);
  CHECK(f.run(bug).question.find("dev") != std::string::npos);
}

TEST_CASE("what a person refuses is not done, and the model is told why") {
  ToolFixture f;
  f.tool.needs_approval = true;
  const ItemKey bug = f.working();
  f.model_calls_tool();
  f.settle();
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = f.run(bug).steps, .approved = false, .answer = "Not at night"}));
  f.settle();
  CHECK(f.sent.empty());
  CHECK(f.model_was_told("Not at night"));
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("a stage can demand approval of a tool that its host trusts, and calls wrong in form ask nobody") {
  ToolFixture f;
  const ItemKey bug = f.working();
  StageSettings settings = f.engine.stage_settings(f.host, "TRIAGE", "triage").value();
  settings.approvals = {"send_mail"};
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", settings));
  f.model.answer_calls({{"send_mail", R"({"whom":"ops"})"}});
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
  f.model_calls_tool();
  f.settle();
  CHECK(f.run(bug).reason == RunReason::needs_approval);
  CHECK(f.sent.empty());
  CHECK(f.engine.explain(f.mia, bug)->next.at(1).find("approved") != std::string::npos);
}

TEST_CASE("an approved call that is interrupted is not made twice") {
  ToolFixture f;
  f.tool.needs_approval = true;
  const ItemKey bug = f.working();
  f.model_calls_tool();
  f.settle();
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = f.run(bug).steps, .approved = true}));
  f.dies = true;
  static_cast<void>(f.dispatcher->step());
  f.dies = false;
  f.storage.heal();
  f.restart();
  CHECK(f.sent.size() == 1);
  CHECK(f.run(bug).reason == RunReason::unknown_effect);
}

TEST_CASE("who does not ask for an approval cannot be given one") {
  ToolFixture f;
  const ItemKey bug = f.working();
  f.model.answer_calls({{"ask_person", R"({"question":"Go on?"})"}});
  f.settle();
  CHECK(f.engine.resume_run(f.mia, bug, {.step = f.run(bug).steps, .approved = true, .answer = "yes"}).error().code() ==
        errc::invalid_argument);
  CHECK(f.run(bug).state == RunState::waiting);
}

TEST_CASE("an approval that comes when the run has gone on approves nothing") {
  ToolFixture f;
  f.tool.needs_approval = true;
  const ItemKey bug = f.working();
  f.model.answer_calls({{"send_mail", R"({"to":"ops"})"}, {"send_mail", R"({"to":"everybody"})"}});
  f.settle();
  const std::uint32_t seen = f.run(bug).steps;
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = seen, .approved = true}));
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::needs_approval);
  CHECK(f.engine.resume_run(f.noa, bug, {.step = seen, .approved = true}).error().code() == errc::run_moved_on);
  CHECK(f.engine.resume_run(f.noa, bug, {.approved = true}).error().code() == errc::invalid_argument);
  f.settle();
  CHECK(f.sent.size() == 1);
}

TEST_CASE("who approves sees the whole call, and one too long to be read is refused") {
  ToolFixture f;
  f.tool.needs_approval = true;
  const ItemKey bug = f.working();
  const std::string to = std::string(5'000, 'x') + "@evil";
  f.model.answer_calls({{"send_mail", R"({"to":)" + std::string(4'000, ' ') + '"' + to + R"("})"}});
  f.settle();
  CHECK(f.run(bug).question.find("@evil") != std::string::npos);
  CHECK(f.run(bug).detail.find("evil") == std::string::npos);  // which the audit keeps
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = f.run(bug).steps, .approved = false}));
  f.settle();
  f.model.answer_calls({{"send_mail", R"({"to":")" + std::string(9'000, 'x') + R"("})"}});
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.sent.empty());
  CHECK(f.model_was_told("input_too_large"));
}

TEST_CASE("a person who resumes a run that waits for something else does not give up its interrupted call") {
  ToolFixture f;
  f.tool.outcome = [](const ToolCall&) -> Result<std::optional<std::string>> {
    return std::optional<std::string>("found in the outbox");
  };
  const ItemKey bug = f.working();
  f.dies = true;
  f.model_calls_tool();
  static_cast<void>(f.dispatcher->step());
  f.dies = false;
  f.storage.heal();
  REQUIRE(f.engine.stop_agents(f.host, {}));
  f.restart();
  REQUIRE(f.run(bug).reason == RunReason::agents_stopped);
  REQUIRE(f.engine.let_agents_work(f.host, {}));
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "Go on"}));
  f.settle();
  CHECK(f.sent.size() == 1);
  CHECK(f.model_was_told("found in the outbox"));
  CHECK(f.model_was_told("Go on"));
}
