// SQLite: durable steps through the engine, beside a program that writes the same rows with the C API.
#include <memory>
#include <span>
#include <vector>

#include "bench/callers.hpp"
#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t many_callers = 64;
constexpr std::size_t batch_sets = 64;

/// Call with 1, 2 … until the numbers or the round are used up. The first call, with 0, is not measured: it warms up.
std::size_t run_one_caller(Stopwatch& watch, std::size_t count, const std::function<void(std::size_t)>& call) {
  call(0);
  std::size_t next = 1;
  watch.start();
  do call(next++);
  while (next < count && !watch.full());
  watch.stop();
  return next - 1;
}

/// One caller pays for no thread.
std::size_t run(Stopwatch& watch, std::size_t callers, std::size_t count,
                const std::function<void(std::size_t)>& call) {
  return callers == 1 ? run_one_caller(watch, count, call) : run_callers(watch, callers, count, call);
}

/// Make passes on fresh copies until the round is full; a pass returns how much it has done.
double rate(const Desk& desk, const std::function<std::size_t(const std::filesystem::path&, Stopwatch&)>& pass) {
  std::size_t count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    desk.on_copy([&](const std::filesystem::path& file) { count += pass(file, watch); });
  }
  return static_cast<double>(count) / watch.seconds();
}

double engine_claims(const Desk& desk, std::size_t callers) {
  return rate(desk, [&](const std::filesystem::path& file, Stopwatch& watch) {
    OpenDesk open(file);
    return run(watch, callers, desk.keys().size(),
               [&](std::size_t i) { require(open.engine.claim(agent(), desk.keys()[i])); });
  });
}

double raw_claims(const Desk& desk, std::size_t callers) {
  return rate(desk, [&](const std::filesystem::path& file, Stopwatch& watch) {
    RawSqlite raw(file, desk.program());
    RawGroup group(raw);
    return run(watch, callers, desk.claims().size(), [&](std::size_t i) {
      if (callers == 1) {
        raw.commit(desk.claims()[i]);
      } else {
        group.commit(desk.claims()[i]);
      }
    });
  });
}

double storage_batches(const Desk& desk) {
  return rate(desk, [&](const std::filesystem::path& file, Stopwatch& watch) {
    const auto storage = SqliteStorage::open({.path = file}).value();
    const auto sets = std::span(desk.sets());
    const auto commit = [&](std::size_t batch) {
      for (const auto& result : storage->commit(sets.subspan(batch * batch_sets, batch_sets))) require(result);
    };
    return batch_sets * run(watch, 1, sets.size() / batch_sets, commit);
  });
}

/// Without digests: in a change set that is handed to a storage they are made already.
double raw_batches(const Desk& desk) {
  std::vector<const RawStep*> steps;
  for (const RawStep& step : desk.claims()) steps.push_back(&step);
  return rate(desk, [&](const std::filesystem::path& file, Stopwatch& watch) {
    RawSqlite raw(file, desk.program());
    const auto commit = [&](std::size_t batch) {
      raw.commit(std::span(steps).subspan(batch * batch_sets, batch_sets), RawSqlite::Digests::left_out);
    };
    return batch_sets * run(watch, 1, steps.size() / batch_sets, commit);
  });
}

Rounds one_caller(const Place& place) {
  const auto desk = std::make_shared<const Desk>(place, "claims", 2'000);
  return {.value = [desk] { return engine_claims(*desk, 1); }, .baseline = [desk] { return raw_claims(*desk, 1); }};
}

Rounds callers_beside_raw(const Place& place) {
  const auto desk = std::make_shared<const Desk>(place, "claims", 20'000);
  return {.value = [desk] { return engine_claims(*desk, many_callers); },
          .baseline = [desk] { return raw_claims(*desk, many_callers); }};
}

Rounds callers_beside_one(const Place& place) {
  const auto desk = std::make_shared<const Desk>(place, "claims", 20'000);
  return {.value = [desk] { return engine_claims(*desk, many_callers); },
          .baseline = [desk] { return engine_claims(*desk, 1); }};
}

Rounds batches(const Place& place) {
  const auto desk = std::make_shared<const Desk>(place, "claims", 20'000);
  return {.value = [desk] { return storage_batches(*desk); }, .baseline = [desk] { return raw_batches(*desk); }};
}

}  // namespace

std::vector<Figure> sqlite_figures() {
  return {{.name = "sqlite.claim.t1", .unit = "per second", .on_disk = true, .prepare = one_caller},
          {.name = "sqlite.claim.t64", .unit = "per second", .on_disk = true, .prepare = callers_beside_raw},
          {.name = "sqlite.claim.t64_over_t1", .unit = "per second", .on_disk = true, .prepare = callers_beside_one},
          {.name = "sqlite.commit.batch64", .unit = "per second", .on_disk = true, .prepare = batches}};
}

}  // namespace openindex::bench
