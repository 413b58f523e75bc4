#include <doctest/doctest.h>

#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <openindex/adapters/thread_executor.hpp>

#include "engine/engine_fixture.hpp"
#include "engine/hooked_storage.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::EngineFixture;
using tests::HookedStorage;

namespace {

/// Events as they come, for tests in which they come in this thread.
struct Collected {
  std::vector<Event> events;
  EventListener listener() {
    return [this](const Event& event) { events.push_back(event); };
  }
  [[nodiscard]] std::vector<std::uint64_t> versions() const {
    std::vector<std::uint64_t> out;
    for (const Event& event : events) out.push_back(event.version);
    return out;
  }
};

/// An executor that runs nothing until the test says so.
struct Postponed {
  std::vector<std::function<void()>> posted;
  Executor executor() {
    return [this](std::function<void()> function) { posted.push_back(std::move(function)); };
  }
  void run() {
    for (auto& function : std::exchange(posted, {})) function();
  }
};

using Versions = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("an event says what a commit left behind") {
  EngineFixture f;
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  const ItemKey key = f.bug();
  const auto claimed = f.engine.claim(f.alpha, key);
  REQUIRE(claimed);
  REQUIRE(seen.events.size() == 2);
  CHECK(seen.events[0].types == std::vector<std::string>{"work_item.created"});
  CHECK(seen.events[0].actor == "host");
  CHECK(seen.events[0].version == 1);
  const Event& event = seen.events[1];
  CHECK(event.item == key);
  CHECK(event.domain == "BUG");
  CHECK(event.workflow == WorkflowId("TRIAGE"));
  CHECK(event.stage == "triage");
  CHECK(event.status == "triaging");
  CHECK(event.version == claimed->version);
  CHECK(event.actor == "agent-alpha");
  CHECK(event.at == f.clock.now());
  CHECK(event.missed == 0);
  auto types = f.audit_types(key);
  types.erase(types.begin());
  CHECK(event.types == types);
}

TEST_CASE("refusals and heartbeats are no events") {
  EngineFixture f;
  const ItemKey key = f.bug();
  REQUIRE(f.engine.claim(f.alpha, key));
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  REQUIRE(f.engine.heartbeat(f.alpha, key));
  REQUIRE_FALSE(f.engine.claim(f.beta, key));
  CHECK(seen.events.empty());
  REQUIRE(f.engine.comment(f.mia, key, "hello"));
  CHECK(seen.events.size() == 1);
}

TEST_CASE("an item that a commit changes alongside has an event of its own") {
  EngineFixture f;
  const ItemKey first = f.bug();
  const ItemKey second =
      f.engine.create(f.host, {.workflow = "TRIAGE", .title = "later", .depends_on = {first}}).value().key;
  REQUIRE(f.engine.transition(f.mia, first, "triaging"));
  Collected seen;
  const auto subscription = f.engine.subscribe({.item = second}, inline_executor(), seen.listener());
  REQUIRE(f.engine.complete(f.mia, first, {"rejected"}));
  REQUIRE(seen.events.size() == 1);
  CHECK(seen.events[0].types == std::vector<std::string>{"work_item.dependency_resolved"});
  CHECK(seen.events[0].version == f.engine.get(f.host, second)->version);
}

TEST_CASE("a filter lets through what matches all of it") {
  EngineFixture f;
  const ItemKey key = f.bug();
  const auto count = [&](EventFilter filter) {
    Collected seen;
    const auto subscription = f.engine.subscribe(std::move(filter), inline_executor(), seen.listener());
    const ItemKey other = f.bug();
    REQUIRE(f.engine.claim(f.alpha, other));
    REQUIRE(f.engine.comment(f.mia, key, "hello"));
    return seen.events.size();
  };
  CHECK(count({}) == 3);
  CHECK(count({.domain = "BUG"}) == 3);
  CHECK(count({.domain = "OPS"}) == 0);
  CHECK(count({.workflow = "TRIAGE"}) == 3);
  CHECK(count({.workflow = "OTHER"}) == 0);
  CHECK(count({.stage = "triage"}) == 1);
  CHECK(count({.item = key}) == 1);
  CHECK(count({.type = "agent.claimed"}) == 1);
  CHECK(count({.stage = "intake", .type = "agent.claimed"}) == 0);
}

TEST_CASE("events of one item come in the order of its versions though the commits return in the other order") {
  EngineFixture f;
  HookedStorage storage(f.storage);
  WorkflowEngine engine({.storage = storage, .clock = f.clock, .random = f.random});
  const ItemKey key = f.bug();
  Collected seen;
  const auto subscription = engine.subscribe({}, inline_executor(), seen.listener());

  std::latch committed(1);
  std::latch may_return(1);
  std::atomic<bool> first = true;
  storage.on_committed = [&] {
    if (!first.exchange(false)) return;
    committed.count_down();
    may_return.wait();
  };
  std::thread slow([&] { static_cast<void>(engine.comment(f.mia, key, "version 2").value()); });
  committed.wait();
  REQUIRE(engine.comment(f.noa, key, "version 3"));
  CHECK(seen.events.empty());
  REQUIRE(engine.comment(f.noa, f.bug(), "another item does not wait"));
  CHECK(seen.versions() == Versions{2});
  may_return.count_down();
  slow.join();
  CHECK(seen.versions() == Versions{2, 2, 3});
}

TEST_CASE("an attempt that fails holds nothing up") {
  EngineFixture f;
  const ItemKey key = f.bug();
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  f.storage.fail_nth(1);
  REQUIRE_FALSE(f.engine.comment(f.mia, key, "lost"));
  REQUIRE(f.engine.comment(f.mia, key, "kept"));
  CHECK(seen.versions() == Versions{2});
}

TEST_CASE("a commit whose answer was lost is told of when it is found to have happened") {
  EngineFixture f;
  const ItemKey key = f.bug();
  Collected seen;
  const auto subscription = f.engine.subscribe({}, inline_executor(), seen.listener());
  f.storage.fail_nth(1, testing::FaultyStorage::Fault::after);
  REQUIRE(f.engine.comment(f.host, key, "kept"));
  CHECK(seen.versions() == Versions{2});
}

TEST_CASE("a commit whose fate stays unknown is said to be missed") {
  EngineFixture f;
  HookedStorage storage(f.storage);
  WorkflowEngine engine({.storage = storage, .clock = f.clock, .random = f.random});
  const ItemKey key = engine.create(f.host, {.workflow = "TRIAGE", .title = "crash"}).value().key;
  Collected seen;
  const auto subscription = engine.subscribe({}, inline_executor(), seen.listener());
  f.storage.fail_nth(1, testing::FaultyStorage::Fault::after);
  storage.on_committed = [&] { f.storage.fail_nth(1); };  // and it cannot be looked up either
  CHECK(engine.comment(f.host, key, "kept").error().code() == errc::commit_unknown);
  REQUIRE(seen.events.size() == 1);
  CHECK(seen.events[0].missed == 1);
  CHECK(seen.events[0].item.empty());
}

TEST_CASE("a commit that was under way when somebody subscribed is said to be missed") {
  EngineFixture f;
  HookedStorage storage(f.storage);
  WorkflowEngine engine({.storage = storage, .clock = f.clock, .random = f.random});
  const ItemKey key = f.bug();
  Collected seen;
  Subscription subscription;
  storage.on_committed = [&] { subscription = engine.subscribe({}, inline_executor(), seen.listener()); };
  REQUIRE(engine.comment(f.mia, key, "first"));
  storage.on_committed = nullptr;
  REQUIRE(seen.events.size() == 1);
  CHECK(seen.events[0].missed == 1);
  REQUIRE(engine.comment(f.mia, key, "second"));
  CHECK(seen.versions() == Versions{0, 3});
}

TEST_CASE("eight threads that hammer one item are told of in order, each change once") {
  EngineFixture f;
  const ItemKey key = f.bug();
  constexpr std::uint64_t each = 200;
  std::vector<std::uint64_t> versions;
  std::promise<void> all;
  ThreadExecutor thread;
  const auto subscription = f.engine.subscribe({.item = key}, thread.executor(), [&](const Event& event) {
    versions.push_back(event.version);
    if (versions.size() == 8 * each) all.set_value();
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t made = 0; made < each;) made += f.engine.comment(f.mia, key, "hello") ? 1u : 0u;
    });
  }
  for (auto& hammering : threads) hammering.join();
  REQUIRE(all.get_future().wait_for(60s) == std::future_status::ready);
  Versions expected;
  for (std::uint64_t i = 0; i < 8 * each; ++i) expected.push_back(i + 2);
  CHECK(versions == expected);
}

TEST_CASE("a listener that throws gets the next event all the same") {
  EngineFixture f;
  int calls = 0;
  const auto subscription = f.engine.subscribe({}, inline_executor(), [&](const Event&) {
    ++calls;
    throw std::runtime_error("not today");
  });
  const ItemKey key = f.bug();
  CHECK(f.engine.comment(f.mia, key, "hello"));
  CHECK(calls == 2);
}

TEST_CASE("what an executor refused comes with the next event") {
  EngineFixture f;
  Collected seen;
  bool refuse = true;
  const Executor executor = [&](const std::function<void()>& function) {
    if (refuse) throw std::runtime_error("too busy");
    function();
  };
  const auto subscription = f.engine.subscribe({}, executor, seen.listener());
  const ItemKey key = f.bug();
  CHECK(seen.events.empty());
  refuse = false;
  CHECK(f.engine.comment(f.mia, key, "hello"));
  CHECK(seen.versions() == Versions{1, 2});
}

TEST_CASE("a listener that blocks does not hold up commits") {
  EngineFixture f;
  const ItemKey key = f.bug();
  ThreadExecutor thread;
  std::latch commits_returned(1);
  std::latch told(20);
  const auto subscription = f.engine.subscribe({}, thread.executor(), [&](const Event&) {
    commits_returned.wait();
    told.count_down();
  });
  for (int i = 0; i < 20; ++i) CHECK(f.engine.comment(f.mia, key, "hello"));
  commits_returned.count_down();
  told.wait();
}

TEST_CASE("a listener that falls too far behind loses the oldest events and is told how many") {
  EngineFixture f;
  const ItemKey key = f.bug();
  Collected seen;
  Postponed later;
  const auto subscription = f.engine.subscribe({}, later.executor(), seen.listener());
  const std::uint64_t count = Subscription::events_max + 5;
  for (std::uint64_t i = 0; i < count; ++i) REQUIRE(f.engine.comment(f.mia, key, "hello"));
  REQUIRE(later.posted.size() == 1);
  later.run();
  REQUIRE(seen.events.size() == Subscription::events_max + 1);
  CHECK(seen.events[0].missed == 5);
  CHECK(seen.events[0].item.empty());
  CHECK(seen.events[1].version == 7);  // the first comment made version 2
  CHECK(seen.events.back().version == count + 1);
  CHECK(seen.events.back().missed == 0);
}

TEST_CASE("a listener may change items, and is told of it after it returned") {
  EngineFixture f;
  std::vector<std::string> log;
  const auto subscription = f.engine.subscribe({}, inline_executor(), [&](const Event& event) {
    log.push_back("begin " + std::to_string(event.version));
    if (event.version == 1) CHECK(f.engine.comment(f.host, event.item, "welcome"));
    log.push_back("end " + std::to_string(event.version));
  });
  f.bug();
  CHECK(log == std::vector<std::string>{"begin 1", "end 1", "begin 2", "end 2"});
}

TEST_CASE("a subscription that ends inside its own listener hears no more") {
  EngineFixture f;
  const ItemKey key = f.bug();
  ThreadExecutor thread;
  for (const Executor& executor : {inline_executor(), thread.executor()}) {
    int calls = 0;
    std::latch ended(1);
    Subscription subscription;
    subscription = f.engine.subscribe({}, executor, [&](const Event&) {
      ++calls;
      Subscription(std::move(subscription)).close();
      ended.count_down();
    });
    REQUIRE(f.engine.comment(f.mia, key, "hello"));
    ended.wait();
    REQUIRE(f.engine.comment(f.mia, key, "hello again"));
    CHECK(calls == 1);
  }
}

TEST_CASE("two listeners that end each other's subscription do not wait for each other") {
  EngineFixture f;
  ThreadExecutor first_thread;
  ThreadExecutor second_thread;
  Subscription first;
  Subscription second;
  std::latch both_run(2);
  std::latch both_ended(2);
  first = f.engine.subscribe({}, first_thread.executor(), [&](const Event&) {
    both_run.arrive_and_wait();
    second.close();
    both_ended.count_down();
  });
  second = f.engine.subscribe({}, second_thread.executor(), [&](const Event&) {
    both_run.arrive_and_wait();
    first.close();
    both_ended.count_down();
  });
  f.bug();
  both_ended.wait();
}

TEST_CASE("once a subscription has ended its listener runs no more") {
  EngineFixture f;
  const ItemKey key = f.bug();
  ThreadExecutor thread;
  std::atomic<bool> enough = false;
  std::thread busy([&] {
    while (!enough) static_cast<void>(f.engine.comment(f.mia, key, "hello").value());
  });
  std::atomic<int> late = 0;
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> ending = false;
    std::atomic<bool> ended = false;
    std::latch told(1);
    bool first = true;
    auto subscription = f.engine.subscribe({}, thread.executor(), [&](const Event&) {
      if (std::exchange(first, false)) told.count_down();
      while (!ending) std::this_thread::yield();
      for (int i = 0; i < 50; ++i) std::this_thread::yield();
      if (ended) ++late;
    });
    told.wait();
    ending = true;
    subscription.close();
    ended = true;
  }
  enough = true;
  busy.join();
  CHECK(late == 0);
}

TEST_CASE("what waits when a subscription ends is dropped, and what its listener holds is let go") {
  EngineFixture f;
  Postponed later;
  const auto held = std::make_shared<int>(0);
  auto subscription = f.engine.subscribe({}, later.executor(), [held](const Event&) { ++*held; });
  f.bug();
  subscription.close();
  CHECK(held.use_count() == 1);
  later.run();
  CHECK(*held == 0);
}

TEST_CASE("a subscription may outlive its engine") {
  EngineFixture f;
  Collected seen;
  Postponed later;
  Subscription subscription;
  {
    WorkflowEngine engine({.storage = f.storage, .clock = f.clock, .random = f.random});
    subscription = engine.subscribe({}, later.executor(), seen.listener());
    REQUIRE(engine.create(f.host, {.workflow = "TRIAGE", .title = "crash"}));
  }
  later.run();
  CHECK(seen.versions() == Versions{1});
}
