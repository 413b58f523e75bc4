// PostgreSQL: durable claims through the engine by many callers, beside a program that writes the same rows with libpq,
// both on a server of this program's own.
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/disk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/raw_postgres.hpp"
#include "bench/recording_storage.hpp"
#include "postgres/postgres_server.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t items_per_pass = 4'000;
constexpr std::size_t callers = 16;

const Actor& agent() {
  static const Actor actor = Actor::agent("agent-alpha");
  return actor;
}

/// A server with free items, of which every pass takes a copy; and the rows that claiming each of them writes.
struct Desk {
  explicit Desk(const std::filesystem::path& folder) : server({"fsync=on", "shared_buffers=256MB"}, folder) {}

  PostgresServer server;
  std::vector<ItemKey> keys;
  std::vector<RawClaim> claims;

  /// Put every item back to where it was.
  void reset() {
    RawPostgres host(server.conninfo());
    host.execute("TRUNCATE records");
    host.execute("INSERT INTO records SELECT * FROM filed");
    host.execute("VACUUM ANALYZE records");
    host.execute("CHECKPOINT");
  }
};

void fill(Desk& desk) {
  const auto storage = PostgresStorage::open(desk.server.options("openindex")).value();
  WorkflowEngine engine{{.storage = *storage}};
  desk.keys = file_requests(engine, items_per_pass);
  RawPostgres(desk.server.conninfo()).execute("CREATE TABLE filed AS TABLE records");
}

std::vector<RawClaim> record_claims(const std::vector<ItemKey>& keys) {
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  if (file_requests(engine, keys.size()) != keys) throw std::logic_error("items are numbered differently in memory");
  static_cast<void>(storage.take());
  std::vector<RawClaim> claims;
  for (const ItemKey& key : keys) {
    require(engine.claim(agent(), key));
    claims.push_back(RawClaim::from(storage.take().at(0)));
  }
  return claims;
}

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

double engine_rate(Desk& desk) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    desk.reset();
    const auto storage = PostgresStorage::open(desk.server.options("openindex")).value();
    WorkflowEngine engine{{.storage = *storage}};
    count += timed_claims(watch, desk.keys.size(),
                          [&](std::size_t, std::size_t item) { require(engine.claim(agent(), desk.keys[item])); });
  }
  return count / watch.seconds();
}

double raw_rate(Desk& desk) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    desk.reset();
    std::vector<std::unique_ptr<RawPostgres>> connections;
    for (std::size_t caller = 0; caller < callers; ++caller) {
      connections.push_back(std::make_unique<RawPostgres>(desk.server.conninfo()));
    }
    count += timed_claims(watch, desk.claims.size(),
                          [&](std::size_t caller, std::size_t item) { connections[caller]->claim(desk.claims[item]); });
  }
  return count / watch.seconds();
}

Rounds claim_rounds(const Place& place) {
  if (PostgresServer::programs().empty()) throw std::runtime_error("PostgreSQL is not installed");
  using std::filesystem::perms;  // root's folder is entered by the server's user, too
  std::filesystem::permissions(place.folder, perms::group_exec | perms::others_exec,
                               std::filesystem::perm_options::add);
  auto desk = std::make_shared<Desk>(place.folder);
  fill(*desk);
  desk->claims = record_claims(desk->keys);
  return {.value = [desk] { return engine_rate(*desk); }, .baseline = [desk] { return raw_rate(*desk); }};
}

}  // namespace

std::vector<Figure> postgres_figures() {
  return {{.name = "postgres.claim.t16", .unit = "per second", .on_disk = true, .prepare = claim_rounds}};
}

}  // namespace openindex::bench
