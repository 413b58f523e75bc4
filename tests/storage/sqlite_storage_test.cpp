#include <openindex/adapters/sqlite_storage.hpp>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/checkpoint.hpp"
#include "storage/database_file.hpp"
#include "storage/run_contract.hpp"

using namespace openindex;

namespace {

/// A storage that takes its folder away with it.
class TemporaryStorage final : private DatabaseFile, public Storage {
 public:
  TemporaryStorage() = default;

  /// Open a copy of what another one has on disk at this moment, as kill -9 would leave it: log not moved into the
  /// database, nothing closed. A process of its own copies, since closing a descriptor here would drop SQLite's locks.
  explicit TemporaryStorage(const TemporaryStorage& dying) : DatabaseFile(), storage_() {
    const auto copy = "cp '" + dying.folder().string() + "'/* '" + folder().string() + "'";
    REQUIRE(std::system(copy.c_str()) == 0);
    storage_ = open();
  }

  static std::unique_ptr<Storage> crash_and_reopen(std::unique_ptr<Storage> dying) {
    return std::make_unique<TemporaryStorage>(dynamic_cast<const TemporaryStorage&>(*dying));
  }

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return storage_->get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return storage_->scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return storage_->count(request); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> sets) override { return storage_->commit(sets); }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return storage_->wait_for_change(request); }
  void wake() noexcept override { storage_->wake(); }

 private:
  std::unique_ptr<SqliteStorage> storage_ = open();
};

template <class Work>
void run_in_threads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("SQLite storage keeps the storage contract") {
  run_contract(testing::StorageUnderTest{.make = [] { return std::make_unique<TemporaryStorage>(); },
                                         .crash_and_reopen = TemporaryStorage::crash_and_reopen});
}

TEST_CASE("status tells what SQLite really runs with") {
  const DatabaseFile file;
  const auto status = file.open()->status();
  REQUIRE(status);
  CHECK(status->library_version == sqlite3_libversion());
  CHECK(status->journal_mode == "wal");
  CHECK(status->synchronous == "full");
  CHECK(status->concurrent_checkpoints == sqlite::checkpoints_safely(sqlite3_libversion_number()));
  CHECK(status->wal_bytes > 0);
}

TEST_CASE("a host may ask for synchronous=NORMAL") {
  const DatabaseFile file;
  const auto storage = DatabaseFile::open({.path = file.path(), .synchronous = SqliteOptions::Synchronous::normal});
  CHECK(storage->status().value().synchronous == "normal");
  CHECK(commit_one(*storage, test_put("a")).has_value());
}

TEST_CASE("libraries with the WAL-reset bug are known") {
  for (const int broken : {3'007'000, 3'040'001, 3'044'005, 3'045'000, 3'050'006, 3'051'000, 3'051'002, 3'052'000}) {
    CHECK_FALSE_MESSAGE(sqlite::checkpoints_safely(broken), broken);
  }
  for (const int fixed : {3'044'006, 3'050'007, 3'051'003, 3'053'000, 3'060'001}) {
    CHECK_MESSAGE(sqlite::checkpoints_safely(fixed), fixed);
  }
}

TEST_CASE("a reopened database has everything that was committed") {
  const DatabaseFile file;
  const IndexEntry entry{Index::due, {"hold", 7, "a"}};
  CHECK(commit_one(*file.open(), test_put("a", "first", {entry})).has_value());
  CHECK(commit_one(*file.open(), test_put("a", std::string("sec\0nd", 6), {entry})).has_value());
  const auto storage = file.open();
  const auto page = storage->scan({.index = Index::due, .prefix = {"hold"}});
  REQUIRE(page);
  REQUIRE(page->rows.size() == 1);
  CHECK(page->rows[0].version == 2);
  CHECK(page->rows[0].body == std::string("sec\0nd", 6));
  CHECK(page->rows[0].index == std::vector{entry});
}

TEST_CASE("a relative path stays where it was when the working folder changes") {
  const DatabaseFile file;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(file.folder());
  const auto storage = DatabaseFile::open({.path = "test.db"});
  std::filesystem::current_path(before);
  CHECK(commit_one(*storage, test_put("a")).has_value());
  CHECK(count_records(*storage) == 1);  // on a connection that is opened only now
}

TEST_CASE("names that are special to SQLite are files like any other") {
  const DatabaseFile file;
  for (const std::string name : {"file:x?mode=memory", "with space.db", "ünï.db"}) {
    const auto path = file.folder() / name;
    CHECK(commit_one(*DatabaseFile::open({.path = path}), test_put("a")).has_value());
    CHECK(std::filesystem::exists(path));
  }
}

TEST_CASE("the table has a column for every field of every index") {
  const DatabaseFile file;
  (void)file.open();
  std::vector<std::string> expected = {"id", "kind", "key", "version"};
  for (const auto& schema : index_schemas().subspan(1)) {
    for (const auto& field : schema.fields) {
      expected.push_back(std::string(schema.name) + "_" + std::string(field.name));
    }
  }
  expected.emplace_back("body");
  CHECK(PlainConnection(file).column("SELECT name FROM pragma_table_info('records')") == expected);
}

TEST_CASE("an operator reads bodies as text and finds rows by index columns") {
  const DatabaseFile file;
  const IndexEntry entry{Index::items,
                         {"OPS", 7, 0, "TRIAGE", "new", "", "", "", "", "task", 2, "", "", "", "none", 0}};
  CHECK(commit_one(*file.open(), test_put("a", R"({"title":"crash"})", {entry})).has_value());
  CHECK(PlainConnection(file).column("SELECT body ->> 'title' FROM records WHERE items_domain = 'OPS'") ==
        std::vector<std::string>{"crash"});
}

TEST_CASE("two storages on one file respect each other's versions") {
  const DatabaseFile file;
  const auto one = file.open();
  const auto other = file.open();
  CHECK(commit_one(*one, test_put("a")).has_value());
  auto changes = test_put("a");
  changes.expectations = {{test_record("a"), 1}};
  CHECK(commit_one(*other, changes).has_value());
  const auto late = commit_one(*one, changes);
  REQUIRE(!late);
  CHECK(late.error().code() == errc::conflict);
  CHECK(late.error().context("found") == "2");
}

TEST_CASE("a commit in one storage wakes who waits in another") {
  const DatabaseFile file;
  const auto one = file.open();
  const auto other = file.open();
  const auto seen = one->wait_for_change({}).value().sequence;
  std::thread writer([&] { (void)commit_one(*other, test_put("a")); });
  const auto woken = one->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)});
  writer.join();
  REQUIRE(woken);
  CHECK(woken->sequence != seen);
}

TEST_CASE("everybody who waits is woken by one commit of another storage") {
  const DatabaseFile file;
  const auto one = file.open();
  const auto other = file.open();
  const auto seen = one->wait_for_change({}).value().sequence;
  std::atomic<int> woken = 0;
  std::thread writer([&] { (void)commit_one(*other, test_put("a")); });
  run_in_threads(4, [&](int) {
    const auto answer = one->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)});
    woken += answer && answer->sequence != seen ? 1 : 0;
  });
  writer.join();
  CHECK(woken == 4);
}

TEST_CASE("a change that was waited for is not news again") {
  const DatabaseFile file;
  const auto storage = file.open();
  const auto first = storage->wait_for_change({}).value().sequence;
  CHECK(commit_one(*storage, test_put("a")).has_value());
  const auto second = storage->wait_for_change({.seen = first, .timeout = Duration(0)}).value().sequence;
  CHECK(second != first);
  CHECK(storage->wait_for_change({.seen = second, .timeout = Duration(0)}).value().sequence == second);
}

TEST_CASE("a change that woke a sleeper is not news again") {
  const DatabaseFile file;
  const auto storage = file.open();
  auto seen = storage->wait_for_change({}).value().sequence;
  for (int round = 0; round < 10; ++round) {
    std::thread writer([&] { (void)commit_one(*storage, test_put("a")); });
    seen = storage->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)}).value().sequence;
    writer.join();
    CHECK(storage->wait_for_change({.seen = seen, .timeout = Duration(0)}).value().sequence == seen);
  }
}

TEST_CASE("a sleeper is woken from outside although the first who waited has left") {
  const DatabaseFile file;
  const auto one = file.open();
  const auto other = file.open();
  for (int round = 0; round < 2; ++round) {
    const auto seen = one->wait_for_change({}).value().sequence;
    std::thread first([&] { (void)one->wait_for_change({.seen = seen, .timeout = Duration(20)}); });
    std::thread second([&] {
      CHECK(one->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)}).value().sequence != seen);
    });
    first.join();
    CHECK(commit_one(*other, test_put("a")).has_value());
    second.join();
  }
}

TEST_CASE("commits of sixteen threads all land") {
  constexpr int each = 20;
  const DatabaseFile file;
  std::atomic<int> landed = 0;
  const auto storage = file.open();
  run_in_threads(16, [&](int thread) {
    for (int i = 0; i < each; ++i) {
      const auto done = commit_one(*storage, test_put(std::to_string(thread) + "/" + std::to_string(i)));
      landed += done && done->versions == std::vector<std::uint64_t>{1} ? 1 : 0;
    }
  });
  CHECK(landed == 16 * each);
  CHECK(count_records(*storage) == 16 * each);
}

TEST_CASE("a conflict in a group costs its neighbours nothing") {
  const DatabaseFile file;
  const auto storage = file.open();
  std::atomic<int> landed = 0;
  std::atomic<int> conflicts = 0;
  run_in_threads(8, [&](int thread) {
    for (int i = 0; i < 20; ++i) {
      auto changes = test_put(std::to_string(thread) + "/" + std::to_string(i));
      if (thread % 2 == 0) changes.expectations = {{test_record("absent"), 1}};
      const auto done = commit_one(*storage, changes);
      landed += done ? 1 : 0;
      conflicts += !done && done.error().code() == errc::conflict ? 1 : 0;
    }
  });
  CHECK(landed == 80);
  CHECK(conflicts == 80);
  CHECK(count_records(*storage) == 80);
}

TEST_CASE("an append that is there already takes back those of its set and costs its neighbours nothing") {
  const DatabaseFile file;
  const auto storage = file.open();
  REQUIRE(commit_one(*storage, test_put("known")));
  std::vector<ChangeSet> sets = {test_put("a"), test_put("not"), test_put("b")};
  sets[1].appends = {{test_record("new"), "{}", {}}, {test_record("known"), "{}", {}}};
  const auto results = storage->commit(sets);
  CHECK(results[0].has_value());
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::conflict);
  CHECK(results[1].error().context("key") == "known");
  CHECK(results[1].error().context("found") == "1");
  CHECK(results[2].has_value());
  CHECK(count_records(*storage) == 3);
}

TEST_CASE("heartbeats of many callers land although other commits fill every group") {
  constexpr int each = 10;
  const DatabaseFile file;
  const auto storage = file.open();
  std::atomic<int> landed = 0;
  run_in_threads(12, [&](int thread) {
    for (int i = 0; i < each; ++i) {
      std::vector<ChangeSet> sets;
      const bool beats = thread % 4 == 0;
      for (int n = 0; n < (beats ? 1 : 200); ++n) {
        const auto key = std::to_string(thread) + "/" + std::to_string(i) + "/" + std::to_string(n);
        auto& set = sets.emplace_back(test_put(beats ? std::to_string(thread) : key));
        if (!beats) set.appends = {{test_record(key + "+"), "{}", {}}};
      }
      const auto results = storage->commit(sets);
      for (const auto& result : results) landed += result ? 1 : 0;
    }
  });
  CHECK(landed == each * (3 + 9 * 200));
  CHECK(count_records(*storage) == 3 + each * 9 * 400);
}

TEST_CASE("a change set that SQLite refuses halfway leaves nothing behind and costs its neighbours nothing") {
  const DatabaseFile file;
  const auto storage = file.open();
  PlainConnection(file).execute(
      "CREATE TRIGGER refuse BEFORE INSERT ON records WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'refused'); END");
  std::vector<ChangeSet> sets = {test_put("a"), test_put("half"), test_put("b")};
  sets[1].puts.push_back({test_record("bad"), "{}", {}});
  const auto results = storage->commit(sets);
  CHECK(results[0].has_value());
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::storage_failed);
  CHECK(results[1].error().context("sqlite") == "refused");
  CHECK(results[2].has_value());
  const auto page = storage->scan({.index = Index::key, .prefix = {"host.test"}});
  REQUIRE(page.value().rows.size() == 2);
  CHECK(page->rows[0].id.key == "a");
  CHECK(page->rows[1].id.key == "b");
}

TEST_CASE("a call of more change sets than share a transaction is not passed over for ever") {
  const DatabaseFile file;
  const auto storage = file.open();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {  // these append nothing, and so go first
      while (!stop) CHECK(commit_one(*storage, test_put("beat" + std::to_string(thread))));
    });
  }
  std::vector<ChangeSet> sets(600);
  for (std::size_t i = 0; i < sets.size(); ++i) sets[i].appends = {{test_record(std::to_string(i)), "{}", {}}};
  for (const auto& committed : storage->commit(sets)) CHECK(committed);
  stop = true;
  for (auto& thread : threads) thread.join();
}
