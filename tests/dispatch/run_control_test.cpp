// What people say to runs: end, go on, begin anew, and what becomes of what was in flight.
#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::accept;
using tests::DispatchFixture;
using tests::set_triage;

namespace {

std::string last_message(const HttpRequest& request) {
  const auto body = boost::json::parse(request.body);
  return boost::json::serialize(body.at("messages").as_array().back());
}

std::vector<std::string> types_of(const std::vector<AuditEntry>& entries) {
  std::vector<std::string> types;
  for (const AuditEntry& entry : entries) types.push_back(entry.type);
  return types;
}

// Which key a request came with: that of the provider of the name.
std::string key_of(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name == "Authorization") return value;
  }
  return {};
}

std::size_t marks(Storage& storage) {
  return storage.scan({.index = Index::due, .prefix = {std::string("stop")}}).value().rows.size();
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

TEST_CASE("a run that is cancelled ends at once, and its request in flight with it") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  const RunId run = f.run(bug).id;
  REQUIRE(f.engine.cancel_run(f.mia, bug, {.run = run, .reason = "wrong bug"}));
  const AgentRun ended = f.run(bug);
  CHECK(ended.state == RunState::cancelled);
  CHECK(ended.reason == RunReason::stopped);
  CHECK(ended.detail == "Stopped by mia: wrong bug");
  static_cast<void>(f.dispatcher->step().value());  // one round: no beat is waited for
  CHECK(f.model.cancelled.size() == 1);
  CHECK(f.dispatcher->step()->in_flight == 0);
  CHECK(f.updates.back() == "ended");
  const auto item = f.engine.get(f.host, bug).value();
  CHECK(item.stage == "triage");
  CHECK(item.run.empty());
  CHECK_FALSE(item.hold.has_value());
  CHECK(contains(types_of(f.engine.audit(f.host, bug).value()), "agent.run_cancelled"));
  CHECK(f.engine.explain(f.mia, bug)->summary.find("wrong bug") != std::string::npos);
  CHECK(f.engine.verify(f.host, bug));
}

TEST_CASE("what is answered to a cancelled run changes nothing") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.cancel_run(f.mia, bug));
  f.model.answer_calls({{"add_comment", R"({"body":"too late"})"}});
  f.settle();
  CHECK(f.engine.comments(f.host, bug)->empty());
  CHECK(f.run(bug).state == RunState::cancelled);
}

TEST_CASE("another dispatcher's run is let go of by its own dispatcher, and the mark with it") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  const auto other = f.make_dispatcher();
  REQUIRE(f.engine.cancel_run(f.mia, bug));
  static_cast<void>(other->step().value());
  CHECK(marks(f.storage) == 1);
  CHECK(f.model.cancelled.empty());
  static_cast<void>(f.dispatcher->step().value());
  CHECK(f.model.cancelled.size() == 1);
  CHECK(marks(f.storage) == 0);
}

TEST_CASE("the mark of a run whose dispatcher is gone is taken away by another one after a minute") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.cancel_run(f.mia, bug));
  f.crash();
  f.settle();
  CHECK(marks(f.storage) == 1);
  f.clock.advance(1min);
  f.settle();
  CHECK(marks(f.storage) == 0);
}

TEST_CASE("a request is cancelled when an agent takes the item from its run") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.take_over(f.mia, bug, {.agent = "agent-alpha", .hold = 5min}));
  static_cast<void>(f.dispatcher->step().value());
  CHECK(f.model.cancelled.size() == 1);
  CHECK(f.run(bug).reason == RunReason::item_held);
}

TEST_CASE("a run whose item was set free under it is stopped before it starts again") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.take_over(f.mia, bug, {}));
  f.settle();
  CHECK(f.model.cancelled.size() == 1);
  CHECK(f.run(bug).state == RunState::queued);
  CHECK(f.model.requests.size() == 1);
  f.clock.advance(1s);
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.model.requests.size() == 2);
}

TEST_CASE("after an end by hand the stage gets another run, with the provider that was asked for") {
  DispatchFixture f;
  const ProviderId first = f.provider("first"), second = f.provider("second");
  f.attach(first);
  f.attach(second);
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(key_of(f.model.requests.back()) == "Bearer k-first");
  CHECK(f.engine.start_run(f.mia, bug).error().code() == errc::run_in_the_way);
  REQUIRE(f.engine.cancel_run(f.mia, bug));
  const auto unknown = f.engine.start_run(f.mia, bug, {.provider = "prov_none"});
  REQUIRE(unknown.error().code() == errc::invalid_argument);
  CHECK(unknown.error().allowed() == std::vector<std::string>{first.str(), second.str()});
  REQUIRE(f.engine.start_run(f.mia, bug, {.provider = second}));
  f.settle();
  const AgentRun again = f.run(bug);
  CHECK(again.state == RunState::running);
  CHECK(again.attempt == 2);
  CHECK(key_of(f.model.requests.back()) == "Bearer k-second");
  CHECK(f.engine.runs(f.host, bug)->size() == 2);
}

TEST_CASE("runs are started where agents must work, and nowhere else") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.bug();  // stands in a stage of people
  CHECK(f.engine.start_run(f.mia, bug).error().code() == errc::invalid_argument);
  CHECK(f.engine.cancel_run(f.mia, bug).error().code() == errc::run_not_active);
  CHECK(f.engine.resume_run(f.mia, bug).error().code() == errc::run_not_active);
  const ItemKey other = f.dispatched();
  CHECK(f.engine.cancel_run(f.mia, other, {.run = "run_other"}).error().code() == errc::run_not_active);
  CHECK(f.engine.cancel_run(f.alpha, other).error().code() == errc::not_permitted);
  CHECK(f.engine.resume_run(f.alpha, other).error().code() == errc::not_permitted);
  CHECK(f.engine.resume_run(f.mia, other).error().code() == errc::run_not_waiting);
  CHECK(f.engine.cancel_run(f.mia, other, {.reason = std::string(2001, 'x')}).error().code() == errc::invalid_argument);
  CHECK(f.run(other).state == RunState::queued);
}

TEST_CASE("a model asks a person, and is told the answer days later by another dispatcher") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls(
      {{"ask_person", R"({"question":"Which release?","options":["1.2","1.3"]})"}, {"set_fields", set_triage}});
  f.settle();
  const AgentRun waits = f.run(bug);
  CHECK(waits.state == RunState::waiting);
  CHECK(waits.reason == RunReason::needs_person);
  CHECK(waits.question == "Which release?");
  CHECK(waits.options == std::vector<std::string>{"1.2", "1.3"});
  CHECK_FALSE(f.engine.get(f.host, bug)->hold.has_value());
  CHECK(f.engine.get(f.host, bug)->fields.empty());  // in order: the second call waits for the first
  f.crash();
  f.clock.advance(90 * 24h);
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  REQUIRE(f.engine.resume_run(f.mia, bug, {.run = waits.id, .answer = "1.3, and soon"}));
  f.settle();
  CHECK(f.run(bug).question.empty());
  CHECK(f.engine.get(f.host, bug)->fields.size() == 2);
  REQUIRE(f.model.requests.size() == 2);
  CHECK(f.model.requests.back().body.find(R"(1.3, and soon)") != std::string::npos);
  CHECK(f.model.requests.back().body.find(R"(mia)") != std::string::npos);
  CHECK(f.run(bug).turns == 1);  // the turn was not asked for again
  f.model.answer_calls({{"progress_triage_to_plan", accept}});
  f.settle();
  CHECK(f.engine.get(f.host, bug)->stage == "plan");
  CHECK(contains(types_of(f.engine.audit(f.host, bug).value()), "agent.run_resumed"));
  CHECK(f.engine.verify(f.host, bug));
}

TEST_CASE("the same answer under one idempotency key resumes once") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"ask_person", R"({"question":"Go on?"})"}});
  f.settle();
  const ResumeRun yes{.answer = "yes"};
  REQUIRE(f.engine.resume_run(f.mia, bug, yes, {.idempotency_key = "answer-1"}));
  REQUIRE(f.engine.resume_run(f.mia, bug, yes, {.idempotency_key = "answer-1"}));
  CHECK(f.engine.resume_run(f.mia, bug, {.answer = "no"}, {.idempotency_key = "answer-1"}).error().code() ==
        errc::idempotency_conflict);
  int resumed = 0;
  for (const auto& type : types_of(f.engine.audit(f.host, bug).value())) resumed += type == "agent.run_resumed";
  CHECK(resumed == 1);
}

TEST_CASE("a model that stopped with words is told what a person said to it") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  for (int i = 0; i < 3; ++i) {
    f.settle();
    f.model.answer_text("I do not know which parser is meant");
  }
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::needs_person);
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "The new one"}));
  f.settle();
  const std::string last = last_message(f.model.requests.back());
  CHECK(last.find("The new one") != std::string::npos);
  CHECK(last.find(R"("role":"user")") != std::string::npos);
}

TEST_CASE("advice to a run that waits for a provider goes to the model with its first request, once") {
  DispatchFixture f;
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::no_provider);
  f.attach(f.provider());
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "Look at the tokenizer"}));
  f.settle();
  f.crash();
  f.clock.advance(2min);  // the hold of the dispatcher that died
  f.settle();
  const std::string& body = f.model.requests.back().body;
  const auto at = body.find("Look at the tokenizer");
  REQUIRE(at != std::string::npos);
  CHECK(body.find("Look at the tokenizer", at + 1) == std::string::npos);
  f.model.answer_calls({{"set_fields", set_triage}});
  f.settle();
  const std::string& later = f.model.requests.back().body;
  const auto again = later.find("Look at the tokenizer");
  REQUIRE(again != std::string::npos);
  CHECK(later.find("Look at the tokenizer", again + 1) == std::string::npos);
}

TEST_CASE("advice after a failing provider reaches the model behind the last result") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"set_fields", set_triage}});
  f.settle();
  f.model.answer_status(401);
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::unauthorized);
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "The key is good now"}));
  f.settle();
  const std::string last = last_message(f.model.requests.back());
  CHECK(last.find("The key is good now") != std::string::npos);
  CHECK(last.find(R"("role":"tool")") != std::string::npos);
}

TEST_CASE("a pause after failures is cut short by hand, with another provider first") {
  DispatchFixture f;
  const ProviderId first = f.provider("first"), second = f.provider("second");
  f.attach(first);
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_status(503);
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::overloaded);
  f.attach(second);
  REQUIRE(f.engine.resume_run(f.mia, bug, {.provider = second}));
  f.settle();
  CHECK(key_of(f.model.requests.back()) == "Bearer k-second");
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.run(bug).retries == 0);
}

TEST_CASE("an agent that repeats what is refused fails, and a person gives the stage another run") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  for (int i = 0; i < 3; ++i) {
    f.settle();
    f.model.answer_calls({{"no_such_tool", "{}"}});
  }
  f.settle();
  CHECK(f.run(bug).state == RunState::failed);
  CHECK(f.run(bug).reason == RunReason::no_progress);
  const auto why = f.engine.explain(f.mia, bug).value();
  CHECK(why.run_reason == RunReason::no_progress);
  CHECK(why.next.front().find("start another run") != std::string::npos);
  REQUIRE(f.engine.start_run(f.mia, bug));
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.run(bug).attempt == 2);
}

TEST_CASE("when a person starts a run and when it first works are told") {
  DispatchFixture f;
  const ItemKey bug = f.dispatched();
  const Time created = f.clock.now();
  CHECK_FALSE(f.run(bug).started_at.has_value());
  f.clock.advance(5s);
  f.attach(f.provider());
  f.settle();
  f.clock.advance(21s);
  f.settle();
  CHECK(f.run(bug).created_at == created);
  CHECK(f.run(bug).started_at == created + 5s);
}

TEST_CASE("an answer to an earlier question does not answer a later one") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"ask_person", R"({"question":"First?"})"}, {"ask_person", R"({"question":"Second?"})"}});
  f.settle();
  const std::uint32_t seen = f.run(bug).steps;
  REQUIRE(f.engine.resume_run(f.mia, bug, {.step = seen, .answer = "yes"}));
  f.settle();
  REQUIRE(f.run(bug).question == "Second?");
  CHECK(f.engine.resume_run(f.noa, bug, {.step = seen, .answer = "yes"}).error().code() == errc::run_moved_on);
  CHECK(f.run(bug).question == "Second?");
}

TEST_CASE("a question that was not asked yet is asked, whoever resumes the run before") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  StageSettings settings = f.engine.stage_settings(f.host, "TRIAGE", "triage").value();
  settings.enabled = false;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", settings));
  f.model.answer_calls({{"ask_person", R"({"question":"Which release?"})"}});
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::stage_disabled);
  settings.enabled = true;
  REQUIRE(f.engine.set_stage_settings(f.host, "TRIAGE", "triage", settings));
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "Go on"}));
  f.settle();
  CHECK(f.run(bug).question == "Which release?");
  CHECK(f.model.requests.size() == 1);
}

TEST_CASE("advice that was given twice before the model could be told is told whole") {
  DispatchFixture f;
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "use 1.3"}));
  f.settle();
  REQUIRE(f.run(bug).reason == RunReason::no_provider);
  f.attach(f.provider());
  REQUIRE(f.engine.resume_run(f.mia, bug, {.answer = "the key is good"}));
  f.settle();
  const std::string& body = f.model.requests.back().body;
  CHECK(body.find("use 1.3") != std::string::npos);
  CHECK(body.find("the key is good") != std::string::npos);
}

TEST_CASE("what a run asks is explained, and not kept in the audit") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer_calls({{"ask_person", R"({"question":"Is 4711 the customer?"})"}});
  f.settle();
  const auto why = f.engine.explain(f.mia, bug).value();
  CHECK(contains(why.next, "It asks: Is 4711 the customer?"));
  bool tells = false;
  for (const std::string& next : why.next) tells = tells || next.find("resume the run") != std::string::npos;
  CHECK(tells);
  for (const AuditEntry& entry : f.engine.audit(f.host, bug).value()) {
    CHECK(entry.note.find("4711") == std::string::npos);
  }
}
