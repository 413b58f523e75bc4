// A transaction of the host with our changes in it: at the storage.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/tuning.hpp"
#include "storage/database_file.hpp"
#include "storage/failing_disk.hpp"

using namespace openindex;

namespace {

struct Enlisting {
  DatabaseFile file;
  std::unique_ptr<SqliteStorage> storage = DatabaseFile::open({.path = file.path(), .busy_timeout = Duration(1)});
  PlainConnection host{file};

  std::unique_ptr<Enlistment> begin(const std::string& how = "BEGIN IMMEDIATE") {
    host.execute(how);
    return storage->enlist(host.raw()).value();
  }
  Error refusal(sqlite3* connection) {
    const auto enlisted = storage->enlist(connection);
    REQUIRE(!enlisted);
    return enlisted.error();
  }
};

ChangeSet expecting(ChangeSet changes, const std::string& key, std::uint64_t version) {
  changes.expectations = {{test_record(key), version}};
  return changes;
}

}  // namespace

TEST_CASE("a change set in the host's transaction is seen inside, and outside after COMMIT") {
  Enlisting f;
  const auto inside = f.begin();
  REQUIRE(commit_one(*inside, test_put("a", "{}", {{Index::due, {"hold", 5, "s"}}})));
  CHECK(count_records(*inside) == 1);
  CHECK(count_records(*f.storage) == 0);
  const RecordId id = test_record("a");
  CHECK(inside->get({&id, 1}).value().at(0)->body == "{}");
  CHECK_FALSE(f.storage->get({&id, 1}).value().at(0).has_value());
  CHECK(inside->scan({.index = Index::due}).value().rows.size() == 1);
  f.host.execute("COMMIT");
  CHECK(count_records(*f.storage) == 1);
}

TEST_CASE("a rollback of the host leaves nothing of ours") {
  Enlisting f;
  const auto inside = f.begin();
  REQUIRE(commit_one(*inside, test_put("a")));
  f.host.execute("ROLLBACK");
  CHECK(count_records(*f.storage) == 0);
  CHECK(commit_one(*f.storage, expecting(test_put("a"), "a", 0)).value().versions.at(0) == 1);
}

TEST_CASE("a conflict in the host's transaction undoes its change set alone") {
  Enlisting f;
  f.host.execute("CREATE TABLE orders (name)");
  const auto inside = f.begin();
  f.host.execute("INSERT INTO orders VALUES ('tea')");
  const std::vector<ChangeSet> sets = {test_put("a"), expecting(test_put("b"), "a", 7),
                                       expecting(test_put("c"), "a", 1)};
  const auto results = inside->commit(sets);
  CHECK(results[0]);
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::conflict);
  CHECK(results[1].error().context("found") == "1");
  CHECK(results[2]);
  f.host.execute("COMMIT");
  CHECK(f.host.column("SELECT name FROM orders") == std::vector<std::string>{"tea"});
  CHECK(f.host.column("SELECT key FROM records ORDER BY key") == std::vector<std::string>{"a", "c"});
}

TEST_CASE("a change set that breaks a bound is refused inside a transaction too") {
  Enlisting f;
  const auto inside = f.begin();
  CHECK(commit_one(*inside, test_put("")).error().code() == errc::invalid_argument);
  CHECK(commit_one(*inside, test_put("a")));
  f.host.execute("COMMIT");
}

TEST_CASE("only an open transaction on the storage's own file can be enlisted") {
  Enlisting f;
  CHECK(f.refusal(nullptr).code() == errc::invalid_argument);

  const auto idle = f.refusal(f.host.raw());
  CHECK(idle.code() == errc::invalid_argument);
  CHECK(idle.message().find("BEGIN IMMEDIATE") != std::string::npos);

  const DatabaseFile another;
  const auto unrelated = another.open();
  PlainConnection stranger(another);
  stranger.execute("BEGIN IMMEDIATE");
  const auto wrong = f.refusal(stranger.raw());
  CHECK(wrong.code() == errc::invalid_argument);
  CHECK(wrong.context("path") == f.file.path().string());
  CHECK(wrong.context("found") == another.path().string());
  stranger.execute("ATTACH '" + f.file.path().string() + "' AS ours");
  CHECK(f.refusal(stranger.raw()).code() == errc::invalid_argument);

  sqlite3* memory = nullptr;
  REQUIRE(sqlite3_open(":memory:", &memory) == SQLITE_OK);
  REQUIRE(sqlite3_exec(memory, "BEGIN", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(f.refusal(memory).code() == errc::invalid_argument);
  sqlite3_close(memory);

  sqlite3* reader = nullptr;
  REQUIRE(sqlite3_open_v2(f.file.path().c_str(), &reader, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_exec(reader, "BEGIN", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(f.refusal(reader).code() == errc::storage_read_only);
  sqlite3_close(reader);
}

TEST_CASE("a connection that was opened by another name of the same path is enlisted") {
  Enlisting f;
  std::filesystem::create_symlink(f.file.path(), f.file.folder() / "link.db");
  sqlite3* host = nullptr;
  REQUIRE(sqlite3_open((f.file.folder() / "." / "link.db").c_str(), &host) == SQLITE_OK);
  REQUIRE(sqlite3_exec(host, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  {
    const auto inside = f.storage->enlist(host);
    REQUIRE(inside);
    CHECK(commit_one(**inside, test_put("a")));
  }
  REQUIRE(sqlite3_exec(host, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_close(host) == SQLITE_OK);
  CHECK(count_records(*f.storage) == 1);
}

TEST_CASE("after the end of the transaction every call says that it is over, and writes nothing") {
  Enlisting f;
  const auto inside = f.begin();
  SUBCASE("with COMMIT") { f.host.execute("COMMIT"); }
  SUBCASE("with ROLLBACK") { f.host.execute("ROLLBACK"); }
  CHECK(commit_one(*inside, test_put("a")).error().code() == errc::invalid_argument);
  CHECK(inside->scan({.index = Index::due}).error().code() == errc::invalid_argument);
  CHECK(inside->count({.index = Index::due}).error().code() == errc::invalid_argument);
  const RecordId id = test_record("a");
  CHECK(inside->get({&id, 1}).error().code() == errc::invalid_argument);
  CHECK(count_records(*f.storage) == 0);
}

TEST_CASE(
    "whoever commits outside a transaction that writes is refused after the bound, in the same thread and others") {
  Enlisting f;
  const auto inside = f.begin();
  REQUIRE(commit_one(*inside, test_put("a")));
  CHECK(commit_one(*f.storage, test_put("b")).error().code() == errc::storage_busy);
  std::atomic<int> busy = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([&, i] {
      const auto result = commit_one(*f.storage, test_put(std::to_string(i)));
      busy += !result && result.error().code() == errc::storage_busy ? 1 : 0;
    });
  }
  for (auto& other : others) other.join();
  CHECK(busy == 4);
  CHECK(commit_one(*inside, test_put("c")));
  f.host.execute("COMMIT");
  CHECK(commit_one(*f.storage, test_put("b")));
  CHECK(count_records(*f.storage) == 3);
}

TEST_CASE("a transaction that began with a read which is out of date says how to begin it") {
  Enlisting f;
  REQUIRE(commit_one(*f.storage, test_put("a")));
  const auto inside = f.begin("BEGIN");
  CHECK(count_records(*inside) == 1);
  REQUIRE(commit_one(*f.storage, test_put("b")));
  CHECK(count_records(*inside) == 1);  // of one moment
  const auto late = commit_one(*inside, test_put("c"));
  REQUIRE(!late);
  CHECK(late.error().code() == errc::storage_busy);
  CHECK(late.error().message().find("BEGIN IMMEDIATE") != std::string::npos);
  REQUIRE(late.error().cause() != nullptr);
  CHECK(late.error().cause()->context("sqlite_code") == std::to_string(SQLITE_BUSY_SNAPSHOT));
  f.host.execute("ROLLBACK");
  CHECK(count_records(*f.storage) == 2);
}

TEST_CASE("a transaction that has only read keeps nobody from writing") {
  Enlisting f;
  const auto inside = f.begin("BEGIN");
  CHECK(count_records(*inside) == 0);
  CHECK(commit_one(*f.storage, test_put("a")));
  f.host.execute("COMMIT");
}

TEST_CASE("enlisting turns the connection's automatic checkpoints off, and leaves a hook of the host alone") {
  Enlisting f;
  CHECK(f.host.column("PRAGMA wal_autocheckpoint") == std::vector<std::string>{"1000"});
  int commits = 0;
  bool hooked = false;
  SUBCASE("without one") {}
  SUBCASE("with one") { hooked = true; }
  const auto count = [](void* seen, sqlite3*, const char*, int) {
    ++*static_cast<int*>(seen);
    return SQLITE_OK;
  };
  if (hooked) sqlite3_wal_hook(f.host.raw(), count, &commits);
  const auto inside = f.begin();
  CHECK(f.host.column("PRAGMA wal_autocheckpoint") == std::vector<std::string>{"0"});
  REQUIRE(commit_one(*inside, test_put("a")));
  f.host.execute("COMMIT");
  CHECK(commits == (hooked ? 1 : 0));
}

TEST_CASE("a connection that was prepared writes as much as it likes, and never copies the log by itself") {
  Enlisting f;
  bool prepared = false;
  SUBCASE("as it is opened, it does") {}
  SUBCASE("prepared, it does not") { prepared = true; }
  if (prepared) REQUIRE(SqliteStorage::prepare_host(f.host.raw()));
  f.host.execute("CREATE TABLE orders (name)");
  const auto before = std::filesystem::file_size(f.file.path());
  for (int i = 0; i < 3; ++i) f.host.execute("INSERT INTO orders VALUES (randomblob(5000000))");
  CHECK((std::filesystem::file_size(f.file.path()) == before) == prepared);
  CHECK(f.host.column("PRAGMA wal_autocheckpoint") == std::vector<std::string>{prepared ? "0" : "1000"});
  const auto inside = f.begin();  // it may be enlisted as before
  REQUIRE(commit_one(*inside, test_put("a")));
  f.host.execute("COMMIT");
  CHECK(count_records(*f.storage) == 1);
}

TEST_CASE("preparing a connection leaves a hook of the host alone, and refuses null") {
  Enlisting f;
  int commits = 0;
  const auto count = [](void* seen, sqlite3*, const char*, int) {
    ++*static_cast<int*>(seen);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(f.host.raw(), count, &commits);
  CHECK(SqliteStorage::prepare_host(f.host.raw()));
  f.host.execute("CREATE TABLE orders (name)");
  CHECK(commits == 1);
  CHECK(SqliteStorage::prepare_host(nullptr).error().code() == errc::invalid_argument);
}

TEST_CASE("a temporary table of the host does not stand in for ours") {
  Enlisting f;
  f.host.execute("CREATE TEMP TABLE records (kind, key)");
  const auto inside = f.begin();
  CHECK(commit_one(*inside, test_put("a", "{}", {{Index::due, {"hold", 5, "s"}}})));
  CHECK(inside->scan({.index = Index::due}).value().rows.size() == 1);
  f.host.execute("COMMIT");
  CHECK(count_records(*f.storage) == 1);
  CHECK(f.host.column("SELECT count(*) FROM temp.records") == std::vector<std::string>{"0"});
}

TEST_CASE("savepoints of the host undo our changes with its own") {
  Enlisting f;
  const auto inside = f.begin();
  REQUIRE(commit_one(*inside, test_put("a")));
  f.host.execute("SAVEPOINT openindex");  // by the name that ours have
  REQUIRE(commit_one(*inside, test_put("b")));
  REQUIRE(commit_one(*inside, expecting(test_put("c"), "b", 9)).error().code() == errc::conflict);
  f.host.execute("ROLLBACK TO openindex");
  CHECK(count_records(*inside) == 1);
  f.host.execute("COMMIT");
  CHECK(count_records(*f.storage) == 1);
}

TEST_CASE("a query of the host that is under way goes on beside our changes") {
  Enlisting f;
  f.host.execute("CREATE TABLE orders (name); INSERT INTO orders VALUES ('tea'), ('milk')");
  const auto inside = f.begin();
  sqlite3_stmt* query = nullptr;
  REQUIRE(sqlite3_prepare_v2(f.host.raw(), "SELECT name FROM orders", -1, &query, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(query) == SQLITE_ROW);
  CHECK(commit_one(*inside, test_put("a")));
  CHECK(commit_one(*inside, expecting(test_put("b"), "a", 9)).error().code() == errc::conflict);
  CHECK(sqlite3_step(query) == SQLITE_ROW);
  CHECK(sqlite3_step(query) == SQLITE_DONE);
  sqlite3_finalize(query);
  f.host.execute("COMMIT");
}

TEST_CASE(
    "a disk that is full in the middle of a change set is told, and that SQLite gave up the host's rows as well") {
  FailingDisk disk;
  Enlisting f;
  f.host.execute("CREATE TABLE orders (name); PRAGMA cache_size=10");
  const auto inside = f.begin();
  f.host.execute("INSERT INTO orders VALUES ('tea')");
  disk.fail_writes(SQLITE_FULL);
  const auto full = commit_one(*inside, test_put("a", std::string(1'000'000, 'x')));  // too large for the page cache
  disk.fail_writes(SQLITE_OK);
  REQUIRE(!full);
  CHECK(full.error().code() == errc::storage_full);
  CHECK_FALSE(full.error().context("transaction").empty());
  CHECK(sqlite3_get_autocommit(f.host.raw()) != 0);
  CHECK(f.host.column("SELECT name FROM orders").empty());
  CHECK(commit_one(*inside, test_put("a")).error().code() == errc::invalid_argument);
}

TEST_CASE("a COMMIT of the host that fails leaves nothing, and can be followed by another transaction") {
  FailingDisk disk;
  Enlisting f;
  {
    const auto inside = f.begin();
    REQUIRE(commit_one(*inside, test_put("a")));
    disk.fail_writes(SQLITE_FULL);
    CHECK(sqlite3_exec(f.host.raw(), "COMMIT", nullptr, nullptr, nullptr) == SQLITE_FULL);
    disk.fail_writes(SQLITE_OK);
    if (sqlite3_get_autocommit(f.host.raw()) == 0) f.host.execute("ROLLBACK");
  }
  CHECK(count_records(*f.storage) == 0);
  const auto inside = f.begin();
  CHECK(commit_one(*inside, test_put("a")));
  f.host.execute("COMMIT");
  CHECK(count_records(*f.storage) == 1);
}

TEST_CASE("committed wakes who sleeps until something changes") {
  Enlisting f;
  const auto seen = f.storage->wait_for_change({.seen = 0, .timeout = Duration(0)}).value().sequence;
  std::thread sleeper([&] {
    CHECK(f.storage->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)}).value().sequence != seen);
  });
  const auto inside = f.begin();
  REQUIRE(commit_one(*inside, test_put("a")));
  f.host.execute("COMMIT");
  inside->committed();
  sleeper.join();
}

TEST_CASE("committed wakes who sleeps in another storage on the file, and no clock does") {
  Enlisting f;
  constexpr auto for_ever = std::chrono::hours(1);
  const auto other = sqlite::TunedStorage::open(f.file.options(), {.looks = {for_ever, for_ever}}).value();
  auto seen = other->wait_for_change({}).value().sequence;
  for (int round = 0; round < 10; ++round) {
    std::thread sleeper([&] {
      const auto woken = other->wait_for_change({.seen = seen, .timeout = for_ever}).value().sequence;
      CHECK(woken != seen);
      seen = woken;
    });
    const auto inside = f.begin();
    CHECK(commit_one(*inside, test_put(std::to_string(round))));
    f.host.execute("COMMIT");
    inside->committed();
    sleeper.join();
  }
}

TEST_CASE("the log stays bounded though nobody but the host's transactions writes") {
  Enlisting f;
  const std::string body(256 * 1024, 'x');
  std::int64_t longest = 0;
  for (int round = 0; round < 200; ++round) {  // 50 MB in all
    const auto inside = f.begin();
    REQUIRE(commit_one(*inside, test_put("a", body)));
    f.host.execute("COMMIT");
    inside->committed();
    longest = std::max(longest, f.storage->status().value().wal_bytes);
  }
  CHECK(longest < 24'000'000);
}
