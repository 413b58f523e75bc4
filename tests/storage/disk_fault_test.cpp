// Every write and every sync of a workload fails once: a coded error, and the same call again succeeds.
#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/seeded_random.hpp>

#include "adapters/sqlite/tuning.hpp"
#include "storage/database_file.hpp"
#include "storage/failing_disk.hpp"
#include "storage/life.hpp"

using namespace openindex;

namespace {

using Fault = FailingDisk::Fault;

const Actor host = Actor::system("host");

/// A call that failed, failed with a code that says why; the same call once more does not fail.
template <class T>
T twice_at_most(const std::function<Result<T>()>& call) {
  constexpr std::array<errc, 3> causes = {errc::storage_failed, errc::storage_full, errc::commit_unknown};
  auto done = call();
  if (done) return std::move(*done);
  CHECK_MESSAGE(std::count(causes.begin(), causes.end(), done.error().code()) == 1, done.error().describe());
  done = call();
  REQUIRE_MESSAGE(done.has_value(), (done ? std::string() : done.error().describe()));
  return std::move(*done);
}

std::unique_ptr<SqliteStorage> open_small(const DatabaseFile& file) {
  sqlite::Tuning tuning;
  tuning.checkpoints.piece = 20;
  tuning.checkpoints.soon = 40;
  tuning.checkpoints.now = 80;
  tuning.checkpoints.retry = 10;
  return twice_at_most<std::unique_ptr<SqliteStorage>>(
      [&] { return sqlite::TunedStorage::open(file.options(), tuning); });
}

/// A step of a run, without an idempotency key: after an unknown outcome a look tells.
void journal_step(Storage& storage, std::uint64_t number) {
  ChangeSet step;
  step.id = "commit_1";
  step.expectations = {{{"host.run", "run"}, number}};
  step.puts = {{{"host.run", "run"}, std::to_string(number), {}}};
  step.appends = {{{"host.step", std::to_string(number)}, std::string(2'000, 'y'), {}}};
  const RecordId appended = step.appends.front().id;
  twice_at_most<bool>([&]() -> Result<bool> {
    const auto found = storage.get({&appended, 1});
    if (!found) return found.error();
    if (found->front()) return true;
    const auto done = commit_one(storage, step);
    if (!done) return done.error();
    return true;
  });
}

/// One item lives, by calls that are repeated when they fail.
void live(Storage& storage) {
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  WorkflowEngine engine{{.storage = storage, .clock = clock, .random = random}};
  twice_at_most<SavedWorkflow>([&] { return engine.save(host, life_workflow()); });
  const auto key = twice_at_most<WorkItem>([&] { return begin_life(engine, "begin"); }).key;
  for (std::size_t i = 0; i < life_steps().size(); ++i) {
    twice_at_most<WorkItem>([&] { return life_steps()[i](engine, key, {.idempotency_key = std::to_string(i)}); });
    journal_step(storage, i);
  }
}

void check_life(const DatabaseFile& file) {
  const auto storage = file.open();
  WorkflowEngine engine{{.storage = *storage}};
  const auto items = engine.list(host, {}).value().items;
  REQUIRE(items.size() == 1);
  CHECK(items.front().status == "done");
  CHECK(engine.audit(host, items.front().key).value().size() == life_entries.back());  // each step once
  const auto chain = engine.verify(host, items.front().key);
  CHECK_MESSAGE(chain.has_value(), (chain ? std::string() : chain.error().describe()));
  CHECK(storage->count({.index = Index::key, .prefix = {"host.step"}}).value() == life_steps().size());
  CHECK(PlainConnection(file).column("PRAGMA integrity_check") == std::vector<std::string>{"ok"});
}

/// Fail the first call, then in a new life the second one, and so on, until there is none left.
void fail_each(Fault fault) {
  FailingDisk disk;
  for (fault.number = 1;; ++fault.number) {
    INFO("call ", fault.number);
    const DatabaseFile file;
    disk.fail_once(fault);
    live(*open_small(file));
    const bool has_failed = disk.has_failed();
    disk.fail_once({.number = 0});
    check_life(file);
    if (!has_failed) break;
  }
  MESSAGE("so many calls: ", fault.number - 1);
  CHECK(fault.number > 10);
}

}  // namespace

TEST_CASE("an I/O error in any one write is a coded error, and the call again succeeds") {
  fail_each({.call = Fault::Call::write, .code = SQLITE_IOERR_WRITE});
}

TEST_CASE("a short write anywhere is a coded error, and the call again succeeds") {
  fail_each({.call = Fault::Call::write, .code = SQLITE_IOERR_WRITE, .is_short = true});
}

TEST_CASE("a disk that is full for any one write is a coded error, and the call again succeeds") {
  fail_each({.call = Fault::Call::write, .code = SQLITE_FULL});
}

TEST_CASE("an I/O error in any one sync is a coded error, and the call again succeeds") {
  fail_each({.call = Fault::Call::sync, .code = SQLITE_IOERR_FSYNC});
}
