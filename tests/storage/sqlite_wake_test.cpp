// Who waits is woken by commits of other processes: by the kernel, and costs nothing until then.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

#include "adapters/sqlite/change_watch.hpp"
#include "storage/child.hpp"
#include "storage/database_file.hpp"

using namespace openindex;

namespace {

constexpr auto for_ever = std::chrono::hours(1);  // longer than a test may take

/// A watch that never looks by the clock while a test runs.
std::unique_ptr<sqlite::ChangeWatch> watch_without_clock(const DatabaseFile& file) {
  auto connection = sqlite::Connection::open(file.options(), false).value();
  REQUIRE(connection->configure(file.options()));
  return std::make_unique<sqlite::ChangeWatch>(std::move(connection), sqlite::LookPeriods{for_ever, for_ever});
}

/// Commit once, then once more whenever the parent says so.
int commit_when_told(const DatabaseFile& file, const Child::Report& report) {
  const auto storage = SqliteStorage::open(file.options());
  if (!storage) return 1;
  do {
    if (!commit_one(**storage, test_put("a"))) return 1;
  } while (report.wait_for_go());
  return 0;
}

std::ptrdiff_t count_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

long count_sleeps() {
  rusage used{};
  REQUIRE(getrusage(RUSAGE_THREAD, &used) == 0);
  return used.ru_nvcsw;
}

}  // namespace

TEST_CASE("a commit in one process wakes who waits in another") {
  const DatabaseFile file;
  Child child([&](const Child::Report& report) { return commit_when_told(file, report); });
  const auto storage = file.open();
  auto seen = storage->wait_for_change({}).value().sequence;
  for (int round = 0; round < 3; ++round) {
    child.go();
    const auto woken = storage->wait_for_change({.seen = seen, .timeout = for_ever});
    REQUIRE(woken.value().sequence != seen);
    seen = woken->sequence;
  }
}

TEST_CASE("the kernel wakes who waits for another process, not a clock") {
  const DatabaseFile file;
  Child child([&](const Child::Report& report) { return commit_when_told(file, report); });
  const auto storage = file.open();  // creates the file
  const auto watch = watch_without_clock(file);
  auto seen = watch->wait({}).value().sequence;
  for (int round = 0; round < 100; ++round) {
    child.go();
    const auto woken = watch->wait({.seen = seen, .timeout = for_ever});
    REQUIRE(woken.value().sequence != seen);
    seen = woken->sequence;
  }
}

TEST_CASE("what writes without telling anybody, such as a shell, is noticed") {
  const DatabaseFile file;
  Child child([&](const Child::Report&) {
    sqlite3* shell = nullptr;
    if (sqlite3_open(file.path().c_str(), &shell) != SQLITE_OK) return 1;
    return sqlite3_exec(shell, "CREATE TABLE theirs (a)", nullptr, nullptr, nullptr);
  });
  const auto storage = file.open();
  const auto seen = storage->wait_for_change({}).value().sequence;
  child.go();
  CHECK(storage->wait_for_change({.seen = seen, .timeout = for_ever}).value().sequence != seen);
  CHECK(child.wait() == 0);
}

TEST_CASE("without the kernel's help commits of other processes are noticed by the clock") {
  constexpr int rounds = 3;  // in most of them the child sleeps when the commit comes
  const DatabaseFile file;
  Child child([&](const Child::Report& report) {
    const auto storage = SqliteStorage::open(file.options());
    if (!storage) return 1;
    // Clang's check of virtual calls needs a descriptor for the first call of each type.
    if (!(*storage)->status()) return 1;
    rlimit before{};
    if (getrlimit(RLIMIT_NOFILE, &before) != 0) return 2;
    const rlimit none{0, before.rlim_max};  // every descriptor that is open stays, and no other can be had
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) return 2;
    auto seen = (*storage)->wait_for_change({}).value().sequence;
    for (int round = 0; round < rounds; ++round) {
      report(round);
      const auto woken = (*storage)->wait_for_change({.seen = seen, .timeout = for_ever});
      if (!woken || woken->sequence == seen) return 3;
      seen = woken->sequence;
    }
    const bool slept = count_sleeps() < 100;  // and did not spin
    if (setrlimit(RLIMIT_NOFILE, &before) != 0) return 2;
    return slept ? 0 : 4;
  });
  const auto storage = file.open();
  child.go();
  for (int round = 0; round < rounds; ++round) {
    int ready = 0;
    REQUIRE(child.next(ready));
    CHECK(commit_one(*storage, test_put("a")).has_value());
  }
  CHECK(child.wait() == 0);
}

TEST_CASE("a host that commits on a connection of its own wakes other processes by wake()") {
  const DatabaseFile file;
  Child child([&](const Child::Report& report) {
    const auto storage = SqliteStorage::open(file.options());
    if (!storage) return 1;
    PlainConnection host(file);
    do {
      host.execute("UPDATE records SET body = body || ' '");
      (*storage)->wake();
    } while (report.wait_for_go());
    return 0;
  });
  REQUIRE(commit_one(*file.open(), test_put("a")).has_value());
  const auto watch = watch_without_clock(file);
  auto seen = watch->wait({}).value().sequence;
  for (int round = 0; round < 20; ++round) {
    child.go();
    const auto woken = watch->wait({.seen = seen, .timeout = for_ever});
    REQUIRE(woken.value().sequence != seen);
    seen = woken->sequence;
  }
}

TEST_CASE("a commit that is told of once is news once, in its own process and in others") {
  const DatabaseFile file;
  Child child([&](const Child::Report& report) { return commit_when_told(file, report); });
  const auto storage = file.open();
  const auto seen = storage->wait_for_change({}).value().sequence;
  child.go();
  const auto woken = storage->wait_for_change({.seen = seen, .timeout = for_ever}).value().sequence;
  CHECK(storage->wait_for_change({.seen = woken, .timeout = Duration(20)}).value().sequence == woken);
}

TEST_CASE("who waits while nothing happens sleeps through") {
  const DatabaseFile file;
  const auto storage = file.open();
  const auto seen = storage->wait_for_change({}).value().sequence;
  const timespec long_ago[2] = {{1, 0}, {1, 0}};  // the log is known to be quiet
  REQUIRE(utimensat(AT_FDCWD, (file.path().string() + "-wal").c_str(), long_ago, 0) == 0);
  const long before = count_sleeps();
  CHECK(storage->wait_for_change({.seen = seen, .timeout = Duration(1'500)}).value().sequence == seen);
  CHECK(count_sleeps() - before <= 3);  // looking four times a second would be six
}

TEST_CASE("a storage has no threads of its own") {
  const DatabaseFile file;
  const auto before = count_threads();
  const auto storage = file.open();
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  const auto seen = storage->wait_for_change({}).value().sequence;
  (void)storage->wait_for_change({.seen = seen, .timeout = Duration(1)});
  CHECK(count_threads() == before);
}
