// PostgreSQL: durable claims through the engine by many callers, beside a program that writes the same rows with libpq,
// both on a server of this program's own.
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/postgres_desk.hpp"
#include "bench/raw_postgres.hpp"
#include "bench/skip_locked.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t items_per_pass = 4'000;
constexpr std::size_t callers = 16;

/// Let every caller claim one item after another until all are claimed or the round is full; how many that were.
double timed_claims(Stopwatch& watch, std::size_t count,
                    const std::function<void(std::size_t caller, std::size_t item)>& claim_one) {
  for (std::size_t caller = 0; caller < callers; ++caller) claim_one(caller, caller);  // warms up
  std::atomic<std::size_t> next = callers;
  std::atomic<std::size_t> done = 0;
  std::vector<std::thread> threads;
  watch.start();
  for (std::size_t caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      for (std::size_t item = next++; item < count && !watch.full(); item = next++) {
        claim_one(caller, item);
        ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  watch.stop();
  return static_cast<double>(done);
}

double engine_rate(const PostgresDesk& desk) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    desk.reset();
    OpenPostgres open(desk.server(), desk.schema());
    count += timed_claims(watch, desk.keys().size(), [&](std::size_t, std::size_t item) {
      require(open.engine.claim(agent(), desk.keys()[item]));
    });
  }
  return count / watch.seconds();
}

double raw_rate(const PostgresDesk& desk) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    desk.reset();
    const auto connections = desk.connect(callers);
    count += timed_claims(watch, desk.claims().size(), [&](std::size_t caller, std::size_t item) {
      connections[caller]->claim(desk.claims()[item]);
    });
  }
  return count / watch.seconds();
}

Rounds claim_rounds(const PostgresServer& server) {
  const auto desk = std::make_shared<const PostgresDesk>(server, "openindex", items_per_pass);
  return {.value = [desk] { return engine_rate(*desk); }, .baseline = [desk] { return raw_rate(*desk); }};
}

Rounds skip_locked_rounds(const PostgresServer& server, const Place& place) {
  const auto queue = std::make_shared<const SkipLocked>(server, place.folder, callers, items_per_pass / callers);
  return {.value = [queue] { return queue->rate(); }};
}

std::vector<Reading> claims(const Place& place) {
  const auto server = start_postgres(place);
  std::vector<Reading> readings;
  const auto add = [&](const char* name, const Rounds& rounds) {
    if (const auto measured = measure(rounds)) readings.push_back({name, "per second", *measured});
  };
  add("postgres.claim.t16", claim_rounds(*server));
  if (SkipLocked::is_installed()) {
    add("postgres.skip_locked.t16", skip_locked_rounds(*server, place));
  } else {
    std::fputs("-- postgres.skip_locked.t16: pgbench is not installed: skipped\n", stderr);
  }
  return readings;
}

}  // namespace

std::vector<Figure> postgres_figures() {
  return {{.name = "postgres.claim.t16", .also = {"postgres.skip_locked.t16"}, .on_disk = true, .read = claims}};
}

}  // namespace openindex::bench
