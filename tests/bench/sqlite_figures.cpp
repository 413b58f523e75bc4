// SQLite: durable claims through the engine, beside a program that writes the same rows with the C API.
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/disk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/raw_sqlite.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t items_per_pass = 2'000;

const Actor& agent() {
  static const Actor actor = Actor::agent("agent-alpha");
  return actor;
}

/// A database with free items, of which every pass takes a copy; and the rows that claiming each of them writes.
struct Desk {
  std::filesystem::path database;
  std::filesystem::path copy;
  std::vector<ItemKey> keys;
  std::vector<RawClaim> claims;
};

std::vector<ItemKey> make_database(const std::filesystem::path& path) {
  auto storage = SqliteStorage::open({.path = path, .synchronous = SqliteOptions::Synchronous::normal}).value();
  WorkflowEngine engine{{.storage = *storage}};
  return file_requests(engine, items_per_pass);
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

/// Call for one item after another until they or the round are used up. The first is not measured: it warms up.
template <class ClaimOne>
double timed_claims(Stopwatch& watch, std::size_t count, const ClaimOne& claim_one) {
  claim_one(0);
  std::size_t next = 1;
  watch.start();
  do claim_one(next++);
  while (next < count && !watch.full());
  watch.stop();
  return static_cast<double>(next - 1);
}

double engine_rate(const Desk& desk) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    copy_durably(desk.database, desk.copy);
    {
      const auto storage = SqliteStorage::open({.path = desk.copy}).value();
      WorkflowEngine engine{{.storage = *storage}};
      count +=
          timed_claims(watch, desk.keys.size(), [&](std::size_t i) { require(engine.claim(agent(), desk.keys[i])); });
    }
    remove_database(desk.copy);
  }
  return count / watch.seconds();
}

double raw_rate(const Desk& desk) {
  double count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    copy_durably(desk.database, desk.copy);
    {
      RawSqlite raw(desk.copy);
      count += timed_claims(watch, desk.claims.size(), [&](std::size_t i) { raw.claim(desk.claims[i]); });
    }
    remove_database(desk.copy);
  }
  return count / watch.seconds();
}

Rounds claim_rounds(const Place& place) {
  auto desk = std::make_shared<Desk>();
  desk->database = place.folder / "filed.db";
  desk->copy = place.folder / "claims.db";
  desk->keys = make_database(desk->database);
  desk->claims = record_claims(desk->keys);
  return {.value = [desk] { return engine_rate(*desk); }, .baseline = [desk] { return raw_rate(*desk); }};
}

}  // namespace

std::vector<Figure> sqlite_figures() {
  return {{.name = "sqlite.claim.t1", .unit = "per second", .on_disk = true, .prepare = claim_rounds}};
}

}  // namespace openindex::bench
