// The life of an item in five durable steps: create, claim, two gates, complete. Of many items at once, in one domain.
#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/callers.hpp"
#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t many_callers = 64;
constexpr std::size_t lives_per_pass = 10'000;

NewItem request() {
  NewItem request = helpdesk_request();
  request.fields.insert({{"cause", "A page limit of the old renderer"}, {"effort", 3}});
  return request;
}

void live(WorkflowEngine& engine) {
  const auto key = engine.create(Actor::system("host"), request()).value().key;
  require(engine.claim(agent(), key));
  require(engine.progress(agent(), key, {.gate = "intake_to_analysis", .accept_text = true}));
  require(engine.progress(
      agent(), key, {.gate = "analysis_to_build", .checked = {"Cause named", "Test proposed", "Effort estimated"}}));
  require(engine.complete(agent(), key, {.to_status = "rejected"}));
}

void define(WorkflowEngine& engine) { require(engine.save(Actor::system("host"), helpdesk_workflow(Stages::by_hand))); }

using RawLife = std::vector<RawStep>;

/// The rows of the steps; numbers are leased in between, which a program for this one purpose would not do.
RawLife record_life(RawProgram& program, const std::vector<ChangeSet>& committed) {
  RawLife life;
  for (const ChangeSet& set : committed) {
    if (set.puts.front().id.kind == "item") life.push_back(program.step(set));
  }
  if (life.size() != 5) throw std::logic_error("a life is not five steps");
  return life;
}

struct Lives {
  std::filesystem::path database;
  RawProgram program;
  std::vector<RawLife> raw;
};

std::shared_ptr<const Lives> prepare_lives(const Place& place) {
  auto lives = std::make_shared<Lives>();
  lives->database = place.folder / "lives.db";
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  define(engine);
  static_cast<void>(storage.take());
  while (lives->raw.size() < lives_per_pass) {
    live(engine);
    lives->raw.push_back(record_life(lives->program, storage.take()));
  }
  return lives;
}

double rate(const Lives& lives, const std::function<std::size_t(Stopwatch&)>& pass) {
  std::size_t count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    { OpenDesk made(lives.database); }
    count += pass(watch);
    remove_database(lives.database);
  }
  return static_cast<double>(count) / watch.seconds();
}

double engine_lives(const Lives& lives) {
  return rate(lives, [&](Stopwatch& watch) {
    OpenDesk open(lives.database);
    define(open.engine);
    return run_callers(watch, many_callers, lives.raw.size(), [&](std::size_t) { live(open.engine); });
  });
}

double raw_lives(const Lives& lives) {
  return rate(lives, [&](Stopwatch& watch) {
    RawSqlite raw(lives.database, lives.program);
    RawGroup group(raw);
    return run_callers(watch, many_callers, lives.raw.size(), [&](std::size_t i) {
      for (const RawStep& step : lives.raw[i]) group.commit(step);
    });
  });
}

Rounds lives(const Place& place) {
  const auto recorded = prepare_lives(place);
  return {.value = [recorded] { return engine_lives(*recorded); },
          .baseline = [recorded] { return raw_lives(*recorded); }};
}

}  // namespace

std::vector<Figure> life_figures() {
  return {{.name = "sqlite.life.t64", .unit = "lives per second", .on_disk = true, .prepare = lives}};
}

}  // namespace openindex::bench
