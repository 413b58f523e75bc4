// Serialization failures and deadlocks, as the server itself finds them.
#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

constexpr const char* as_deadlock = "deadlock detected";
constexpr const char* as_overtaken = "could not serialize access due to concurrent update";
constexpr const char* as_dependent = "could not serialize access due to read/write dependencies";

/// How often the server has found something, by its log.
int times(const PostgresServer& server, const std::string& what) {
  std::ifstream file(server.socket_folder() / "server.log");
  const std::string log{std::istreambuf_iterator<char>(file), {}};
  int count = 0;
  for (auto at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++count;
  return count;
}

/// A host's transaction, and a storage in it.
struct Host {
  Host(PostgresServer& server, PostgresStorage& storage, const char* isolation)
      : psql(server.conninfo() + " options='-c deadlock_timeout=1ms'") {
    psql.execute(std::string("BEGIN ISOLATION LEVEL ") + isolation);
    (void)psql.column("SELECT 1 FROM pg_class LIMIT 1");  // sees what there is from now on
    inside = storage.enlist(psql.raw()).value();
  }

  PlainPostgres psql;
  std::unique_ptr<Enlistment> inside;
};

void check_conflict(const Result<CommitReceipt>& result, const char* sqlstate) {
  REQUIRE(!result);
  CHECK(result.error().code() == errc::conflict);
  CHECK(result.error().context("sqlstate") == sqlstate);
}

/// Lock a record in a transaction; returns when it is locked.
void lock(PlainPostgres& psql, const std::string& schema, const std::string& key) {
  psql.execute("SELECT 1 FROM " + schema + ".records WHERE key = '" + key + "' FOR UPDATE");
}

bool waits_for_lock(PlainPostgres& watcher, const PlainPostgres& who) {
  const auto process = std::to_string(PQbackendPID(who.raw()));
  return !watcher.column("SELECT 1 FROM pg_locks WHERE NOT granted AND pid = " + process).empty();
}

}  // namespace

TEST_CASE("a record that changed since the host's transaction began is a conflict, and the host goes on") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  for (const auto* isolation : {"REPEATABLE READ", "SERIALIZABLE"}) {
    Host host(*server, *storage, isolation);
    REQUIRE(commit_one(*storage, test_put("a")).has_value());
    const auto before = times(*server, as_overtaken);
    check_conflict(commit_one(*host.inside, test_put("a")), "40001");
    CHECK(times(*server, as_overtaken) == before + 3);
    CHECK(commit_one(*host.inside, test_put(isolation)).has_value());
    host.psql.execute("COMMIT");
  }
  CHECK(count_records(*storage) == 3);
}

TEST_CASE("two serializable transactions of hosts that rely on what the other one writes do not both go through") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  REQUIRE(commit_one(*storage, test_put("left")).has_value());
  REQUIRE(commit_one(*storage, test_put("right")).has_value());
  Host one(*server, *storage, "SERIALIZABLE");
  Host other(*server, *storage, "SERIALIZABLE");
  const auto left = test_record("left");
  const auto right = test_record("right");
  REQUIRE(one.inside->get({&right, 1}).has_value());
  REQUIRE(other.inside->get({&left, 1}).has_value());
  CHECK(commit_one(*one.inside, test_put("left")).has_value());
  one.psql.execute("COMMIT");
  check_conflict(commit_one(*other.inside, test_put("right")), "40001");
  CHECK(times(*server, as_dependent) > 0);
  other.psql.execute("COMMIT");
  CHECK(storage->get({&right, 1}).value().front()->version == 1);
}

TEST_CASE("a deadlock with a transaction of the host is a conflict after some tries, and the host goes on") {
  SERVER_OR_SKIP(server);
  const auto options = server->options(new_schema());
  const auto storage = open_postgres(options);
  REQUIRE(commit_one(*storage, test_put("x")).has_value());
  REQUIRE(commit_one(*storage, test_put("y")).has_value());
  Host host(*server, *storage, "READ COMMITTED");
  REQUIRE(commit_one(*host.inside, test_put("x")).has_value());
  PlainPostgres other(server->conninfo() + " options='-c deadlock_timeout=10min'");
  other.execute("BEGIN");
  lock(other, options.schema, "y");
  std::thread waiter([&] { lock(other, options.schema, "x"); });
  PlainPostgres watcher(server->conninfo());
  while (!waits_for_lock(watcher, other)) continue;

  check_conflict(commit_one(*host.inside, test_put("y")), "40P01");
  CHECK(times(*server, as_deadlock) == 3);
  CHECK(commit_one(*host.inside, test_put("z")).has_value());
  host.psql.execute("COMMIT");
  waiter.join();
  other.execute("COMMIT");
  CHECK(count_records(*storage) == 3);
}

TEST_CASE("a commit that the server ends for a deadlock is made again, and lands") {
  SERVER_OR_SKIP(server);
  auto options = server->options(new_schema());
  options.lock_wait = std::chrono::hours(1);
  options.conninfo += " options='-c deadlock_timeout=1ms'";
  const auto storage = open_postgres(options);
  ChangeSet changes = test_put("a");
  for (const auto* key : {"b", "c"}) changes.puts.push_back({test_record(key), "{}", {}});
  REQUIRE(commit_one(*storage, changes).has_value());
  PlainPostgres first(server->conninfo());
  PlainPostgres last(server->conninfo() + " options='-c deadlock_timeout=10min'");
  PlainPostgres watcher(server->conninfo());

  // The commit holds `a` and waits for `b`; whoever holds `c` waits for `a`; when `b` is free, the commit closes the
  // circle. It gives `a` back every now and then, and then there is none: once more.
  int rounds = 0;
  for (; times(*server, as_deadlock) == 0; ++rounds) {
    first.execute("BEGIN");
    lock(first, options.schema, "b");
    last.execute("BEGIN");
    lock(last, options.schema, "c");
    std::thread writer([&] { CHECK(commit_one(*storage, changes).has_value()); });
    while (watcher.column("SELECT 1 FROM pg_locks WHERE NOT granted").empty()) continue;
    std::atomic<bool> has_all = false;
    std::thread waiter([&] {
      lock(last, options.schema, "a");
      has_all = true;
      last.execute("COMMIT");
    });
    while (!has_all && !waits_for_lock(watcher, last)) continue;
    first.execute("COMMIT");
    waiter.join();
    writer.join();
  }
  const auto id = test_record("c");
  CHECK(storage->get({&id, 1}).value().front()->version == static_cast<std::uint64_t>(1 + rounds));
}
