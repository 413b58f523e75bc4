// Several processes that claim from one queue: each with an engine of its own, and nothing in common but the storage.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/seeded_random.hpp>
#include <openindex/workflow_engine.hpp>

#include "engine/hooked_storage.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::HookedStorage;

namespace {

constexpr std::size_t process_count = 4;

struct Process {
  Process(Storage& storage, Clock& clock, std::size_t number)
      : random(number),
        engine{{.storage = storage, .clock = clock, .random = random}},
        actor(Actor::agent("agent-" + std::to_string(number))) {}

  testing::SeededRandom random;
  WorkflowEngine engine;
  AgentQueue queue{engine};
  Actor actor;
  std::vector<AgentSession> sessions = {};  ///< Dropped, they would give their items back.
};

struct SharedQueue {
  testing::ManualClock clock;
  MemoryStorage memory;
  HookedStorage storage{memory};
  testing::SeededRandom dice{1};
  std::vector<std::unique_ptr<Process>> processes;

  SharedQueue() {
    for (std::size_t i = 0; i < process_count; ++i) processes.push_back(std::make_unique<Process>(storage, clock, i));
    REQUIRE(processes.front()->engine.save(Actor::system("host"), tests::triage_workflow()).has_value());
  }

  ItemKey add(Priority priority = Priority::medium) {
    const NewItem item{.workflow = "TRIAGE", .title = "crash", .priority = priority};
    return processes.front()->engine.create(Actor::system("host"), item).value().key;
  }
  void add_many(int count) {
    for (int i = 0; i < count; ++i) add();
  }

  /// One of the first so many claims an item, whoever is quicker; false when it is told that there is none.
  bool claim(std::size_t among = process_count) {
    clock.advance(5ms);
    return claim(*processes[dice.next() % among]);
  }
  static bool claim(Process& process) {
    auto session = process.queue.claim_next(process.actor).value();
    if (session) process.sessions.push_back(std::move(*session));
    return session.has_value();
  }

  [[nodiscard]] std::set<ItemKey> claimed() const {
    std::set<ItemKey> keys;
    for (const auto& process : processes) {
      for (const auto& session : process->sessions) keys.insert(session.item().key);
    }
    return keys;
  }
};

}  // namespace

TEST_CASE("processes that claim from one queue soon keep out of each other's way") {
  SharedQueue f;
  f.add_many(6'000);
  for (int i = 0; i < 1'000; ++i) REQUIRE(f.claim());
  const auto commits = f.storage.commits.load();
  const auto conflicts = f.storage.conflicts.load();
  for (int i = 0; i < 5'000; ++i) REQUIRE(f.claim());
  CHECK(f.storage.commits - commits >= 5'000);
  CHECK(100 * (f.storage.conflicts - conflicts) < f.storage.commits - commits);
}

TEST_CASE("the last items of a shared queue go to whoever asks for them, each to one") {
  SharedQueue f;
  f.add_many(300);
  for (int i = 0; i < 200; ++i) REQUIRE(f.claim());
  for (const auto& process : f.processes) {
    while (f.claim(*process)) continue;
  }
  CHECK(f.claimed().size() == 300);
}

TEST_CASE("what a process would have claimed that has gone is claimed by the others within seconds") {
  SharedQueue f;
  f.add_many(3'000);
  for (int i = 0; i < 1'000; ++i) REQUIRE(f.claim());
  std::set<ItemKey> urgent;
  while (urgent.size() < 40) urgent.insert(f.add(Priority::critical));
  const auto gone = f.clock.steady();
  while (f.clock.steady() - gone < 5s) REQUIRE(f.claim(process_count - 1));
  for (const ItemKey& key : f.claimed()) urgent.erase(key);
  CHECK(urgent.empty());
}

TEST_CASE("a process that is in no hurry claims the most urgent item wherever it lies") {
  SharedQueue f;
  f.add_many(2'000);
  for (int i = 0; i < 1'000; ++i) REQUIRE(f.claim());
  f.clock.advance(1min);
  for (int i = 0; i < 20; ++i) {
    const ItemKey urgent = f.add(Priority::critical);
    f.clock.advance(2s);
    Process& process = *f.processes[f.dice.next() % process_count];
    REQUIRE(SharedQueue::claim(process));
    CHECK(process.sessions.back().item().key == urgent);
  }
}

TEST_CASE("many items at once are claimed in full although others claim, too") {
  SharedQueue f;
  f.add_many(3'500);
  for (int i = 0; i < 500; ++i) REQUIRE(f.claim());
  Process& one = *f.processes.front();
  auto sessions = one.queue.claim_next(one.actor, 1'000).value();
  CHECK(sessions.size() == 1'000);
  for (auto& session : sessions) one.sessions.push_back(std::move(session));
  CHECK(f.claimed().size() == 1'500);
}

TEST_CASE("an item that one caller is about to claim is given to no other caller of the queue") {
  testing::ManualClock clock;
  MemoryStorage memory;
  HookedStorage storage{memory};
  WorkflowEngine engine{{.storage = storage, .clock = clock}};
  AgentQueue queue{engine};
  const Actor host = Actor::system("host");
  REQUIRE(engine.save(host, tests::triage_workflow()).has_value());
  for (int i = 0; i < 2; ++i) REQUIRE(engine.create(host, {.workflow = "TRIAGE", .title = "crash"}).has_value());
  bool interrupted = false;
  std::optional<AgentSession> second;
  storage.on_commit = [&] {
    if (std::exchange(interrupted, true)) return;
    clock.advance(2s);  // the candidates are too old, and looking again finds the first item free
    second = queue.claim_next(Actor::agent("agent-beta")).value();
  };
  const auto first = queue.claim_next(Actor::agent("agent-alpha")).value();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->item().key != second->item().key);
  CHECK(storage.conflicts == 0);
}
