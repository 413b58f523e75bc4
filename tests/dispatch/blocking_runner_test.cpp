// Agents that are plain functions: what becomes of their run, and who stops them.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

#include <openindex/agent/blocking_runner.hpp>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

const Progress accepted{.accept_text = true};

// Functions run when the test says so, on its own thread: whatever it does inside happens in the middle of the work.
struct BlockingFixture : DispatchFixture {
  std::vector<std::function<void()>> posted;
  HostWork work = [](AgentSession&, std::stop_token) -> Result<void> { return {}; };
  int begun = 0;
  bool stopped = false;
  BlockingRunner runner{
      [this](AgentSession& session, std::stop_token stop) -> Result<void> {
        ++begun;
        auto result = work(session, stop);
        stopped = stop.stop_requested();
        return result;
      },
      {.executor = [this](std::function<void()> function) { posted.push_back(std::move(function)); }}};

  BlockingFixture() { start_dispatcher(); }
  ~BlockingFixture() { dispatcher = nullptr; }

  void start_dispatcher() {
    dispatcher = std::make_unique<Dispatcher>(
        Dispatcher::Options{.engine = engine, .providers = providers, .http = model, .hold = 60s, .stop_grace = 5s});
    dispatcher->add_runner("chat", runner);
  }
  /// Run what was posted first.
  void work_now() {
    auto function = std::move(posted.front());
    posted.erase(posted.begin());
    function();
  }
  ItemKey posted_run() {
    const ItemKey key = dispatched();
    settle();
    REQUIRE(posted.size() == 1);
    return key;
  }
};

}  // namespace

TEST_CASE("a function works an item through its session, and its run succeeds when the item leaves the stage") {
  BlockingFixture f;
  f.work = [](AgentSession& session, std::stop_token) -> Result<void> {
    if (auto set = session.set_fields({{"severity", "high"}, {"component", "parser"}}); !set) return set;
    if (auto told = session.comment("Looked at it"); !told) return told;
    return session.progress("triage_to_plan", accepted);
  };
  const ItemKey bug = f.posted_run();
  CHECK(f.run(bug).state == RunState::running);
  f.work_now();
  const auto runs = f.engine.runs(f.host, bug).value();
  REQUIRE(runs.size() == 2);
  CHECK(runs[1].state == RunState::succeeded);
  f.settle();
  CHECK(f.engine.get(f.host, bug)->stage == "plan");
  CHECK(f.engine.comments(f.host, bug)->size() == 1);
  CHECK(f.posted.size() == 1);  // of the next stage
  CHECK(f.engine.verify(f.host, bug));
}

TEST_CASE("a function that returns and leaves the item where it is asks for a person") {
  BlockingFixture f;
  const ItemKey bug = f.posted_run();
  f.work_now();
  CHECK(f.engine.get(f.host, bug)->hold.has_value());  // dropping the session does not let go of the run's hold
  f.settle();
  CHECK(f.run(bug).reason == RunReason::needs_person);
  CHECK_FALSE(f.engine.get(f.host, bug)->hold.has_value());
  REQUIRE(f.engine.resume_run(f.mia, bug));
  f.settle();
  CHECK(f.posted.size() == 1);
}

TEST_CASE("a function that fails or throws ends its run with its words") {
  for (const bool throws : {false, true}) {
    CAPTURE(throws);
    BlockingFixture f;
    f.work = [throws](AgentSession&, std::stop_token) -> Result<void> {
      if (throws) throw std::runtime_error("no compiler here");
      return Error(errc::host_callback_failed, "no compiler here");
    };
    const ItemKey bug = f.posted_run();
    f.work_now();
    f.settle();
    CHECK(f.run(bug).state == RunState::failed);
    CHECK(f.run(bug).reason == RunReason::runner_failed);
    CHECK(f.run(bug).detail.find("no compiler here") != std::string::npos);
  }
}

TEST_CASE("the hold is kept alive while a function works for long") {
  BlockingFixture f;
  f.work = [&f](AgentSession&, std::stop_token stop) -> Result<void> {
    for (int i = 0; i < 10; ++i) {
      f.clock.advance(21s);
      static_cast<void>(f.dispatcher->step().value());
    }
    CHECK_FALSE(stop.stop_requested());
    return {};
  };
  const ItemKey bug = f.posted_run();
  f.work_now();
  CHECK(f.engine.get(f.host, bug)->hold->deadline > f.clock.now());
  CHECK(f.engine.get(f.host, bug)->hold->epoch == 1);
}

TEST_CASE("a function is stopped when the run is no longer its own, and what it writes then is refused") {
  BlockingFixture f;
  errc refused{};
  ItemKey bug;
  std::function<void()> happens;
  f.work = [&](AgentSession& session, std::stop_token) -> Result<void> {
    happens();
    static_cast<void>(f.dispatcher->step().value());
    auto written = session.comment("still here");
    if (!written) refused = written.error().code();
    return written;
  };
  SUBCASE("the run is cancelled") {
    happens = [&] { static_cast<void>(f.engine.cancel_run(f.mia, bug).value()); };
  }
  SUBCASE("an agent takes the item") {
    happens = [&] { static_cast<void>(f.engine.take_over(f.mia, bug, {.agent = "agent-alpha"}).value()); };
  }
  SUBCASE("the item leaves the stage by another hand") {
    happens = [&] { static_cast<void>(f.engine.transition(f.mia, bug, "rejected").value()); };
  }
  SUBCASE("agents are stopped") {
    happens = [&] { f.engine.stop_agents(f.mia, {}).value(); };
  }
  SUBCASE("the stage is disabled") {
    happens = [&] { f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.enabled = false}).value(); };
  }
  SUBCASE("its time is up") {
    happens = [&] { f.engine.set_stage_settings(f.host, "TRIAGE", "triage", {.deadline = 1s}).value(); };
    f.clock.advance(2s);
  }
  bug = f.posted_run();
  f.clock.advance(2s);
  f.work_now();
  CHECK(f.stopped);
  CHECK(refused != errc{});
  CHECK(f.engine.comments(f.host, bug)->empty());
  const auto before = f.run(bug);
  f.settle();
  CHECK(f.run(bug).state == before.state);  // that it returned an error changes nothing any more
  CHECK(f.run(bug).reason == before.reason);
}

TEST_CASE("a run is not started again before the function of its earlier start has returned") {
  BlockingFixture f;
  ItemKey bug;
  f.work = [&](AgentSession&, std::stop_token stop) -> Result<void> {
    static_cast<void>(f.engine.take_over(f.mia, bug, {}).value());
    f.settle();
    CHECK(stop.stop_requested());
    f.clock.advance(2s);
    f.settle();
    CHECK(f.posted.empty());
    CHECK(f.run(bug).state == RunState::queued);
    f.clock.advance(6s);  // the grace is over: that is said, and the run still not started
    f.settle();
    CHECK(f.posted.empty());
    CHECK(f.run(bug).reason == RunReason::stopping);
    return {};
  };
  bug = f.posted_run();
  f.work_now();
  CHECK(f.begun == 1);
  f.clock.advance(6s);
  f.settle();
  CHECK(f.posted.size() == 1);
  CHECK(f.run(bug).state == RunState::running);
}

TEST_CASE("a function that never got a thread ends its run when its executor says so by dropping it") {
  BlockingFixture f;
  const ItemKey bug = f.posted_run();
  f.posted.clear();
  f.settle();
  CHECK(f.run(bug).state == RunState::failed);
  CHECK(f.run(bug).detail.find("executor") != std::string::npos);
}

TEST_CASE("a process that dies in a function starts it three times and no more") {
  BlockingFixture f;
  const ItemKey bug = f.posted_run();
  for (int death = 0; death < 5; ++death) {
    f.dispatcher = nullptr;
    f.posted.clear();
    f.start_dispatcher();
    f.clock.advance(2min);
    f.settle();
  }
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::crash_loop);
}

TEST_CASE("a runner with threads of its own works several items at once and is stopped with its dispatcher") {
  DispatchFixture f;
  std::latch all_here(3);
  std::atomic<int> stopped{0};
  BlockingRunner runner{[&](AgentSession& session, std::stop_token stop) -> Result<void> {
    all_here.arrive_and_wait();  // only three at once come past
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait(lock, stop, [] { return false; });
    ++stopped;
    return session.comment("stopped");
  }};
  Dispatcher dispatcher{{.engine = f.engine, .providers = f.providers, .http = f.model, .hold = 60s}};
  dispatcher.add_runner("chat", runner);
  std::vector<ItemKey> bugs;
  for (int i = 0; i < 3; ++i) bugs.push_back(f.dispatched());
  std::stop_source stop;
  std::thread stopper([&] {
    all_here.wait();
    stop.request_stop();
  });
  CHECK(dispatcher.run(stop.get_token()));
  stopper.join();
  CHECK(stopped == 3);
  for (const ItemKey& bug : bugs) {
    CHECK(f.engine.comments(f.host, bug)->size() == 1);
    CHECK(f.run(bug).state == RunState::queued);  // goes on elsewhere, and that start does not count
    CHECK(f.run(bug).starts == 0);
    CHECK_FALSE(f.engine.get(f.host, bug)->hold.has_value());
  }
}

TEST_CASE("a function that gives its item back leaves it to a person, who reads why") {
  BlockingFixture f;
  f.work = [](AgentSession& session, std::stop_token) -> Result<void> {
    auto given = std::move(session).release("needs a licence");
    return given ? Result<void>() : given.error();
  };
  const ItemKey bug = f.posted_run();
  f.work_now();
  f.settle();
  CHECK(f.run(bug).reason == RunReason::needs_person);
  CHECK(f.run(bug).detail.find("needs a licence") != std::string::npos);
}

TEST_CASE("the run of the next stage is not started before the function has returned") {
  BlockingFixture f;
  ItemKey bug;
  f.work = [&](AgentSession& session, std::stop_token stop) -> Result<void> {
    REQUIRE(session.set_fields({{"severity", "high"}, {"component", "parser"}}));
    REQUIRE(session.progress("triage_to_plan", accepted));
    f.settle();
    CHECK(f.posted.empty());
    CHECK(stop.stop_requested());
    return {};
  };
  bug = f.posted_run();
  f.work_now();
  f.settle();
  CHECK(f.posted.size() == 1);
  CHECK(f.run(bug).stage == "plan");
  CHECK(f.engine.runs(f.host, bug)->back().state == RunState::succeeded);
}

TEST_CASE("a runner's function works what is claimed by hand, too") {
  BlockingFixture f;
  f.work = [](AgentSession& session, std::stop_token) -> Result<void> { return session.comment("by hand"); };
  const ItemKey bug = f.bug();
  auto session = f.queue.claim(f.alpha, bug);
  REQUIRE(session);
  CHECK(f.runner(*session, session->stop_token()));
  CHECK(f.engine.comments(f.host, bug)->size() == 1);
  f.work = [](AgentSession&, std::stop_token) -> Result<void> { throw std::runtime_error("no"); };
  CHECK(f.runner(*session, session->stop_token()).error().code() == errc::host_callback_failed);
}
