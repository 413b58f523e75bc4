// Memory: what the engine costs by itself, beside committing the same rows straight to the storage.
#include <memory>
#include <span>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t items_per_pass = 10'000;

void claim_and_complete(WorkflowEngine& engine, const std::vector<ItemKey>& keys) {
  const Actor agent = Actor::agent("agent-alpha");
  for (const ItemKey& key : keys) {
    require(engine.claim(agent, key));
    require(engine.complete(agent, key, {.to_status = "answered"}));
  }
}

double engine_rate() {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    MemoryStorage storage;
    WorkflowEngine engine{{.storage = storage}};
    const auto keys = file_requests(engine, items_per_pass);
    watch.start();
    claim_and_complete(engine, keys);
    watch.stop();
    count += static_cast<double>(keys.size());
  }
  return count / watch.seconds();
}

/// What the engine commits: first to set the items up, then to claim and complete each.
struct Recorded {
  std::vector<ChangeSet> filing;
  std::vector<ChangeSet> work;
};

Recorded record() {
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  const auto keys = file_requests(engine, items_per_pass);
  Recorded recorded{storage.take(), {}};
  claim_and_complete(engine, keys);
  recorded.work = storage.take();
  return recorded;
}

void commit_each(MemoryStorage& storage, const std::vector<ChangeSet>& sets) {
  for (const ChangeSet& set : sets) require(storage.commit(std::span(&set, 1)).front());
}

double commit_rate(const Recorded& recorded) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    MemoryStorage storage;
    commit_each(storage, recorded.filing);
    watch.start();
    commit_each(storage, recorded.work);
    watch.stop();
    count += static_cast<double>(items_per_pass);
  }
  return count / watch.seconds();
}

}  // namespace

std::vector<Figure> memory_figures() {
  return {{.name = "memory.claim_complete.t1", .unit = "per second", .prepare = [](const Place&) {
             const auto recorded = std::make_shared<const Recorded>(record());
             return Rounds{.value = engine_rate, .baseline = [recorded] { return commit_rate(*recorded); }};
           }}};
}

}  // namespace openindex::bench
