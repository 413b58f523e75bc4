// Files that cannot be opened: a clear error each, and not a byte of them changed.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/schema.hpp"
#include "storage/database_file.hpp"

using namespace openindex;

namespace {

Error refusal(const SqliteOptions& options) {
  const auto storage = SqliteStorage::open(options);
  REQUIRE(!storage);
  return storage.error();
}

void check_refused_unchanged(const DatabaseFile& file, errc expected) {
  const auto before = file.bytes();
  const auto error = refusal(file.options());
  CHECK_MESSAGE(error.code() == expected, error.describe());
  CHECK(error.context("path") == file.path().string());
  CHECK(file.bytes() == before);
}

/// Make a database of ours with a few hundred records.
void fill(const DatabaseFile& file) {
  const auto storage = file.open();
  std::vector<ChangeSet> sets;
  for (int i = 0; i < 300; ++i) {
    sets.push_back(test_put(std::to_string(i), std::string(500, 'x'), {{Index::due, {"hold", i, "s"}}}));
  }
  for (const auto& result : storage->commit(sets)) REQUIRE(result);
}

/// Return what opening says to somebody who is not root, in a process of its own.
errc opened_by_nobody(const DatabaseFile& file) {
  constexpr uid_t nobody = 65534;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (geteuid() == 0 && setuid(nobody) != 0) _exit(1);
    const auto storage = SqliteStorage::open(file.options());
    _exit(storage ? 0 : static_cast<int>(storage.error().code()));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return static_cast<errc>(WEXITSTATUS(status));
}

}  // namespace

TEST_CASE("a folder that does not exist is named") {
  const DatabaseFile file;
  const auto path = file.folder() / "missing" / "test.db";
  const auto error = refusal({.path = path});
  CHECK(error.code() == errc::invalid_argument);
  CHECK(error.message() == "The folder of the database is missing");
  CHECK(error.context("path") == path.string());
}

TEST_CASE("an empty path and a folder are no database") {
  const DatabaseFile file;
  CHECK(refusal({}).code() == errc::invalid_argument);
  CHECK(refusal({.path = file.folder()}).code() == errc::invalid_argument);
  CHECK(refusal({.path = ":memory:"}).code() == errc::invalid_argument);
}

TEST_CASE("a file that is no database is refused and kept") {
  const DatabaseFile file;
  for (const std::string& bytes : {std::string("no"), std::string("# my notes\n"), std::string(100'000, 'x')}) {
    file.write(bytes);
    check_refused_unchanged(file, errc::storage_not_ours);
  }
}

TEST_CASE("an empty file becomes a database") {
  const DatabaseFile file;
  file.write("");
  CHECK(commit_one(*file.open(), test_put("a")).has_value());
}

TEST_CASE("another application's database is refused and kept") {
  const DatabaseFile file;
  SUBCASE("with a table") { PlainConnection(file).execute("CREATE TABLE records (id, kind, key)"); }
  SUBCASE("with an application id and no table") { PlainConnection(file).execute("PRAGMA application_id=7"); }
  SUBCASE("with a version and no table") { PlainConnection(file).execute("PRAGMA user_version=1"); }
  SUBCASE("with a log") { PlainConnection(file).execute("PRAGMA journal_mode=WAL; CREATE TABLE t (x)"); }
  check_refused_unchanged(file, errc::storage_not_ours);
}

TEST_CASE("another application's log is not moved into its database") {
  const DatabaseFile file;
  PlainConnection(file).leave_log("PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  const auto log = file.path().string() + "-wal";
  const auto before = std::filesystem::file_size(log);
  check_refused_unchanged(file, errc::storage_not_ours);
  CHECK(std::filesystem::file_size(log) == before);
  CHECK(PlainConnection(file).column("SELECT x FROM t") == std::vector<std::string>{"1"});
}

TEST_CASE("a newer schema is refused by its number and kept") {
  const DatabaseFile file;
  fill(file);
  const std::string newer = std::to_string(sqlite::schema_version + 1);
  PlainConnection(file).execute("PRAGMA user_version=" + newer);
  check_refused_unchanged(file, errc::storage_newer_schema);
  const auto error = refusal(file.options());
  CHECK(error.context("found") == newer);
  CHECK(error.context("newest_known") == std::to_string(sqlite::schema_version));
}

TEST_CASE("a truncated database is refused and kept") {
  const DatabaseFile file;
  fill(file);
  const auto whole = file.bytes();
  for (const std::size_t pages : {std::size_t{1}, std::size_t{3}, whole.size() / 4096 / 2}) {
    file.write(whole.substr(0, pages * 4096));
    check_refused_unchanged(file, errc::storage_corrupt);
  }
}

TEST_CASE("a database whose first page is damaged is refused and kept") {
  const DatabaseFile file;
  fill(file);
  auto bytes = file.bytes();
  bytes.replace(100, 3000, 3000, '\x5a');
  file.write(bytes);
  check_refused_unchanged(file, errc::storage_corrupt);
}

TEST_CASE("a database without its table is refused and kept") {
  const DatabaseFile file;
  fill(file);
  PlainConnection(file).execute("ALTER TABLE records RENAME TO something_else");
  const auto before = file.bytes();
  CHECK(refusal(file.options()).code() == errc::storage_corrupt);
  CHECK(PlainConnection(file).column("SELECT count(*) FROM something_else") == std::vector<std::string>{"300"});
}

TEST_CASE("damage in the middle is reported by whoever reads it") {
  const DatabaseFile file;
  fill(file);
  auto bytes = file.bytes();
  for (std::size_t at = 6 * 4096; at + 4096 <= bytes.size(); at += 4096) bytes.replace(at, 4096, 4096, '\x5a');
  file.write(bytes);
  const auto storage = SqliteStorage::open(file.options());
  const auto page = storage ? (*storage)->scan({.index = Index::due, .prefix = {}}) : Result<ScanPage>(storage.error());
  REQUIRE(!page);
  CHECK(page.error().code() == errc::storage_corrupt);
}

TEST_CASE("a file that may not be written is read-only") {
  const DatabaseFile file;
  fill(file);
  REQUIRE(chmod(file.folder().c_str(), 0777) == 0);
  REQUIRE(chmod(file.path().c_str(), 0444) == 0);
  CHECK(opened_by_nobody(file) == errc::storage_read_only);
}

TEST_CASE("a folder that may not be written is read-only") {
  const DatabaseFile file;
  SUBCASE("with a database in it") {
    fill(file);
    REQUIRE(chmod(file.path().c_str(), 0666) == 0);
  }
  SUBCASE("without one") {}
  REQUIRE(chmod(file.folder().c_str(), 0555) == 0);
  CHECK(opened_by_nobody(file) == errc::storage_read_only);
  REQUIRE(chmod(file.folder().c_str(), 0755) == 0);
}

TEST_CASE("a file that somebody else has locked is busy") {
  const DatabaseFile file;
  PlainConnection theirs(file);
  theirs.execute("BEGIN EXCLUSIVE");
  CHECK(refusal({.path = file.path(), .busy_timeout = Duration(1)}).code() == errc::storage_busy);
  theirs.execute("COMMIT");
  CHECK(commit_one(*file.open(), test_put("a")).has_value());
}

TEST_CASE("a commit gives up on a foreign write lock after the busy timeout, and later succeeds") {
  const DatabaseFile file;
  const auto storage = DatabaseFile::open({.path = file.path(), .busy_timeout = Duration(1)});
  PlainConnection theirs(file);
  theirs.execute("BEGIN IMMEDIATE");
  std::vector<ChangeSet> sets = {test_put("a"), test_put("b")};
  for (const auto& result : storage->commit(sets)) {
    CHECK((!result && result.error().code() == errc::storage_busy));
  }
  CHECK(count_records(*storage) == 0);  // readers do not wait for it
  theirs.execute("COMMIT");
  for (const auto& result : storage->commit(sets)) CHECK(result.has_value());
}

TEST_CASE("many who create one file at the same time all get it") {
  const DatabaseFile file;
  std::atomic<int> landed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const auto storage = SqliteStorage::open(file.options());
      landed += storage && commit_one(**storage, test_put(std::to_string(i))) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(landed == 6);
  CHECK(count_records(*file.open()) == 6);
}
