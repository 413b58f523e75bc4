#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::accept;
using tests::DispatchFixture;
using tests::set_triage;

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
    const auto why = f.engine.explain(f.host, bug).value();
    CHECK(why.summary.find("malformed_reply") != std::string::npos);
    CHECK(why.next.at(0).find("endpoint of the provider " + f.run(bug).provider) != std::string::npos);
  }
}

TEST_CASE("a run whose provider the egress policy refuses says where to allow it") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer(Error(errc::http_refused_by_policy));
  f.settle();
  CHECK(f.run(bug).reason == RunReason::rejected_request);
  const auto why = f.engine.explain(f.host, bug).value();
  CHECK(why.next.at(0).find("allow the address in the host's egress policy") != std::string::npos);
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

TEST_CASE("an answer larger than the client takes in is waited out like garbage") {
  DispatchFixture f;
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer(errc::http_too_large);
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::malformed_reply);
  CHECK(f.run(bug).due_at);
}
