// The switches: nobody works any more, at once, and everything goes on when they are taken back.
#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::accept;
using tests::DispatchFixture;
using tests::set_triage;

TEST_CASE("when agents are stopped, requests in flight are cancelled and runs wait until they may work again") {
  for (const char* scope : {"", "TRIAGE"}) {
    CAPTURE(scope);
    DispatchFixture f;
    f.attach(f.provider());
    const ItemKey working = f.dispatched();
    f.settle();
    REQUIRE(f.model.waiting.size() == 1);
    REQUIRE(f.engine.stop_agents(f.mia, {.workflow = scope, .reason = "they delete things"}));
    f.settle();
    CHECK(f.model.cancelled.size() == 1);
    CHECK(f.dispatcher->step()->in_flight == 0);
    const ItemKey fresh = f.dispatched();
    f.settle();
    for (const ItemKey& key : {working, fresh}) {
      CHECK(f.run(key).state == RunState::waiting);
      CHECK(f.run(key).reason == RunReason::agents_stopped);
      CHECK(f.run(key).detail.find("they delete things") != std::string::npos);
      CHECK(f.engine.explain(f.mia, key)->summary.find("agents_stopped") != std::string::npos);
    }
    f.model.answer_calls({{"add_comment", R"({"body":"too late"})"}});
    f.clock.advance(1h);
    f.settle();
    CHECK(f.engine.comments(f.host, working)->empty());
    CHECK(f.model.requests.size() == 1);
    REQUIRE(f.engine.let_agents_work(f.mia, scope));
    f.settle();
    CHECK(f.run(working).state == RunState::running);
    CHECK(f.run(fresh).state == RunState::running);
    CHECK(f.engine.verify_all(f.host));
  }
}

TEST_CASE("agents of another workflow go on") {
  DispatchFixture f;
  Workflow other = tests::triage_workflow();
  other.id = "OTHER";
  REQUIRE(f.engine.save(f.host, other));
  f.attach(f.provider());
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.engine.stop_agents(f.host, {.workflow = "OTHER"}));
  f.settle();
  CHECK(f.model.cancelled.empty());
  CHECK(f.run(bug).state == RunState::running);
  f.model.answer_calls({{"set_fields", set_triage}, {"progress_triage_to_plan", accept}});
  f.settle();
  CHECK(f.engine.get(f.host, bug)->stage == "plan");
}

TEST_CASE("agents that work by hand can do nothing but release what they hold; people work on") {
  DispatchFixture f;
  const ItemKey held = f.bug(), free = f.bug();
  REQUIRE(f.engine.claim(f.alpha, held));
  REQUIRE(f.engine.stop_agents(f.mia, {.reason = "wait"}));
  const auto refused = f.engine.claim(f.alpha, free);
  REQUIRE(refused.error().code() == errc::agents_stopped);
  CHECK(refused.error().context("by") == "mia");
  CHECK(f.engine.comment(f.alpha, held, "still here").error().code() == errc::agents_stopped);
  CHECK(f.engine.heartbeat(f.alpha, held).error().code() == errc::agents_stopped);
  CHECK(f.engine.create(f.alpha, {.workflow = "TRIAGE", .title = "More work"}).error().code() == errc::agents_stopped);
  CHECK_FALSE(f.queue.claim_next(f.alpha).value_or(std::nullopt).has_value());
  CHECK(f.engine.comment(f.mia, held, "A person may"));
  CHECK(f.engine.release(f.alpha, held));
  REQUIRE(f.engine.let_agents_work(f.mia, {}));
  CHECK(f.engine.claim(f.alpha, free));
}

TEST_CASE("another process hears of the switch within a second") {
  DispatchFixture f;
  WorkflowEngine other{{.storage = f.storage, .clock = f.clock, .random = f.random}};
  const ItemKey bug = f.bug();
  REQUIRE(other.claim(f.alpha, bug));
  REQUIRE(f.engine.stop_agents(f.host, {}));
  f.clock.advance(1s);
  CHECK(other.comment(f.alpha, bug, "too late").error().code() == errc::agents_stopped);
}

TEST_CASE("who may stop agents: admins of the workflow's domain, and for all of them the host and its administrators") {
  DispatchFixture f;
  REQUIRE(f.engine.create_domain(f.host, {.key = "CARE", .name = "Care", .owner = "olga"}));
  REQUIRE(f.engine.set_member(f.host, "CARE", "mia", Role::member));
  Workflow care = tests::triage_workflow();
  care.id = "CARE_BUGS";
  care.domain = "CARE";
  REQUIRE(f.engine.save(f.host, care));
  const Actor olga = Actor::person("olga", Scope::read_write);
  CHECK(f.engine.stop_agents(f.mia, {.workflow = "CARE_BUGS"}).error().code() == errc::not_permitted);
  CHECK(f.engine.stop_agents(f.noa, {.workflow = "CARE_BUGS"}).error().code() == errc::not_found);
  CHECK(f.engine.stop_agents(f.host, {.workflow = "NONE"}).error().code() == errc::not_found);
  CHECK(f.engine.stop_agents(f.alpha, {}).error().code() == errc::not_permitted);
  CHECK(f.engine.stop_agents(olga, {}).error().code() == errc::not_permitted);
  CHECK(f.engine.let_agents_work(f.alpha, {}).error().code() == errc::not_permitted);
  CHECK(f.engine.stop_agents(f.host, {.reason = std::string(2001, 'x')}).error().code() == errc::invalid_argument);
  CHECK(f.engine.stopped_agents(f.host)->empty());
  REQUIRE(f.engine.stop_agents(olga, {.workflow = "CARE_BUGS", .reason = "holiday"}));
  const auto stops = f.engine.stopped_agents(f.host).value();
  REQUIRE(stops.size() == 1);
  CHECK(stops[0].workflow == WorkflowId("CARE_BUGS"));
  CHECK(stops[0].by == "olga");
  CHECK(stops[0].since == f.clock.now());
  CHECK(f.engine.stopped_agents(f.noa)->empty());
}

TEST_CASE("stopping twice is told once, and every switch is audited") {
  DispatchFixture f;
  REQUIRE(f.engine.stop_agents(f.mia, {.reason = "first"}));
  REQUIRE(f.engine.stop_agents(f.host, {.reason = "second"}));
  CHECK(f.engine.stopped_agents(f.host)->front().reason == "first");
  REQUIRE(f.engine.let_agents_work(f.mia, {}));
  REQUIRE(f.engine.let_agents_work(f.mia, {}));
  std::vector<std::string> types;
  const auto page = f.engine.audit_entries(f.host, {.type = "agents."}).value();
  for (const AuditEntry& entry : page.entries) {
    types.push_back(entry.type + " by " + entry.actor);
  }
  CHECK(types == std::vector<std::string>{"agents.stopped by mia", "agents.let_work by mia"});
  CHECK(f.engine.verify_all(f.host));
}

TEST_CASE("a provider that is disabled loses its requests in flight at once") {
  DispatchFixture f;
  const ProviderId first = f.provider("first");
  f.attach(first);
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  REQUIRE(f.providers.update(f.host, first, {.enabled = false}));
  f.settle();
  CHECK(f.model.cancelled.size() == 1);
  CHECK(f.run(bug).reason == RunReason::provider_disabled);
  REQUIRE(f.providers.update(f.host, first, {.enabled = true}));
  f.settle();
  CHECK(f.run(bug).state == RunState::running);
  CHECK(f.model.requests.size() == 2);
}

TEST_CASE("a storage that fails for a moment is no switch") {
  for (std::uint64_t nth = 1; nth < 40; ++nth) {
    CAPTURE(nth);
    DispatchFixture f;
    f.attach(f.provider());
    const ItemKey bug = f.dispatched();
    f.settle();
    f.model.answer_calls({{"set_fields", set_triage}});
    f.clock.advance(2s);
    f.storage.fail_nth(nth);
    static_cast<void>(f.dispatcher->step().has_value());
    f.storage.heal();
    CHECK(f.run(bug).reason != RunReason::agents_stopped);
  }
}

TEST_CASE("nobody waits for work in vain, and nobody is told of work that agents may not do") {
  DispatchFixture f;
  static_cast<void>(f.bug());
  REQUIRE(f.queue.wait_available(f.alpha, {}, 0ms).value());
  REQUIRE(f.engine.stop_agents(f.host, {}));
  CHECK_FALSE(f.queue.wait_available(f.alpha, {}, 0ms).value());
  CHECK(f.queue.available(f.alpha)->items.empty());
  REQUIRE(f.engine.let_agents_work(f.host, {}));
  CHECK(f.queue.wait_available(f.alpha, {}, 0ms).value());
}

TEST_CASE("switches are told to those who may know of them") {
  DispatchFixture f;
  REQUIRE(f.engine.create_domain(f.host, {.key = "CARE", .name = "Care", .owner = "olga"}));
  Workflow care = tests::triage_workflow();
  care.id = "CARE_BUGS";
  care.domain = "CARE";
  REQUIRE(f.engine.save(f.host, care));
  REQUIRE(f.engine.stop_agents(f.host, {.workflow = "CARE_BUGS", .reason = "secret reorganisation"}));
  const auto entries_of = [&](const Actor& actor) {
    return f.engine.audit_entries(actor, {.type = "agents."})->entries.size();
  };
  CHECK(entries_of(f.host) == 1);
  CHECK(entries_of(Actor::person("eve", Scope::read_write)) == 0);
  CHECK(entries_of(f.alpha) == 0);
  const auto created = f.engine.create(Actor::agent("agent-alpha", "eve"), {.workflow = "CARE_BUGS", .title = "Hello"});
  CHECK(created.error().code() != errc::agents_stopped);
}
