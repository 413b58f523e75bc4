// Kills processes that hammer a SQLite database, at random moments, and compares the database with what they reported.
//
// Usage: openindex_sqlite_kill [--kills N] [--seed S] [--checkpoints concurrent | locked]
//
// Two processes share the file. After both are dead: nothing that was acknowledged is missing, nothing is half there,
// every audit chain verifies, SQLite's integrity check is content. kill -9 keeps what the kernel has; what a power cut
// leaves is another test (tests/storage/power_cut_test.cpp).
//
// Checkpoints run beside commits, or under the write lock, or as the library is thought to need it. The former is sound
// with a library that has the WAL-reset bug, too: what that needs is a log that starts over between the moment when a
// checkpoint looks at it and the moment when it copies, and a reader of ours holds the log meanwhile (checkpoint.cpp).
// So a loss is one in either mode.
#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>

#include "adapters/sqlite/tuning.hpp"
#include "crash/hammers.hpp"
#include "crash/kills.hpp"

namespace openindex::crash {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int processes_count = 2;
constexpr const char* option = "--checkpoints";
constexpr const char* as_needed = "as-needed";
constexpr const char* concurrent = "concurrent";
constexpr const char* locked = "locked";

Result<std::unique_ptr<Storage>> open_often_checkpointed(const std::string& database, const std::string& mode) {
  sqlite::Tuning tuning;  // so that kills meet checkpoints
  tuning.checkpoints.piece = 50;
  tuning.checkpoints.soon = 150;
  tuning.checkpoints.now = 400;
  tuning.checkpoints.retry = 50;
  if (mode != as_needed) tuning.checkpoints.concurrent = mode == concurrent;
  auto storage = sqlite::TunedStorage::open({.path = database}, tuning);
  if (!storage) return storage.error();
  return std::unique_ptr<Storage>(std::move(*storage));
}

void check_integrity(const std::string& database) {
  sqlite3* plain = nullptr;
  if (sqlite3_open(database.c_str(), &plain) != SQLITE_OK) broken("SQLite opens the database");
  std::string said;
  const auto keep = [](void* into, int, char** row, char**) {
    *static_cast<std::string*>(into) += row[0];
    return 0;
  };
  sqlite3_exec(plain, "PRAGMA integrity_check", keep, &said, nullptr);
  sqlite3_close(plain);
  if (said != "ok") broken("SQLite's integrity check is content: " + said);
}

std::size_t check(const std::string& database, const Acknowledged& acknowledged) {
  std::size_t items = 0;
  {
    const auto storage = must(SqliteStorage::open({.path = database}), "the database opens after a kill");
    items = compare(*storage, acknowledged);
  }
  check_integrity(database);
  return items;
}

/// Let them hammer for a random while and kill them, one after the other. In most lives the while begins with the first
/// change, however slowly a process starts (a thread sanitizer on a busy machine takes longer than all whiles); in the
/// others at once, so that kills meet opening and recovery, too.
int hammer_and_kill(const std::string& database, const std::string& mode, int life, std::mt19937& random,
                    Acknowledged& acknowledged) {
  Hammers hammers(acknowledged);
  for (int i = 0; i < processes_count; ++i) {
    hammers.start({std::to_string(life) + "." + std::to_string(i), database, mode});
  }
  if (random() % 4 != 0) hammers.listen_for(1);
  while (!hammers.empty()) {
    hammers.listen(SteadyClock::now() + std::chrono::microseconds(random() % 150'000));
    hammers.kill_one();
  }
  return processes_count;
}

/// A database of its own, removed with the site.
Site make_site(const std::string& database, const std::string& mode) {
  const std::shared_ptr<const std::string> file(new std::string(database), [](const std::string* path) {
    std::filesystem::remove(*path);
    delete path;
  });
  return {[=](int life, std::mt19937& random, Acknowledged& acknowledged) {
            return hammer_and_kill(*file, mode, life, random, acknowledged);
          },
          [=](const Acknowledged& acknowledged) { return check(*file, acknowledged); }};
}

std::optional<std::string> read_mode(const std::vector<std::string>& rest) {
  if (rest.empty()) return as_needed;
  const bool known = rest.size() == 2 && rest[0] == option && (rest[1] == concurrent || rest[1] == locked);
  return known ? std::optional(rest[1]) : std::nullopt;
}

int run(const std::vector<std::string>& arguments, const char* program) {
  if (arguments.size() == 5 && arguments[0] == "--hammer") {
    const auto open = [&] { return open_often_checkpointed(arguments[3], arguments[4]); };
    return hammer(open, std::stoi(arguments[1]), arguments[2]);
  }
  const auto options = read_kill_options(arguments);
  const auto mode = read_mode(options.rest);
  if (options.kills <= 0 || !mode) {
    std::fprintf(stderr, "usage: %s [--kills N] [--seed S] [%s %s | %s]\n", program, option, concurrent, locked);
    return 2;
  }
  std::string folder = (std::filesystem::current_path() / "sqlite-kill-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) broken("a folder can be made here");
  std::printf("%d kills, seed %u, SQLite %s, checkpoints %s, in %s\n", options.kills, options.seed,
              sqlite3_libversion(), mode->c_str(), folder.c_str());
  const int code = kill_and_compare(
      options, [&](int number) { return make_site(folder + "/" + std::to_string(number) + ".db", *mode); });
  std::filesystem::remove_all(folder);
  return code;
}

}  // namespace
}  // namespace openindex::crash

int main(int count, char** values) { return openindex::crash::run({values + 1, values + count}, values[0]); }
