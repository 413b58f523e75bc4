// Connections that break in the middle of a commit, and what is refused.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "postgres/cutting_proxy.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

using Action = CuttingProxy::Action;

bool holds(std::string_view bytes, std::string_view word) { return bytes.find(word) != std::string_view::npos; }

/// Whether a client asks for a commit here. (`READ COMMITTED` is something else.)
bool commits(std::string_view bytes) { return holds(bytes, std::string_view("COMMIT\0", 7)); }

/// Do something to the first commit that comes by, and nothing to the others.
CuttingProxy::Watch on_first_commit(Action action) {
  return [action, done = std::make_shared<std::atomic<bool>>(false)](std::string_view bytes) {
    return commits(bytes) && !done->exchange(true) ? action : Action::forward;
  };
}

/// A change set as the engine writes them: a state record by its version, and an entry of the audit.
ChangeSet step(std::uint64_t version) {
  auto changes = test_put("OPS-1", "state " + std::to_string(version + 1));
  changes.expectations = {{test_record("OPS-1"), version}};
  changes.appends = {{test_record("OPS-1/" + std::to_string(version + 1)), "entry", {}}};
  return changes;
}

Record record(Storage& storage, const std::string& key) {
  const auto id = test_record(key);
  const auto found = storage.get({&id, 1});
  REQUIRE(found);
  REQUIRE(found->front());
  return *found->front();
}

/// Wait until somebody waits for a lock.
void wait_for_lock_waiter(PlainPostgres& psql) {
  while (psql.column("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").empty()) {
  }
}

}  // namespace

TEST_CASE("a commit whose answer is lost is found to have happened, and told as done") {
  SERVER_OR_SKIP(server);
  const CuttingProxy proxy(*server, on_first_commit(Action::cut_behind));
  auto options = server->options(new_schema());
  const auto direct = open_postgres(options);
  REQUIRE(commit_one(*direct, test_put("OPS-1")).has_value());
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  const auto done = commit_one(*storage, step(1));
  REQUIRE(done);
  CHECK(done->versions == std::vector<std::uint64_t>{2});
  CHECK(record(*direct, "OPS-1").version == 2);
  CHECK(count_records(*direct) == 2);
}

TEST_CASE("a commit that never reached the server is made again, once") {
  SERVER_OR_SKIP(server);
  const CuttingProxy proxy(*server, on_first_commit(Action::cut_before));
  auto options = server->options(new_schema());
  const auto direct = open_postgres(options);
  REQUIRE(commit_one(*direct, test_put("OPS-1")).has_value());
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  const auto done = commit_one(*storage, step(1));
  REQUIRE(done);
  CHECK(done->versions == std::vector<std::uint64_t>{2});
  CHECK(record(*direct, "OPS-1").version == 2);
  CHECK(count_records(*direct) == 2);
}

TEST_CASE("a commit that reaches the server late, while it is being made again, happens once") {
  SERVER_OR_SKIP(server);
  for (const bool is_new : {false, true}) {
    std::atomic<bool> is_held = false;
    CuttingProxy* to_release = nullptr;
    CuttingProxy proxy(*server, [&](std::string_view bytes) {
      if (commits(bytes) && !is_held.exchange(true)) return Action::hold;
      if (is_held && holds(bytes, "BEGIN")) to_release->release();
      return Action::forward;
    });
    to_release = &proxy;
    auto options = server->options(new_schema());
    const auto direct = open_postgres(options);
    if (!is_new) REQUIRE(commit_one(*direct, test_put("OPS-1")).has_value());
    options.conninfo = proxy.conninfo();
    const auto storage = open_postgres(options);
    const auto done = commit_one(*storage, step(is_new ? 0 : 1));
    CHECK(is_held);
    REQUIRE(done);
    CHECK(done->versions.front() == (is_new ? 1U : 2U));
    CHECK(record(*direct, "OPS-1").version == (is_new ? 1U : 2U));
    CHECK(count_records(*direct) == 2);
  }
}

TEST_CASE("a commit that a server holds on to, and makes later, is told as unknown and not as refused") {
  SERVER_OR_SKIP(server);
  CuttingProxy proxy(*server, on_first_commit(Action::hold));
  auto options = server->options(new_schema());
  options.lock_wait = Duration(20);
  const auto direct = open_postgres(options);
  REQUIRE(commit_one(*direct, test_put("OPS-1")).has_value());
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  const auto done = commit_one(*storage, step(1));
  REQUIRE(!done);
  CHECK(done.error().code() == errc::commit_unknown);
  proxy.release();
  CHECK(record(*direct, "OPS-1").version == 2);
}

TEST_CASE("a lost commit is told as unknown when only a server that takes no writes can be asked") {
  SERVER_OR_SKIP(server);
  PlainPostgres psql(server->conninfo());
  psql.execute("CREATE ROLE turns LOGIN SUPERUSER");
  CuttingProxy proxy(*server, [&, done = std::make_shared<std::atomic<bool>>(false)](std::string_view bytes) {
    if (!commits(bytes) || done->exchange(true)) return Action::forward;
    psql.execute("ALTER ROLE turns SET default_transaction_read_only = on");
    return Action::hold;
  });
  auto options = server->options(new_schema());
  const auto direct = open_postgres(options);
  REQUIRE(commit_one(*direct, test_put("OPS-1")).has_value());
  options.conninfo = proxy.conninfo() + " user=turns";
  const auto storage = open_postgres(options);
  const auto done = commit_one(*storage, step(1));
  REQUIRE(!done);
  CHECK(done.error().code() == errc::commit_unknown);
  proxy.release();
  CHECK(record(*direct, "OPS-1").version == 2);
}

TEST_CASE("of a group that is lost twice, sets that came out differently are told as unknown, the others as done") {
  SERVER_OR_SKIP(server);
  std::atomic<int> commit_count = 0;
  auto options = server->options(new_schema());
  const auto direct = open_postgres(options);
  const CuttingProxy proxy(*server, [&](std::string_view bytes) {
    if (!commits(bytes)) return Action::forward;
    const int nth = ++commit_count;
    return nth == 1 ? Action::cut_before : nth == 2 ? Action::cut_behind : Action::forward;
  });
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  // The first attempt expects nobody; before the second one begins somebody has written.
  std::thread other([&] {
    while (commit_count < 1) std::this_thread::yield();
    CHECK(commit_one(*direct, test_put("a")).has_value());
  });
  const auto results = storage->commit(std::vector{test_put("a"), step(0)});
  other.join();
  CHECK(results[1].has_value());
  CHECK(record(*direct, "OPS-1").version == 1);
  if (results[0]) {
    CHECK(record(*direct, "a").version >= results[0]->versions.front());
  } else {
    CHECK(results[0].error().code() == errc::commit_unknown);
  }
}

TEST_CASE("a lost group that never landed and cannot be repeated is judged anew") {
  SERVER_OR_SKIP(server);
  auto options = server->options(new_schema());
  const auto direct = open_postgres(options);
  REQUIRE(commit_one(*direct, test_put("OPS-1")).has_value());
  std::atomic<bool> is_cut = false;
  const CuttingProxy proxy(*server, [&](std::string_view bytes) {
    if (commits(bytes) && !is_cut.exchange(true)) return Action::cut_before;
    // On the way to the second attempt somebody else takes the step.
    if (is_cut && holds(bytes, "BEGIN") && count_records(*direct) == 1) {
      CHECK(commit_one(*direct, step(1)).has_value());
    }
    return Action::forward;
  });
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  auto ours = step(1);
  ours.appends.front().body = "ours";
  const auto results = storage->commit(std::vector{test_put("a"), ours});
  CHECK(results[0].has_value());
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::conflict);
  CHECK(record(*direct, "a").version == 1);
  CHECK(record(*direct, "OPS-1").version == 2);
}

TEST_CASE("a group of change sets takes two round trips and one COMMIT") {
  SERVER_OR_SKIP(server);
  std::atomic<int> round_trips = 0;
  std::atomic<int> commit_count = 0;
  const CuttingProxy proxy(*server, [&](std::string_view bytes) {
    round_trips += bytes.ends_with(std::string_view("S\0\0\0\4", 5)) ? 1 : 0;  // Sync: an answer is expected
    commit_count += commits(bytes) ? 1 : 0;
    return Action::forward;
  });
  auto options = server->options(new_schema());
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  REQUIRE(commit_one(*storage, step(0)).has_value());  // connects
  std::vector<ChangeSet> sets = {step(1), step(2), step(2)};
  for (int i = 0; i < 20; ++i) sets.push_back(test_put("D" + std::to_string(i) + "-1"));
  sets.back().erases = {test_record("OPS-1/1")};
  sets.back().expectations = {{test_record("absent"), 0}};
  round_trips = 0;
  commit_count = 0;
  const auto results = storage->commit(sets);
  CHECK(round_trips.load() == 2);
  CHECK(commit_count.load() == 1);
  int landed = 0;
  for (const auto& result : results) landed += result ? 1 : 0;
  CHECK(landed == 22);
  CHECK(count_records(*storage) == 23);
}

TEST_CASE("a commit whose outcome nothing tells is said to be unknown") {
  SERVER_OR_SKIP(server);
  const CuttingProxy proxy(*server, on_first_commit(Action::cut_behind));
  auto options = server->options(new_schema());
  const auto direct = open_postgres(options);
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  const auto done = commit_one(*storage, test_put("a"));  // appends nothing
  REQUIRE(!done);
  CHECK(done.error().code() == errc::commit_unknown);
  CHECK(done.error().context("commit") == "commit_1");
  CHECK(count_records(*direct) == 1);
  CHECK(commit_one(*storage, test_put("b")).has_value());
}

TEST_CASE("what other sets of a lost group append tells the outcome of those that append nothing") {
  SERVER_OR_SKIP(server);
  const CuttingProxy proxy(*server, on_first_commit(Action::cut_behind));
  auto options = server->options(new_schema());
  (void)open_postgres(options);
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  auto stale = test_put("c");
  stale.expectations = {{test_record("c"), 9}};
  const auto results = storage->commit(std::vector{test_put("a"), step(0), stale});
  CHECK(results[0].has_value());
  CHECK(results[1].has_value());
  REQUIRE(!results[2]);
  CHECK(results[2].error().code() == errc::conflict);
  CHECK(count_records(*storage) == 3);
}

TEST_CASE("when every connection is in use a call is busy after its wait") {
  SERVER_OR_SKIP(server);
  auto options = server->options(new_schema());
  options.connections_max = 1;
  options.connection_wait = Duration(20);
  const auto storage = open_postgres(options);
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  PlainPostgres psql(server->conninfo());
  psql.execute("BEGIN; LOCK TABLE " + options.schema + ".records IN ACCESS EXCLUSIVE MODE");
  const auto id = test_record("a");
  std::thread reader([&] { CHECK(storage->get({&id, 1}).has_value()); });
  PlainPostgres watcher(server->conninfo());
  wait_for_lock_waiter(watcher);
  const auto refused = storage->get({&id, 1});
  psql.execute("COMMIT");
  reader.join();
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::storage_busy);
  CHECK(refused.error().context("connections_max") == "1");
  CHECK(storage->get({&id, 1}).value().front()->version == 1);
}

TEST_CASE("a server that takes no writes is read-only, and can be read") {
  SERVER_OR_SKIP(server);
  auto options = server->options(new_schema());
  REQUIRE(commit_one(*open_postgres(options), test_put("a")).has_value());
  options.conninfo += " options='-c default_transaction_read_only=on'";
  const auto storage = open_postgres(options);
  CHECK(count_records(*storage) == 1);
  const auto refused = commit_one(*storage, test_put("b"));
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::storage_read_only);
  options.schema = new_schema();
  const auto unopened = PostgresStorage::open(options);
  REQUIRE(!unopened);
  CHECK(unopened.error().code() == errc::storage_read_only);
}
