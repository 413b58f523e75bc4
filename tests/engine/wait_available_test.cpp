#include <doctest/doctest.h>

#include <barrier>
#include <future>
#include <semaphore>
#include <thread>

#include "engine/engine_fixture.hpp"
#include "engine/hooked_storage.hpp"
#include "engine/started_run.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DeafStorage;
using tests::EngineFixture;
using tests::HookedStorage;

namespace {

/// An engine whose storage says when somebody goes to sleep in it.
struct Waiting : EngineFixture {
  std::counting_semaphore<> sleeps{0};
  HookedStorage hooked{storage};
  WorkflowEngine engine{{.storage = hooked, .clock = clock, .random = random}};
  AgentQueue queue{engine};

  Waiting() {
    hooked.on_sleep = [this](const WaitRequest&) {
      sleeps.release();
      return std::nullopt;
    };
  }

  std::future<bool> wait(QueueFilter filter = {}, Duration timeout = 1h, std::stop_token stop = {}) {
    return std::async(std::launch::async, [this, filter, timeout, stop] {
      return queue.wait_available(alpha, filter, timeout, stop).value();
    });
  }
  /// Start a waiter, and return when it is about to sleep.
  std::future<bool> wait_asleep(QueueFilter filter = {}, Duration timeout = 1h, std::stop_token stop = {}) {
    auto waiter = wait(std::move(filter), timeout, std::move(stop));
    sleeps.acquire();
    return waiter;
  }
  ItemKey create(NewItem item = {}) {
    item.workflow = "TRIAGE";
    item.title = "crash";
    return engine.create(host, item).value().key;
  }
};

}  // namespace

TEST_CASE("work that is there is found without sleeping") {
  Waiting f;
  CHECK_FALSE(f.queue.wait_available(f.alpha, {}, 0s).value());
  f.create();
  CHECK(f.queue.wait_available(f.alpha, {}, 1h).value());
  CHECK(f.queue.wait_available(f.alpha, {.domain = "BUG", .workflow = "TRIAGE", .stage = "intake"}, 1h).value());
  CHECK_FALSE(f.queue.wait_available(f.alpha, {.stage = "plan"}, 0s).value());
  CHECK(f.hooked.sleepers_max == 0);
}

TEST_CASE("a run waits for no work") {
  Waiting f;
  const Actor run = Actor::run("run_BUG-1_1", "BUG-1", "agent-alpha", 1);
  CHECK(f.queue.wait_available(run, {}, 0s).error().code() == errc::outside_run);
}

TEST_CASE("a storage that fails ends the wait with its error") {
  Waiting f;
  f.storage.fail_nth(1);
  CHECK(f.queue.wait_available(f.alpha, {}, 1h).error().code() == errc::storage_failed);
}

TEST_CASE("a new item wakes who waits for it") {
  Waiting f;
  auto waiter = f.wait_asleep({.domain = "BUG"});
  f.create();
  CHECK(waiter.get());
}

TEST_CASE("an item that is released wakes who waits for it") {
  Waiting f;
  const ItemKey key = f.create();
  REQUIRE(f.engine.claim(f.beta, key));
  auto waiter = f.wait_asleep();
  REQUIRE(f.engine.release(f.beta, key));
  CHECK(waiter.get());
}

TEST_CASE("a hold that runs out wakes who waits for the item") {
  Waiting f;
  REQUIRE(f.engine.claim(f.beta, f.create(), {.hold = 60s}));
  auto waiter = f.wait_asleep();
  f.clock.advance(60s);
  f.hooked.wake();
  CHECK(waiter.get());
}

TEST_CASE("an item whose dependency is resolved wakes who waits for it") {
  Waiting f;
  const ItemKey first = f.create({.execution_target = ExecutionTarget::human});
  f.create({.depends_on = {first}});
  REQUIRE(f.engine.transition(f.mia, first, "triaging"));
  auto waiter = f.wait_asleep();
  REQUIRE(f.engine.complete(f.mia, first, {"rejected"}));
  CHECK(waiter.get());
}

TEST_CASE("an item that is handed to agents wakes who waits for it") {
  Waiting f;
  const ItemKey key = f.create({.execution_target = ExecutionTarget::human});
  auto waiter = f.wait_asleep();
  REQUIRE(f.engine.update(f.mia, key, {.execution_target = ExecutionTarget::agent}));
  CHECK(waiter.get());
}

TEST_CASE("an item of another engine on the same storage wakes who waits for it") {
  Waiting f;
  auto waiter = f.wait_asleep();
  REQUIRE(f.EngineFixture::engine.create(f.host, {.workflow = "TRIAGE", .title = "from elsewhere"}));
  CHECK(waiter.get());
}

TEST_CASE("a run's hold that runs out wakes who waits for the item") {
  Waiting f;
  const ItemKey key = f.create();
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(tests::start_run(f.engine, key, "openindex-dispatcher", 60s));
  auto waiter = f.wait_asleep();
  f.clock.advance(61s);
  f.hooked.wake();
  CHECK(waiter.get());
  CHECK(f.queue.available(f.alpha)->items.size() == 1);
  CHECK(f.queue.claim_next(f.alpha).value().has_value());
}

TEST_CASE("work in a domain where the agent's person may not work wakes nobody, and once they may, it does") {
  Waiting f;
  REQUIRE(f.engine.create_domain(f.host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::viewer));
  const Actor agent = Actor::agent("agent-alpha", "noa");
  f.create();
  CHECK_FALSE(f.queue.wait_available(agent, {}, 0s).value());
  CHECK_FALSE(f.queue.claim_next(agent).value().has_value());
  auto waiter = std::async(std::launch::async, [&] { return f.queue.wait_available(agent, {}, 1h).value(); });
  f.sleeps.acquire();
  f.create();
  REQUIRE(f.engine.set_member(f.mia, "BUG", "noa", Role::member));
  f.create();
  CHECK(waiter.get());
  CHECK(f.queue.claim_next(agent).value().has_value());
}

TEST_CASE("what does not match wakes nobody") {
  Waiting f;
  std::stop_source stop;
  auto waiter = f.wait_asleep({.stage = "plan"}, 1h, stop.get_token());
  f.create();
  REQUIRE(f.engine.claim(f.beta, f.create()));
  stop.request_stop();
  CHECK_FALSE(waiter.get());
}

TEST_CASE("a stop ends every wait") {
  Waiting f;
  std::stop_source stop;
  auto lookout = f.wait_asleep({}, 1h, stop.get_token());
  auto other = f.wait({}, 1h, stop.get_token());
  stop.request_stop();
  CHECK_FALSE(lookout.get());
  CHECK_FALSE(other.get());
  CHECK_FALSE(f.queue.wait_available(f.alpha, {}, 1h, stop.get_token()).value());
}

TEST_CASE("a wait ends at its deadline by the engine's clock") {
  Waiting f;
  auto lookout = f.wait_asleep({}, 10s);
  f.clock.advance(9s);
  f.hooked.wake();
  f.sleeps.acquire();  // it looked, and sleeps again
  f.clock.advance(1s);
  f.hooked.wake();
  CHECK_FALSE(lookout.get());
}

TEST_CASE("one of many waits in the storage, and nobody looks while nothing happens") {
  Waiting f;
  std::stop_source stop;
  auto lookout = f.wait_asleep({}, 1h, stop.get_token());
  std::vector<std::future<bool>> others;
  for (int i = 0; i < 20; ++i) others.push_back(f.wait({.stage = i % 2 == 0 ? "intake" : "plan"}, 1h));
  while (f.hooked.scans < 5 + 20 * 3) std::this_thread::yield();  // three scans each, and two for what is due next
  const int looked = f.hooked.scans;
  stop.request_stop();  // the lookout leaves: another takes its place
  CHECK_FALSE(lookout.get());
  f.sleeps.acquire();
  CHECK(f.hooked.scans == looked + 6);  // a look for each of two filters; two for holds, two for what is due next
  const ItemKey key = f.create();
  for (std::size_t i = 0; i < others.size(); i += 2) CHECK(others[i].get());
  REQUIRE(f.engine.transition(f.mia, key, "triaging"));
  REQUIRE(f.engine.set_fields(f.mia, key, {{"severity", "high"}, {"component", "parser"}}));
  REQUIRE(f.engine.progress(f.mia, key, {.gate = "triage_to_plan", .accept_text = true}));
  for (std::size_t i = 1; i < others.size(); i += 2) CHECK(others[i].get());
  CHECK(f.hooked.sleepers_max == 1);
}

TEST_CASE("under a clock that stands still, sleeping for a deadline becomes rarer and rarer") {
  Waiting f;
  REQUIRE(f.engine.claim(f.beta, f.create(), {.hold = 1s}));
  std::vector<Duration> sleeps;
  std::stop_source stop;
  f.hooked.on_sleep = [&](const WaitRequest& request) {
    sleeps.push_back(request.timeout);
    if (sleeps.size() == 5) stop.request_stop();
    return Changed{request.seen};  // as if the time had passed
  };
  CHECK_FALSE(f.queue.wait_available(f.alpha, {}, 24h, stop.get_token()).value());
  CHECK(sleeps == std::vector<Duration>{1s, 2s, 4s, 8s, 16s});
}

namespace {

/// Let a waiter and a creator run at the same time, again and again. @returns how many waits missed the item.
int race(AgentQueue& queue, WorkflowEngine& creator, int rounds) {
  const Actor alpha = Actor::agent("agent-alpha");
  const Actor host = Actor::system("host");
  std::barrier start(2);
  std::barrier end(2);
  int missed = 0;
  std::thread waiter([&] {
    for (int i = 0; i < rounds; ++i) {
      start.arrive_and_wait();
      const Duration before = system_clock().steady();
      const auto found = queue.wait_available(alpha, {}, 10s);
      if (!found || !*found || system_clock().steady() - before >= 10s) ++missed;
      end.arrive_and_wait();
    }
  });
  testing::SeededRandom random(3);
  std::atomic<std::uint64_t> spun = 0;
  for (int i = 0; i < rounds; ++i) {
    start.arrive_and_wait();
    for (std::uint64_t spin = random.next() % 60'000; spin > 0; --spin) spun.fetch_add(1, std::memory_order_relaxed);
    const ItemKey key = creator.create(host, {.workflow = "TRIAGE", .title = "crash"}).value().key;
    end.arrive_and_wait();
    static_cast<void>(creator.claim(alpha, key).value());
  }
  waiter.join();
  return missed;
}

}  // namespace

TEST_CASE("no race of a waiter and a creator of the same engine misses the item, though the storage tells nothing") {
  EngineFixture f;
  DeafStorage deaf(f.memory);
  WorkflowEngine engine({.storage = deaf});
  AgentQueue queue(engine);
  CHECK(race(queue, engine, 2000) == 0);
}

TEST_CASE("no race of a waiter and a creator of another engine misses the item") {
  EngineFixture f;
  WorkflowEngine engine({.storage = f.memory});
  WorkflowEngine creator({.storage = f.memory});
  AgentQueue queue(engine);
  CHECK(race(queue, creator, 2000) == 0);
}
