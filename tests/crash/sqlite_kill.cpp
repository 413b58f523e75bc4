// Kills processes that hammer a SQLite database, at random moments, and compares the database with what they reported.
//
// Usage: openindex_sqlite_kill [--kills N] [--seed S] [--concurrent-checkpoints]
//
// Two processes share the file. After both are dead: nothing that was acknowledged is missing, nothing is half there,
// every audit chain verifies, SQLite's integrity check is content. kill -9 keeps what the kernel has; what a power cut
// leaves is another test (tests/storage/power_cut_test.cpp).
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "crash/hammer.hpp"
#include "storage/life.hpp"

namespace openindex::crash {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int processes_count = 2;
constexpr int lives_per_database = 20;  // a check reads all of it

struct Options {
  int kills = 50;
  unsigned seed = std::random_device{}();
  bool concurrent_checkpoints = false;
};

[[noreturn]] void broken(const std::string& promise) {
  std::printf("BROKEN: %s\n", promise.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) broken(std::string(what) + ": " + result.error().describe());
  return *std::move(result);
}

/// What was acknowledged so far: the last step of each item and of each run.
struct Acknowledged {
  std::map<std::string, std::uint64_t> items;
  std::map<std::string, std::uint64_t> runs;
  std::size_t count = 0;

  void add(const Report& report) {
    const std::string name(report.name.data());
    if (report.what == Report::What::failure) broken("a call of a process that hammers succeeds: " + name);
    auto& last = (report.what == Report::What::item ? items : runs)[name];
    last = std::max(last, report.number);
    ++count;
  }
};

/// A process that hammers, and the pipe from it.
class Hammer {
 public:
  Hammer(const std::string& database, const std::string& name, bool concurrent_checkpoints) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) broken("a pipe can be made");
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      const auto into = std::to_string(ends[1]);
      execl("/proc/self/exe", "hammer", "--hammer", database.c_str(), into.c_str(), name.c_str(),
            concurrent_checkpoints ? "concurrent" : nullptr, nullptr);
      _exit(127);
    }
    close(ends[1]);
    reports_ = ends[0];
  }
  ~Hammer() { close(reports_); }
  Hammer(const Hammer&) = delete;
  Hammer& operator=(const Hammer&) = delete;

  [[nodiscard]] int reports() const { return reports_; }

  /// @returns false at the end.
  bool read_one(Acknowledged& acknowledged) const {
    Report report;
    const auto size = read(reports_, &report, sizeof report);
    if (size != sizeof report) return false;
    acknowledged.add(report);
    return true;
  }

  /// Kill it, wait until it is dead, and read what it had still to say.
  void end(Acknowledged& acknowledged) const {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    while (read_one(acknowledged)) continue;
  }

 private:
  pid_t child_ = -1;
  int reports_ = -1;
};

void listen(const std::vector<std::unique_ptr<Hammer>>& hammers, Acknowledged& acknowledged,
            SteadyClock::time_point until) {
  for (;;) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    std::vector<pollfd> pipes;
    for (const auto& hammer : hammers) pipes.push_back({hammer->reports(), POLLIN, 0});
    if (rest <= 0 || poll(pipes.data(), pipes.size(), static_cast<int>(rest)) <= 0) return;
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      if (pipes[i].revents != 0 && !hammers[i]->read_one(acknowledged)) broken("a process lives until it is killed");
    }
  }
}

/// The item is in the status that its audit trail leads to: a step is there whole or not at all.
std::uint64_t steps_of(WorkflowEngine& engine, const WorkItem& item) {
  static const std::array<const char*, life_steps_count> statuses = {"open", "open", "checking", "building", "done"};
  const auto host = Actor::system("host");
  if (auto chain = engine.verify(host, item.key); !chain) broken("every chain verifies: " + chain.error().describe());
  const auto entries = must(engine.audit(host, item.key), "the audit trail can be read").size();
  const auto* const last = std::find(life_entries.begin(), life_entries.end(), entries);
  if (last == life_entries.end()) broken(item.key.str() + " has the audit entries of whole steps");
  const auto steps = static_cast<std::uint64_t>(last - life_entries.begin()) + 1;
  if (item.status != statuses.at(steps - 1)) broken(item.key.str() + " is in the status that its trail leads to");
  if (item.hold.has_value() != (steps > 1 && steps < life_steps_count))
    broken(item.key.str() + " is held while worked on");
  return steps;
}

/// @returns how many items there are.
std::size_t check_items(WorkflowEngine& engine, const Acknowledged& acknowledged) {
  std::map<std::string, std::uint64_t> found;
  std::string after;
  do {
    auto page = must(engine.list(Actor::system("host"), {.limit_count = 1000, .after = after}), "items can be listed");
    for (const auto& item : page.items) found[item.key.str()] = steps_of(engine, item);
    after = page.next;
  } while (!after.empty());
  for (const auto& [key, steps] : acknowledged.items) {
    const auto item = found.find(key);
    if (item == found.end() || item->second < steps) {
      broken("step " + std::to_string(steps) + " of " + key + ", which was acknowledged, is there");
    }
  }
  for (const auto& [key, steps] : found) {
    const auto known = acknowledged.items.find(key);
    const auto told = known == acknowledged.items.end() ? 0 : known->second;
    // Each thread has one call under way: one may have created what another one claimed.
    if (steps > told + (told == 0 ? 2 : 1)) broken(key + " is at most a step further than was acknowledged");
  }
  return found.size();
}

void check_runs(Storage& storage, const Acknowledged& acknowledged) {
  for (const auto& [name, told] : acknowledged.runs) {
    const RecordId id{"host.run", name};
    const auto run = must(storage.get({&id, 1}), "runs can be read").front();
    if (!run || run->version < told || run->version > told + 1) broken("run " + name + " has its acknowledged steps");
    const auto steps = must(storage.count({.index = Index::key,
                                           .prefix = {"host.step"},
                                           .from = name + "/",
                                           .below = name + "0"}),  // the character after the slash
                            "steps can be counted");
    if (steps != run->version) broken("run " + name + " has as many steps as its record says");
  }
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
    WorkflowEngine engine{{.storage = *storage}};
    items = check_items(engine, acknowledged);
    check_runs(*storage, acknowledged);
  }
  check_integrity(database);
  return items;
}

/// Let them hammer for a random while and kill them, one after the other.
void hammer_and_kill(const std::string& database, const Options& options, int life, std::mt19937& random,
                     Acknowledged& acknowledged) {
  std::vector<std::unique_ptr<Hammer>> hammers;
  for (int i = 0; i < processes_count; ++i) {
    hammers.push_back(std::make_unique<Hammer>(database, std::to_string(life) + "." + std::to_string(i),
                                               options.concurrent_checkpoints));
  }
  while (!hammers.empty()) {
    listen(hammers, acknowledged, SteadyClock::now() + std::chrono::microseconds(random() % 150'000));
    hammers.back()->end(acknowledged);
    hammers.pop_back();
  }
}

int kill_and_compare(const Options& options) {
  std::string folder = (std::filesystem::current_path() / "sqlite-kill-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) broken("a folder can be made here");
  std::printf("%d kills, seed %u, SQLite %s, in %s\n", options.kills, options.seed, sqlite3_libversion(),
              folder.c_str());
  std::mt19937 random(options.seed);
  std::size_t changes = 0;
  std::size_t items = 0;
  int kills = 0;
  for (int database_number = 0; kills < options.kills; ++database_number) {
    const auto database = folder + "/" + std::to_string(database_number) + ".db";
    Acknowledged acknowledged;
    std::size_t found = 0;
    for (int life = 0; life < lives_per_database && kills < options.kills; ++life, kills += processes_count) {
      hammer_and_kill(database, options, life, random, acknowledged);
      found = check(database, acknowledged);
    }
    changes += acknowledged.count;
    items += found;
    std::filesystem::remove(database);
    std::printf("%d kills: %zu changes acknowledged, %zu items\n", kills, changes, items);
    std::fflush(stdout);
  }
  if (changes == 0) broken("something was acknowledged between the kills");
  std::printf("nothing acknowledged is missing, nothing is half there, every audit chain verifies\n");
  std::filesystem::remove_all(folder);
  return 0;
}

int usage(const char* program) {
  std::fprintf(stderr, "usage: %s [--kills N] [--seed S] [--concurrent-checkpoints]\n", program);
  return 2;
}

int run(const std::vector<std::string>& arguments, const char* program) {
  if (arguments.size() >= 4 && arguments[0] == "--hammer") {
    return hammer({arguments[1], std::stoi(arguments[2]), arguments[3], arguments.size() > 4});
  }
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--concurrent-checkpoints") {
      options.concurrent_checkpoints = true;
    } else if (arguments[i] == "--kills" && i + 1 < arguments.size()) {
      options.kills = std::atoi(arguments[++i].c_str());
    } else if (arguments[i] == "--seed" && i + 1 < arguments.size()) {
      options.seed = static_cast<unsigned>(std::atoi(arguments[++i].c_str()));
    } else {
      return usage(program);
    }
  }
  return options.kills > 0 ? kill_and_compare(options) : usage(program);
}

}  // namespace
}  // namespace openindex::crash

int main(int count, char** values) { return openindex::crash::run({values + 1, values + count}, values[0]); }
