// A server whose disk is full.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "postgres/commit_load.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

/// A file system of a few megabytes, in memory, that only this process and its children see.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0) return;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    if (mount("tmpfs", mounted_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) return;
    folder_.emplace(mounted_.path());
  }
  ~SmallDisk() {
    if (!folder_) return;
    folder_.reset();
    umount2(mounted_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool exists() const { return folder_.has_value(); }

  /// Empty, and the server's.
  [[nodiscard]] std::filesystem::path folder() const { return folder_->path(); }

  /// Leave only so much room.
  void fill(std::uintmax_t left_bytes) const {
    const auto room = std::filesystem::space(mounted_.path()).available;
    std::ofstream filler(mounted_.path() / "filler", std::ios::binary);
    const std::string block(1 << 16, 'x');
    for (auto size = room; size > left_bytes + block.size(); size -= block.size()) filler << block;
  }
  void make_room() const { std::filesystem::remove(mounted_.path() / "filler"); }

 private:
  ServerFolder mounted_;
  std::optional<ServerFolder> folder_;
};

// Ends the test, and says why, when there is no such disk to be had.
#define DISK_OR_SKIP(disk)                                       \
  if (!(disk).exists()) {                                        \
    std::cout << "No small disk may be mounted here: skipped\n"; \
    return;                                                      \
  }                                                              \
  static_cast<void>(0)

/// Have the server's write-ahead log, and nothing else of it, on a disk.
void keep_log_on(const SmallDisk& disk, PostgresServer& server) {
  server.stop_fast();
  const auto log = server.data() / "pg_wal";
  const auto copy = "cp -a '" + log.string() + "/.' '" + disk.folder().string() + "'";
  REQUIRE(std::system(copy.c_str()) == 0);
  std::filesystem::remove_all(log);
  std::filesystem::create_directory_symlink(disk.folder(), log);
  server.start();
}

/// Change sets of 60 KB that nothing compresses, with what was acknowledged of them.
class Writer {
 public:
  explicit Writer(Storage& storage) : storage_(storage) {}

  Result<CommitReceipt> write() {
    const auto name = std::to_string(next_++);
    auto changes = test_put("state/" + name, noise());
    changes.appends = {{test_record("audit/" + name), "{}", {}}};
    auto done = commit_one(storage_, changes);
    if (done) acknowledged_.insert(name);
    return done;
  }

  /// Write until something is refused.
  Error write_until_refused() {
    for (;;) {
      if (auto done = write(); !done) return done.error();
    }
  }

  /// Write until nothing is refused any more, or for a minute.
  bool resumes() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!write()) {
      if (std::chrono::steady_clock::now() >= until) return false;
    }
    return true;
  }

  void check(PlainPostgres& psql) const {
    const auto states = names_in(psql, "state");
    CHECK(states == names_in(psql, "audit"));
    for (const auto& name : acknowledged_) CHECK(states.count(name) == 1);
  }

 private:
  std::string noise() {
    std::string text(60'000, ' ');
    for (auto& character : text) character = static_cast<char>('0' + random_() % 75);
    return text;
  }

  Storage& storage_;
  std::mt19937 random_{1};
  int next_ = 0;
  std::set<std::string> acknowledged_;
};

}  // namespace

TEST_CASE("a full disk of a PostgreSQL server is told as such, loses nothing, and is no matter when there is room") {
  if (shared_server() == nullptr) return;
  const SmallDisk disk("16m");
  DISK_OR_SKIP(disk);
  const PostgresServer server;
  PlainPostgres psql(server.conninfo());
  psql.execute("CREATE TABLESPACE small LOCATION '" + disk.folder().string() + "'");
  auto options = server.options("openindex");
  options.conninfo += " options='-c default_tablespace=small'";
  const auto storage = open_postgres(options);
  Writer writer(*storage);
  REQUIRE(writer.write().has_value());
  disk.fill(std::uintmax_t{2} << 20);
  for (int i = 0; i < 3; ++i) {
    const auto refused = writer.write_until_refused();
    CHECK_MESSAGE(refused.code() == errc::storage_full, refused.describe());
  }
  writer.check(psql);
  disk.make_room();
  CHECK(writer.write().has_value());
  writer.check(psql);
}

TEST_CASE("a PostgreSQL server that has no room for its log loses nothing, and work resumes when there is room") {
  if (shared_server() == nullptr) return;
  const SmallDisk disk("64m");
  DISK_OR_SKIP(disk);
  PostgresServer server({"max_wal_size=32MB", "min_wal_size=32MB"});
  keep_log_on(disk, server);
  auto options = server.options("openindex");
  options.connection_wait = Duration(100);
  const auto storage = open_postgres(options);
  Writer writer(*storage);
  REQUIRE(writer.write().has_value());
  disk.fill(std::uintmax_t{1} << 20);
  std::set<errc> codes = {writer.write_until_refused().code()};
  for (int i = 0; i < 20; ++i) {
    if (const auto done = writer.write(); !done) codes.insert(done.error().code());
  }
  for (const auto code : codes) {
    const bool is_told = code == errc::storage_full || code == errc::storage_busy || code == errc::storage_failed ||
                         code == errc::commit_unknown;
    CHECK_MESSAGE(is_told, std::string(name(code)));
  }
  disk.make_room();
  if (server.has_ended()) server.start();  // it gives up when it cannot write while it recovers
  CHECK(writer.resumes());
  PlainPostgres psql(server.conninfo());
  writer.check(psql);
}
