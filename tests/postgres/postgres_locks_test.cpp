// Records that somebody else has locked: who waits for them, and who does not.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <openindex/workflow_engine.hpp>

#include "postgres/postgres_fixture.hpp"
#include "storage/life.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

/// A storage whose commits wait as long as it takes, and somebody beside it who locks records.
struct Site {
  explicit Site(PostgresServer& server, std::uint32_t connections_max = 8) : psql(server.conninfo()) {
    options = server.options(new_schema());
    options.connections_max = connections_max;
    options.connection_wait = std::chrono::minutes(5);
    options.lock_wait = std::chrono::hours(1);
    storage = open_postgres(options);
  }

  void lock(const std::string& condition) {
    psql.execute("BEGIN; SELECT 1 FROM " + options.schema + ".records WHERE " + condition + " FOR UPDATE");
  }
  void let_go() { psql.execute("COMMIT"); }

  PostgresOptions options;
  std::unique_ptr<PostgresStorage> storage;
  PlainPostgres psql;
};

/// Threads that each claim an item, and how many have got theirs.
class Claims {
 public:
  Claims(WorkflowEngine& engine, const std::vector<ItemKey>& items) {
    for (const auto& item : items) {
      threads_.emplace_back([this, &engine, item] {
        const auto claimed = engine.claim(Actor::agent("agent of " + item.str()), item);
        CHECK_MESSAGE(claimed.has_value(), (claimed ? std::string() : claimed.error().describe()));
        ++ended_;
      });
    }
  }
  ~Claims() { wait(); }

  void wait() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  [[nodiscard]] int ended() const { return ended_; }

 private:
  std::atomic<int> ended_ = 0;
  std::vector<std::thread> threads_;
};

std::vector<ItemKey> begin_lives(WorkflowEngine& engine, int count) {
  std::vector<ItemKey> items;
  for (int i = 0; i < count; ++i) items.push_back(begin_life(engine).value().key);
  return items;
}

}  // namespace

TEST_CASE("claims of other items end while a host holds some locked, and the held ones are claimed when it lets go") {
  SERVER_OR_SKIP(server);
  for (const std::uint32_t connections_max : {1U, 4U}) {
    Site site(*server, connections_max);
    WorkflowEngine engine({.storage = *site.storage});
    REQUIRE(engine.save(Actor::system("host"), life_workflow()));
    const auto held = begin_lives(engine, 6);
    const auto others = begin_lives(engine, 20);
    site.lock("kind = 'item' AND items_number <= " + std::to_string(held.size()));
    Claims late(engine, held);
    Claims claims(engine, others);
    claims.wait();
    CHECK(claims.ended() == 20);
    CHECK(late.ended() == 0);
    site.let_go();
    late.wait();
    CHECK(late.ended() == 6);
  }
}

TEST_CASE("a commit that waits for a lock leaves the only connection to others") {
  SERVER_OR_SKIP(server);
  Site site(*server, 1);
  REQUIRE(commit_one(*site.storage, test_put("held")).has_value());
  site.lock("key = 'held'");
  std::thread writer([&] { CHECK(commit_one(*site.storage, test_put("held")).has_value()); });
  PlainPostgres watcher(server->conninfo());
  while (watcher.column("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").empty()) {
  }
  for (int i = 0; i < 3; ++i) CHECK(commit_one(*site.storage, test_put("other")).has_value());
  CHECK(count_records(*site.storage) == 2);
  site.let_go();
  writer.join();
}

TEST_CASE("sets of one call that meet a lock are applied in order when it goes, and the others before") {
  SERVER_OR_SKIP(server);
  Site site(*server);
  REQUIRE(commit_one(*site.storage, test_put("held", "0")).has_value());
  site.lock("key = 'held'");
  auto follower = test_put("follower");
  follower.expectations = {{test_record("second"), 1}};
  auto second = test_put("held", "2");
  second.puts.push_back({test_record("second"), "{}", {}});
  const std::vector sets = {test_put("held", "1"), second, follower, test_put("free")};
  std::vector<Result<CommitReceipt>> results;
  std::thread writer([&] { results = site.storage->commit(sets); });
  const auto free = test_record("free");
  while (!site.storage->get({&free, 1}).value().front()) {
  }
  CHECK(count_records(*site.storage) == 2);
  site.let_go();
  writer.join();
  for (const auto& result : results) CHECK(result.has_value());
  CHECK(results[0]->versions.front() == 2);
  CHECK(results[1]->versions.front() == 3);
}

TEST_CASE("a record that somebody else is about to create keeps only its own set waiting") {
  SERVER_OR_SKIP(server);
  Site site(*server);
  site.psql.execute("BEGIN");
  const auto host = site.storage->enlist(site.psql.raw()).value();
  REQUIRE(commit_one(*host, test_put("new")).has_value());
  const std::vector sets = {test_put("before"), test_put("new"), test_put("behind")};
  std::vector<Result<CommitReceipt>> results;
  std::thread writer([&] { results = site.storage->commit(sets); });
  while (count_records(*site.storage) < 2) {
  }
  site.let_go();
  writer.join();
  for (const auto& result : results) CHECK(result.has_value());
  CHECK(results[1]->versions.front() == 2);
}

TEST_CASE("a set that meets a lock is busy after its wait, and its neighbours have landed") {
  SERVER_OR_SKIP(server);
  Site site(*server);
  REQUIRE(commit_one(*site.storage, test_put("held")).has_value());
  site.lock("key = 'held'");
  site.options.lock_wait = Duration(150);
  const auto storage = open_postgres(site.options);
  for (const auto& sets :
       {std::vector{test_put("held"), test_put("a")}, std::vector{test_put("b"), test_put("held")}}) {
    const auto results = storage->commit(sets);
    const bool is_first = sets.front().puts.front().id.key == "held";
    CHECK(results[is_first ? 1 : 0].has_value());
    REQUIRE(!results[is_first ? 0 : 1]);
    CHECK(results[is_first ? 0 : 1].error().code() == errc::storage_busy);
  }
  site.let_go();
  CHECK(commit_one(*storage, test_put("held")).has_value());
}
