// Copies of a database that is in use.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <openindex/workflow_engine.hpp>

#include "storage/database_file.hpp"
#include "storage/failing_disk.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

void fill(Storage& storage, int count) {
  std::vector<ChangeSet> sets;
  for (int i = 0; i < count; ++i) sets.push_back(test_put("before/" + std::to_string(i), std::string(1000, 'x')));
  for (const auto& result : storage.commit(sets)) REQUIRE(result);
}

}  // namespace

TEST_CASE("a backup is a database of its own with everything that was committed") {
  const DatabaseFile file;
  const auto storage = file.open();
  PlainConnection(file).execute("CREATE TABLE orders (name); INSERT INTO orders VALUES ('tea')");
  fill(*storage, 50);
  const auto to = file.folder() / "copy.db";
  REQUIRE(storage->backup(to));
  CHECK(names_in(file.folder()) == std::set<std::string>{"copy.db", "test.db", "test.db-shm", "test.db-wal"});

  REQUIRE(commit_one(*storage, test_put("after")));
  const auto copy = DatabaseFile::open({.path = to});
  CHECK(count_records(*copy) == 50);
  CHECK(copy->check());
  REQUIRE(commit_one(*copy, test_put("in the copy")));
  CHECK(count_records(*storage) == 51);
  sqlite3* plain = nullptr;
  REQUIRE(sqlite3_open(to.c_str(), &plain) == SQLITE_OK);
  CHECK(sqlite3_exec(plain, "SELECT name FROM orders WHERE name = 'tea'", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(plain);
}

TEST_CASE("a backup of an engine's storage goes on where it was, and its chains are whole") {
  const DatabaseFile file;
  const auto storage = file.open();
  const auto host = Actor::system("host");
  WorkflowEngine engine{{.storage = *storage}};
  REQUIRE(engine.save(host, tests::triage_workflow()));
  const auto key = engine.create(host, {.workflow = "TRIAGE", .title = "crash"}).value().key;
  REQUIRE(storage->backup(file.folder() / "copy.db"));
  const auto copy = DatabaseFile::open({.path = file.folder() / "copy.db"});
  WorkflowEngine restored{{.storage = *copy}};
  CHECK(restored.comment(host, key, "restored"));
  CHECK(restored.create(host, {.workflow = "TRIAGE", .title = "next"}).value().key != key);
  CHECK(copy->check());
}

TEST_CASE("a backup while others commit is of one moment, and holds what was acknowledged before") {
  const DatabaseFile file;
  const auto storage = file.open();
  fill(*storage, 3000);
  std::atomic<bool> stop = false;
  std::atomic<int> landed = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; !stop; ++i) {
        auto both = test_put("left/" + std::to_string(writer) + "/" + std::to_string(i));
        both.puts.push_back(test_put("right/" + std::to_string(writer) + "/" + std::to_string(i)).puts.front());
        if (commit_one(*storage, both)) ++landed;
        landed.notify_all();
      }
    });
  }
  for (int copies = 0; copies < 3; ++copies) {
    for (int seen = landed; seen < 5 * (copies + 1); seen = landed) landed.wait(seen);
    const int acknowledged = landed;
    const auto to = file.folder() / ("copy" + std::to_string(copies) + ".db");
    const auto made = storage->backup(to);
    CHECK_MESSAGE(made.has_value(), (made ? std::string() : made.error().describe()));
    const auto copy = DatabaseFile::open({.path = to});
    const auto count = [&](const char* side) {
      return copy
          ->count({.index = Index::key,
                   .prefix = {"host.test"},
                   .from = std::string(side) + "/",
                   .below = std::string(side) + "0"})
          .value();
    };
    CHECK(count("before") == 3000);
    CHECK(count("left") == count("right"));
    CHECK(count("left") >= static_cast<std::uint64_t>(acknowledged));
    CHECK(copy->check());
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  CHECK(count_records(*storage) == 3000 + 2 * static_cast<std::uint64_t>(landed));
}

TEST_CASE("a backup does not wait for a transaction that writes, and does not copy it") {
  const DatabaseFile file;
  const auto storage = DatabaseFile::open({.path = file.path(), .busy_timeout = Duration(1)});
  PlainConnection host(file);
  host.execute("BEGIN IMMEDIATE; CREATE TABLE orders (name)");
  REQUIRE(storage->backup(file.folder() / "copy.db"));
  CHECK(commit_one(*storage, test_put("a")).error().code() == errc::storage_busy);  // its lock is still there
  host.execute("COMMIT");
  const auto copy = DatabaseFile::open({.path = file.folder() / "copy.db"});
  CHECK(copy->check());
}

TEST_CASE("a backup takes no name that is taken") {
  const DatabaseFile file;
  const auto storage = file.open();
  fill(*storage, 3);
  const auto to = file.folder() / "copy.db";
  fs::path taken = to;
  SUBCASE("by a file") { std::ofstream(to) << "notes"; }
  SUBCASE("by a folder") { fs::create_directory(to); }
  SUBCASE("by a link to nothing") { fs::create_symlink("nothing", to); }
  SUBCASE("by the log of an earlier database") {
    taken += "-wal";
    std::ofstream(taken) << "log";
  }
  SUBCASE("by the database itself") { taken = file.path(); }
  const auto before = names_in(file.folder());
  const auto refused = storage->backup(taken == file.path() ? taken : to);
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::already_exists);
  CHECK(refused.error().context("path") == taken.string());
  CHECK(names_in(file.folder()) == before);
  CHECK(count_records(*storage) == 3);
  CHECK(commit_one(*storage, test_put("a")));
}

TEST_CASE("a backup to no file, or to a folder that is missing, is an invalid argument") {
  const DatabaseFile file;
  const auto storage = file.open();
  CHECK(storage->backup({}).error().code() == errc::invalid_argument);
  CHECK(storage->backup(file.folder() / "").error().code() == errc::invalid_argument);
  const auto missing = storage->backup(file.folder() / "missing" / "copy.db");
  CHECK(missing.error().code() == errc::invalid_argument);
  CHECK(missing.error().context("path") == (file.folder() / "missing" / "copy.db").string());
}

TEST_CASE("a backup that fails leaves nothing behind") {
  FailingDisk disk;
  const DatabaseFile file;
  const auto storage = file.open();
  fill(*storage, 500);
  const auto before = names_in(file.folder());
  const auto to = file.folder() / "copy.db";
  using Call = FailingDisk::Fault::Call;
  for (const auto& [call, code, expected] : {std::tuple(Call::write, SQLITE_FULL, errc::storage_full),
                                             std::tuple(Call::write, SQLITE_IOERR_WRITE, errc::storage_failed),
                                             std::tuple(Call::sync, SQLITE_IOERR_FSYNC, errc::storage_failed)}) {
    int number = 1;
    for (;; ++number) {
      disk.fail_once({.call = call, .number = number, .code = code});
      const auto made = storage->backup(to);
      if (!disk.has_failed()) break;
      REQUIRE(!made);
      CHECK(made.error().code() == expected);
      CHECK(names_in(file.folder()) == before);
    }
    CHECK(number > 1);  // the copy is written, and synced
    disk.fail_once({.number = 0});
    fs::remove(to);
  }
  CHECK(commit_one(*storage, test_put("a")));
}

TEST_CASE("a backup into a folder that may not be written is read-only") {
  const DatabaseFile file;
  (void)file.open();
  const auto closed = file.folder() / "closed";
  fs::create_directory(closed);
  REQUIRE(chmod(closed.c_str(), 0555) == 0);
  REQUIRE(chmod(file.folder().c_str(), 0777) == 0);
  REQUIRE(chmod(file.path().c_str(), 0666) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    if (geteuid() == 0 && setuid(nobody) != 0) _exit(1);
    const auto storage = SqliteStorage::open(file.options());
    if (!storage) _exit(2);
    const auto made = (*storage)->backup(closed / "copy.db");
    _exit(made ? 0 : static_cast<int>(made.error().code()));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(static_cast<errc>(WEXITSTATUS(status)) == errc::storage_read_only);
  CHECK(names_in(closed).empty());
}
