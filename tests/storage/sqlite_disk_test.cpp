// Disks that fail under an open database.
#include <vector>

#include "storage/database_file.hpp"
#include "storage/failing_disk.hpp"

using namespace openindex;

TEST_CASE("a full disk refuses a commit, keeps what was there, and is forgotten when there is room") {
  FailingDisk disk;
  const DatabaseFile file;
  {
    const auto storage = file.open();
    REQUIRE(commit_one(*storage, test_put("before")).has_value());
    disk.fail_writes(SQLITE_FULL);
    const std::vector<ChangeSet> sets = {test_put("a"), test_put("b")};
    for (const auto& result : storage->commit(sets)) {
      REQUIRE(!result);
      CHECK(result.error().code() == errc::storage_full);
    }
    CHECK(count_records(*storage) == 1);
    disk.fail_writes(SQLITE_OK);
    for (const auto& result : storage->commit(sets)) CHECK(result.has_value());
  }
  CHECK(count_records(*file.open()) == 3);
}

TEST_CASE("a conflict is still a conflict when the disk is full") {
  FailingDisk disk;
  const DatabaseFile file;
  const auto storage = file.open();
  disk.fail_writes(SQLITE_FULL);
  auto conflicting = test_put("b");
  conflicting.expectations = {{test_record("absent"), 1}};
  const std::vector<ChangeSet> sets = {test_put("a"), conflicting};
  const auto results = storage->commit(sets);
  CHECK(results[0].error().code() == errc::storage_full);
  CHECK(results[1].error().code() == errc::conflict);
}

TEST_CASE("a commit that could not be synced is unknown, with its commit id and first cause") {
  FailingDisk disk;
  const DatabaseFile file;
  const auto storage = file.open();
  REQUIRE(commit_one(*storage, test_put("before")).has_value());
  disk.fail_syncs(SQLITE_IOERR_FSYNC);
  const auto result = commit_one(*storage, test_put("a"));
  REQUIRE(!result);
  CHECK(result.error().code() == errc::commit_unknown);
  CHECK(result.error().context("commit") == "commit_1");
  REQUIRE(result.error().cause() != nullptr);
  CHECK(result.error().cause()->context("sqlite_code") == std::to_string(SQLITE_IOERR_FSYNC));

  disk.fail_syncs(SQLITE_OK);
  CHECK(commit_one(*storage, test_put("b")).has_value());
}

TEST_CASE("a disk too full to create a database says so") {
  FailingDisk disk;
  disk.fail_writes(SQLITE_FULL);
  const DatabaseFile file;
  const auto storage = SqliteStorage::open(file.options());
  REQUIRE(!storage);
  CHECK(storage.error().code() == errc::storage_full);
  disk.fail_writes(SQLITE_OK);
  CHECK(commit_one(*file.open(), test_put("a")).has_value());
}

TEST_CASE(
    "a transaction that SQLite itself gave up is answered with what made it, and not with a rollback that failed") {
  FailingDisk disk;
  const DatabaseFile file;
  const auto storage = file.open();
  REQUIRE(commit_one(*storage, test_put("before")));
  disk.fail_writes(SQLITE_FULL);
  // More than the page cache holds: the log is written, and refused, in the middle of the transaction.
  auto large = test_put("0", std::string(4'000'000, 'x'));
  for (int i = 1; i < 6; ++i) large.puts.push_back(test_put(std::to_string(i), large.puts.front().body).puts.front());
  const std::vector<ChangeSet> sets = {large, test_put("small")};
  for (const auto& result : storage->commit(sets)) {
    REQUIRE(!result);
    CHECK(result.error().code() == errc::storage_full);
    CHECK(result.error().context("sqlite_code") == std::to_string(SQLITE_FULL));
    CHECK(result.error().context("doing").find("ROLLBACK") == std::string_view::npos);
  }
  disk.fail_writes(SQLITE_OK);
  CHECK(count_records(*storage) == 1);
  for (const auto& result : storage->commit(sets)) CHECK(result.has_value());
}
