// PostgreSQL: durable claims through the engine by many callers, beside a program that writes the same rows with libpq,
// both on a server of this program's own.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/postgres_desk.hpp"
#include "bench/raw_postgres.hpp"

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
    std::vector<std::unique_ptr<RawPostgres>> connections;
    for (std::size_t caller = 0; caller < callers; ++caller) {
      connections.push_back(std::make_unique<RawPostgres>(desk.server().conninfo(), desk.schema()));
    }
    count += timed_claims(watch, desk.claims().size(), [&](std::size_t caller, std::size_t item) {
      connections[caller]->claim(desk.claims()[item]);
    });
  }
  return count / watch.seconds();
}

Rounds claim_rounds(const Place& place) {
  const std::shared_ptr<PostgresServer> server = start_postgres(place);
  const auto desk = std::make_shared<const PostgresDesk>(*server, "openindex", items_per_pass);
  return {.value = [server, desk] { return engine_rate(*desk); }, .baseline = [desk] { return raw_rate(*desk); }};
}

}  // namespace

std::vector<Figure> postgres_figures() {
  return {{.name = "postgres.claim.t16", .unit = "per second", .on_disk = true, .prepare = claim_rounds}};
}

}  // namespace openindex::bench
