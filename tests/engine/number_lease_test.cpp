// Numbers of items: unique whatever happens, and not a queue that every creation stands in.
#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine_fixture.hpp"
#include "engine/hooked_storage.hpp"

using namespace openindex;
using tests::EngineFixture;

namespace {

// Four threads on each of two engines, as in two processes, create items; returns the keys that were given.
std::vector<std::string> create_at_once(Storage& storage, const NewItem& item, int for_each) {
  const Actor host = Actor::system("host");
  std::mutex mutex;
  std::vector<std::string> keys;
  WorkflowEngine one({.storage = storage}), other({.storage = storage});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      WorkflowEngine& engine = i % 2 == 0 ? one : other;
      for (int n = 0; n < for_each; ++n) {
        const auto made = engine.create(host, item);
        const std::lock_guard lock(mutex);
        keys.push_back(made ? made->key.str() : made.error().describe());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return keys;
}

}  // namespace

TEST_CASE("creations at once get a number each, and hardly any of them leases") {
  EngineFixture f;
  tests::HookedStorage counted(f.memory);
  const auto keys = create_at_once(counted, {.workflow = "TRIAGE", .title = "crash"}, 500);
  CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == 4000);
  for (const std::string& key : keys) REQUIRE(key.starts_with("BUG-"));
  const auto leases = counted.commits - counted.conflicts - 4000;
  CHECK(leases >= 2);
  CHECK(leases <= 2 * 8);  // 32, 64, … 4096 for each engine
}

TEST_CASE("sub-tasks of one task get a number each, too") {
  EngineFixture f;
  const ItemKey task = f.bug();
  const auto keys =
      create_at_once(f.memory, {.workflow = "TRIAGE", .title = "part", .kind = WorkKind::sub_task, .parent = task}, 20);
  CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == 160);
  for (const std::string& key : keys) REQUIRE(key.starts_with(task.str() + "."));
  CHECK(f.engine.children(f.host, task)->size() == 160);
}

TEST_CASE("engines that come and go leave gaps, and give no number twice") {
  EngineFixture f;
  std::set<std::string> keys;
  long last = 0;
  for (int life = 0; life < 5; ++life) {
    WorkflowEngine engine({.storage = f.memory, .clock = f.clock, .random = f.random});
    for (int i = 0; i < 3; ++i) {
      const std::string key = engine.create(f.host, {.workflow = "TRIAGE", .title = "crash"}).value().key.str();
      CHECK(keys.insert(key).second);
      const long number = std::stol(key.substr(4));
      CHECK(number > last);
      last = number;
    }
  }
  REQUIRE(f.engine.delete_item(f.host, "BUG-1"));
  WorkflowEngine engine({.storage = f.memory, .clock = f.clock, .random = f.random});
  CHECK(keys.insert(engine.create(f.host, {.workflow = "TRIAGE", .title = "crash"}).value().key.str()).second);
}
