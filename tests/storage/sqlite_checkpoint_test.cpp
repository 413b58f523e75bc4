// Moving the log into the database: a piece at a time, in both modes, and nobody waits for more than that.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/brief_thread.hpp"
#include "adapters/sqlite/read_pool.hpp"
#include "adapters/sqlite/tuning.hpp"
#include "storage/database_file.hpp"
#include "storage/forgetful_disk.hpp"

using namespace openindex;

namespace {

enum class Checkpoints : std::uint8_t { under_the_write_lock, beside_commits };

std::unique_ptr<SqliteStorage> open_tuned(const DatabaseFile& file, Checkpoints mode, sqlite::Tuning tuning = {}) {
  tuning.checkpoints.concurrent = mode == Checkpoints::beside_commits;
  auto storage =
      sqlite::TunedStorage::open({.path = file.path(), .synchronous = SqliteOptions::Synchronous::normal}, tuning);
  REQUIRE_MESSAGE(storage.has_value(), (storage ? std::string() : storage.error().describe()));
  return std::move(*storage);
}

/// Run what follows once in each mode.
Checkpoints each_mode() {
  auto mode = Checkpoints::under_the_write_lock;
  SUBCASE("under the write lock") {}
  SUBCASE("beside commits") { mode = Checkpoints::beside_commits; }
  return mode;
}

template <class Work>
void run_in_threads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

/// A body that differs from the one before in every page: SQLite does not write pages that stay the same.
std::string megabyte(int number) { return std::string(1'000'000, static_cast<char>('a' + number % 26)); }

/// How many pages were copied into the database between commits, each time.
std::vector<int> pieces(const std::vector<DiskStep>& journal) {
  std::vector<int> found = {0};
  for (const auto& step : journal) {
    if (step.kind != DiskStep::Kind::write) continue;
    if (step.file == "test.db") ++found.back();
    if (step.file == "test.db-wal" && found.back() > 0) found.push_back(0);
  }
  return found;
}

/// Replace records here and there, so that each commit writes about as many pages.
void replace_records(Storage& storage, int writer, int count) {
  for (int i = 0; i < count; ++i) {
    const auto key = std::to_string(writer) + "/" + std::to_string(i * 7 % 60);
    CHECK(commit_one(storage, test_put(key, std::string(3'000, static_cast<char>('a' + i % 26)))).has_value());
  }
}

}  // namespace

TEST_CASE("no commit waits for more than a piece of the log to be copied") {
  constexpr int piece = 40;
  constexpr int pages_of_commit_max = 12;
  int writers = 1;
  SUBCASE("of one caller") {}
  SUBCASE("of four callers") { writers = 4; }
  ForgetfulDisk disk;
  const DatabaseFile file;
  sqlite::Tuning tuning;
  tuning.checkpoints = {.piece = piece, .soon = 400, .now = 800, .retry = 40};
  {
    const auto storage = open_tuned(file, Checkpoints::under_the_write_lock, tuning);
    run_in_threads(writers, [&](int writer) { replace_records(*storage, writer, 400); });
    CHECK(storage->status().value().wal_bytes < 1'600 * 4'096);
    const auto journal = disk.take_journal();
    const auto found = pieces(journal);
    CHECK(found.size() > 20);
    CHECK(*std::max_element(found.begin(), found.end()) <= piece + writers * pages_of_commit_max);
    // A piece by itself is not synced: that is done now and then, beside commits.
    const auto is_sync = [](const DiskStep& step) {
      return step.kind == DiskStep::Kind::sync && step.file == "test.db";
    };
    CHECK(2 * std::count_if(journal.begin(), journal.end(), is_sync) < std::ssize(found));
  }
}

TEST_CASE("checkpoints keep the log bounded") {
  constexpr int bodies_count = 40;
  const DatabaseFile file;
  const auto storage = open_tuned(file, each_mode());
  for (int i = 0; i < bodies_count; ++i) REQUIRE(commit_one(*storage, test_put("a", megabyte(i))).has_value());
  CHECK(storage->status().value().wal_bytes < 24'000'000);
  CHECK(commit_one(*storage, test_put("a")).value().versions.front() == bodies_count + 1);
}

TEST_CASE("checkpoints keep the log bounded although commits and reads never pause") {
  constexpr int writers = 6;
  constexpr int each = 25;
  const DatabaseFile file;
  const auto storage = open_tuned(file, each_mode());
  std::atomic<int> writing = writers;
  std::atomic<int> failures = 0;
  run_in_threads(writers + 3, [&](int thread) {
    for (int i = 0; thread < writers && i < each; ++i) {
      failures += commit_one(*storage, test_put(std::to_string(thread), megabyte(i))) ? 0 : 1;
    }
    if (thread < writers) --writing;
    while (writing > 0) failures += storage->scan({.index = Index::key, .prefix = {"host.test"}}) ? 0 : 1;
  });
  CHECK(failures == 0);
  CHECK(storage->status().value().wal_bytes < 90'000'000);
  CHECK(count_records(*storage) == writers);
}

TEST_CASE("a log that a long read has kept growing starts over when the read has ended") {
  constexpr int bodies_count = 70;
  const auto mode = each_mode();
  const DatabaseFile file;
  const auto storage = open_tuned(file, mode);
  const auto fill = [&] {
    for (int i = 0; i < bodies_count; ++i) REQUIRE(commit_one(*storage, test_put("a", megabyte(i))).has_value());
  };
  PlainConnection reader(file);
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  reader.execute("BEGIN");
  CHECK(reader.column("SELECT body FROM records") == std::vector<std::string>{"{}"});
  fill();
  CHECK(reader.column("SELECT body FROM records") == std::vector<std::string>{"{}"});
  const auto grown = storage->status().value().wal_bytes;
  CHECK(grown > 65'000'000);  // past both limits
  reader.execute("COMMIT");
  fill();
  // Beside commits the log goes on growing while what was held up is copied, but not for long.
  const auto meanwhile = mode == Checkpoints::beside_commits ? grown / 4 : 0;
  CHECK(storage->status().value().wal_bytes < grown + meanwhile + 10'000'000);
}

TEST_CASE("a reader that takes long keeps nobody else from reading") {
  const DatabaseFile file;
  const auto storage = file.open();
  sqlite::ReadPool readers(file.options());
  auto slow = readers.take();
  REQUIRE(slow);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(readers.wait_for_earlier(std::chrono::milliseconds(1)));
    CHECK(readers.take());
  }
  slow->reset();
  CHECK(readers.wait_for_earlier(std::chrono::milliseconds(1)));
  CHECK(readers.take());
}

TEST_CASE("readers come and go while those who were there before are waited for") {
  const DatabaseFile file;
  const auto storage = file.open();
  sqlite::ReadPool readers(file.options());
  auto earlier = readers.take();
  REQUIRE(earlier);
  std::atomic<bool> waited = false;
  std::thread waiting([&] {
    CHECK(readers.wait_for_earlier(std::chrono::hours(1)));
    waited = true;
  });
  for (int i = 0; i < 100; ++i) CHECK(readers.take());
  CHECK_FALSE(waited);
  earlier->reset();
  waiting.join();
  CHECK(waited);
}

TEST_CASE("nobody begins to read while readers are kept out") {
  const DatabaseFile file;
  const auto storage = file.open();
  sqlite::ReadPool readers(file.options());
  std::atomic<bool> began = false;
  std::thread late;
  {
    auto reading = readers.take();
    REQUIRE(reading);
    std::thread ends([&] { reading->reset(); });
    const sqlite::ReadPool::Pause pause(readers, std::chrono::hours(1));
    ends.join();
    late = std::thread([&] {
      CHECK(readers.take());
      began = true;
    });
    std::this_thread::yield();
    CHECK_FALSE(began);
  }
  late.join();
  CHECK(began);
}

TEST_CASE("readers that take longer than they are waited for keep reading, and others begin again") {
  const DatabaseFile file;
  const auto storage = file.open();
  sqlite::ReadPool readers(file.options());
  auto slow = readers.take();
  REQUIRE(slow);
  { const sqlite::ReadPool::Pause pause(readers, std::chrono::microseconds(1)); }
  CHECK(readers.take());
}

TEST_CASE("a brief thread does one piece of work at a time, and can be waited for") {
  sqlite::BriefThread thread;
  std::atomic<bool> may_end = false;
  std::atomic<int> done = 0;
  const auto work = [&] {
    may_end.wait(false);
    ++done;
  };
  CHECK(thread.start(work));
  CHECK(thread.is_working());
  CHECK_FALSE(thread.start(work));
  may_end = true;
  may_end.notify_all();
  thread.wait();
  CHECK_FALSE(thread.is_working());
  CHECK(thread.start(work));
  thread.wait();
  CHECK(done == 2);
}
