// Power cuts: at every sync of a workload, with nothing of what was written since the sync before, or any part of it.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/seeded_random.hpp>

#include "storage/forgetful_disk.hpp"
#include "storage/life.hpp"
#include "storage/power_cut.hpp"

using namespace openindex;

namespace {

using Synchronous = SqliteOptions::Synchronous;
/// Every record: kind, key, version, body.
using Table = std::vector<std::tuple<std::string, std::string, std::string, std::string>>;

/// Notes in the disk's journal how many change sets have been begun, and how many were acknowledged.
class NotingStorage final : public Storage {
 public:
  NotingStorage(Storage& below, ForgetfulDisk& disk, std::vector<ChangeSet>& landed)
      : below_(below), disk_(disk), landed_(landed) {}

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return below_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return below_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return below_.count(request); }
  Result<Changed> wait_for_change(const WaitRequest& request) override { return below_.wait_for_change(request); }
  void wake() noexcept override { below_.wake(); }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> sets) override {
    disk_.note(-static_cast<std::int64_t>(landed_.size() + sets.size()));
    auto results = below_.commit(sets);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (results[i]) landed_.push_back(sets[i]);
    }
    disk_.note(static_cast<std::int64_t>(landed_.size()));
    return results;
  }

 private:
  Storage& below_;
  ForgetfulDisk& disk_;
  std::vector<ChangeSet>& landed_;
};

/// As a dispatcher journals a step: the run's record moves on, the step is appended.
void journal_step(Storage& storage, std::uint64_t number) {
  ChangeSet step;
  step.id = "commit_1";
  step.expectations = {{{"host.run", "run"}, number}};
  step.puts = {{{"host.run", "run"}, std::to_string(number), {}}};
  step.appends = {{{"host.step", std::to_string(number)}, std::string(2'000, 'y'), {}}};
  REQUIRE(commit_one(storage, step).has_value());
}

void live(WorkflowEngine& engine, std::size_t count) {
  std::vector<ItemKey> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back(begin_life(engine).value().key);
  for (const auto& step : life_steps()) {
    for (const auto& key : keys) REQUIRE(step(engine, key, {}).has_value());
  }
}

/// Two lives of the database, the second after it was closed and its log removed.
std::vector<ChangeSet> run_workload(const DatabaseFile& file, const PowerCutMode& mode, ForgetfulDisk& disk) {
  std::vector<ChangeSet> landed;
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  for (std::uint64_t life = 0; life < 2; ++life) {
    const auto sqlite = open_with(file, mode);
    NotingStorage storage(*sqlite, disk, landed);
    WorkflowEngine engine{{.storage = storage, .clock = clock, .random = random}};
    REQUIRE(engine.save(Actor::system("host"), life_workflow()).has_value());
    live(engine, 3);
    for (std::uint64_t i = 0; i < 6; ++i) journal_step(storage, life * 6 + i);
    std::vector<ChangeSet> together = {test_put("a", std::to_string(life)), test_put("b"), test_put("c")};
    for (const auto& result : storage.commit(together)) REQUIRE(result.has_value());
  }
  return landed;
}

/// What the records are after the first so many change sets.
Table table_after(const std::vector<ChangeSet>& landed, std::size_t count) {
  std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, std::string>> records;
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& put : landed[i].puts) {
      auto& record = records[{put.id.kind, put.id.key}];
      record = {record.first + 1, put.body};
    }
    for (const auto& append : landed[i].appends) records[{append.id.kind, append.id.key}] = {1, append.body};
    for (const auto& id : landed[i].erases) records.erase({id.kind, id.key});
  }
  Table table;
  for (const auto& [id, record] : records) {
    table.emplace_back(id.first, id.second, std::to_string(record.first), record.second);
  }
  return table;
}

Table read_table(const DatabaseFile& file) {
  PlainConnection plain(file);
  const std::string order = " FROM records ORDER BY kind, key";
  const auto kinds = plain.column("SELECT kind" + order);
  const auto keys = plain.column("SELECT key" + order);
  const auto versions = plain.column("SELECT version" + order);
  const auto bodies = plain.column("SELECT body" + order);
  Table table;
  for (std::size_t i = 0; i < kinds.size(); ++i) table.emplace_back(kinds[i], keys[i], versions[i], bodies[i]);
  return table;
}

void verify_chains(Storage& storage) {
  WorkflowEngine engine{{.storage = storage}};
  const auto host = Actor::system("host");
  const auto page = engine.list(host, {.limit_count = 1000});
  REQUIRE(page.has_value());
  for (const auto& item : page->items) {
    const auto chain = engine.verify(host, item.key);
    CHECK_MESSAGE(chain.has_value(), (chain ? std::string() : chain.error().describe()));
  }
}

/// What the cut may have left: a number of change sets from `least` to `most`.
struct Bounds {
  std::size_t least = 0;
  std::size_t most = 0;
};

/// @returns how many change sets are there: the first so many, each whole.
std::size_t reopen_after(const std::map<std::string, std::string>& left, const std::vector<Table>& tables,
                         const Bounds& bounds) {
  const DatabaseFile file;
  write_files(file, left);
  verify_chains(*file.open());
  check_integrity(file);
  const auto found = read_table(file);
  for (auto count = bounds.most + 1; count-- > bounds.least;) {
    if (count < tables.size() && tables[count] == found) return count;
  }
  FAIL_CHECK("the records are not those after any ", bounds.least, " to ", bounds.most, " change sets");
  return 0;
}

void cut_everywhere(const PowerCutMode& mode) {
  ForgetfulDisk disk;
  const DatabaseFile file;
  const auto landed = run_workload(file, mode, disk);
  const auto journal = disk.take_journal();
  std::vector<Table> tables;
  for (std::size_t count = 0; count <= landed.size(); ++count) tables.push_back(table_after(landed, count));

  std::mt19937 random(11);
  Platter platter;
  Bounds bounds;
  std::size_t cuts = 0;
  const auto cut = [&](const std::function<bool()>& survives) {
    ++cuts;
    const bool full = mode.synchronous == Synchronous::full;
    return reopen_after(platter.cut(survives), tables, full ? bounds : Bounds{0, bounds.most});
  };
  for (const auto& step : journal) {
    if (step.kind == DiskStep::Kind::note && step.offset < 0) bounds.most = static_cast<std::size_t>(-step.offset);
    if (step.kind == DiskStep::Kind::note && step.offset >= 0) {
      bounds = {static_cast<std::size_t>(step.offset), static_cast<std::size_t>(step.offset)};
    }
    if (step.kind == DiskStep::Kind::sync) {
      INFO("before sync of ", step.file, ", ", bounds.least, " acknowledged, seed 11, cut ", cuts);
      cut([] { return false; });
      for (const unsigned rarely : {2U, 2U, 16U}) {
        cut([&] { return random() % rarely == 0; });
        cut([&] { return random() % rarely != 0; });
      }
    }
    platter.apply(step);
  }
  INFO("at the end");
  CHECK(cut([] { return false; }) == landed.size());
  MESSAGE("cuts: ", cuts, ", change sets: ", landed.size());
  CHECK(cuts > landed.size());
  const auto is_checkpoint = [](const DiskStep& step) {
    return step.kind == DiskStep::Kind::sync && step.file == "test.db";
  };
  CHECK(std::count_if(journal.begin(), journal.end(), is_checkpoint) > 5);
}

}  // namespace

TEST_CASE("a power cut at any sync loses nothing acknowledged and leaves nothing half done") { cut_everywhere({}); }

TEST_CASE("so it is with checkpoints that run beside commits") {
  // The path of fixed libraries, whatever the library: one that has the WAL-reset bug loses commits when the log starts
  // over while a checkpoint begins, and while one of ours copies, a reader of ours keeps the log from starting over.
  cut_everywhere({.concurrent_checkpoints = true});
}

TEST_CASE("with synchronous=NORMAL a power cut takes the last commits, each whole, and tears nothing") {
  cut_everywhere({.synchronous = Synchronous::normal});
}
