// Looking for damage: SQLite's own and that of the audit chains.
#include <atomic>
#include <string>
#include <thread>

#include <openindex/workflow_engine.hpp>

#include "storage/database_file.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

/// A database with a few items whose chains have several entries; closed.
struct Checked {
  DatabaseFile file;
  Actor host = Actor::system("host");
  Actor mia = Actor::person("mia");

  Checked() {
    const auto storage = file.open();
    WorkflowEngine engine{{.storage = *storage}};
    REQUIRE(engine.save(host, tests::triage_workflow()));
    REQUIRE(engine.create_domain(host, {.key = "BUG", .name = "Bugs", .owner = "mia"}));
    for (int i = 1; i <= 12; ++i) {
      const auto key = engine.create(mia, {.workflow = "TRIAGE", .title = "crash"}).value().key;
      for (int n = 0; n < 4; ++n) REQUIRE(engine.comment(mia, key, "seen"));
    }
  }
  void operate(const std::string& sql) const { PlainConnection(file).execute(sql); }
  [[nodiscard]] Result<void> check() const { return file.open()->check(); }
  [[nodiscard]] std::vector<Problem> problems() const {
    const auto checked = check();
    REQUIRE(!checked);
    CHECK(checked.error().code() == errc::storage_corrupt);
    CHECK(checked.error().context("path") == file.path().string());
    return checked.error().problems();
  }
};

std::string only_pointer(const std::vector<Problem>& problems) {
  REQUIRE(problems.size() == 1);
  return problems.front().pointer;
}

}  // namespace

TEST_CASE("a sound database passes the check") {
  const Checked f;
  CHECK(f.check());
  const auto storage = f.file.open();
  WorkflowEngine engine{{.storage = *storage}};
  const auto all = engine.verify_all(f.host);
  REQUIRE(all);
  CHECK(all->chain_count == 14);
  CHECK(all->entry_count == 12 * 5 + 2);
}

TEST_CASE("an audit row that was changed in a shell is found and named") {
  const Checked f;
  f.operate("UPDATE records SET body = replace(body, 'mia', 'eve') WHERE kind = 'audit' AND key = 'BUG-7/00000003'");
  CHECK(only_pointer(f.problems()) == "/audit/BUG-7/3");
}

TEST_CASE("an audit row that was deleted is found and named, at the end as well") {
  const Checked f;
  f.operate("DELETE FROM records WHERE kind = 'audit' AND key IN ('BUG-2/00000002', 'BUG-11/00000005')");
  const auto problems = f.problems();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].pointer == "/audit/BUG-11/5");
  CHECK(problems[1].pointer == "/audit/BUG-2/2");
}

TEST_CASE("an item that was deleted leaves audit entries about nothing") {
  const Checked f;
  f.operate("DELETE FROM records WHERE kind = 'item' AND key = 'BUG-4'");
  CHECK(only_pointer(f.problems()) == "/audit/BUG-4");
}

TEST_CASE("chains of domains and workflows are checked too") {
  const Checked f;
  f.operate("UPDATE records SET body = replace(body, 'host', 'home') WHERE kind = 'audit' AND key GLOB '*.*'");
  const auto problems = f.problems();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].pointer == "/audit/domain.BUG/1");
  CHECK(problems[1].pointer == "/audit/workflow.TRIAGE/1");
}

TEST_CASE("a record that cannot be read does not end the check") {
  const Checked f;
  f.operate("UPDATE records SET body = '{' WHERE kind = 'item' AND key = 'BUG-3'");
  f.operate("UPDATE records SET body = replace(body, 'mia', 'eve') WHERE kind = 'audit' AND key = 'BUG-9/00000001'");
  const auto problems = f.problems();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].pointer == "/audit/BUG-3");
  CHECK(problems[1].pointer == "/audit/BUG-9/1");
}

TEST_CASE("an index that does not agree with its table is found by SQLite's check") {
  const Checked f;
  const auto root = std::stoul(
      PlainConnection(f.file).column("SELECT rootpage FROM sqlite_master WHERE name = 'records_queue'").at(0));
  auto bytes = f.file.bytes();
  const auto at = bytes.find("TRIAGE", (root - 1) * 4096);
  REQUIRE(at < root * 4096);
  bytes[at] = 'X';
  f.file.write(bytes);
  const auto problems = f.problems();
  REQUIRE(!problems.empty());
  CHECK(problems[0].pointer == "/sqlite/0");
  CHECK(problems[0].text.find("records_queue") != std::string::npos);
}

TEST_CASE("a page that is damaged is found, and the check ends") {
  const Checked f;
  const auto root =
      std::stoul(PlainConnection(f.file).column("SELECT rootpage FROM sqlite_master WHERE name = 'records_key'").at(0));
  auto bytes = f.file.bytes();
  bytes.replace((root - 1) * 4096, 4096, 4096, '\x5a');
  f.file.write(bytes);
  const auto storage = SqliteStorage::open(f.file.options());
  const auto checked = storage ? (*storage)->check() : Result<void>(storage.error());
  REQUIRE(!checked);
  CHECK(checked.error().code() == errc::storage_corrupt);
}

TEST_CASE("tables of the host are part of SQLite's check and of no chain") {
  const Checked f;
  f.operate("CREATE TABLE orders (name TEXT NOT NULL); INSERT INTO orders VALUES ('tea')");
  CHECK(f.check());
}

TEST_CASE("a check while others work finds nothing wrong") {
  const Checked f;
  const auto storage = f.file.open();
  WorkflowEngine engine{{.storage = *storage}};
  std::atomic<bool> stop = false;
  std::atomic<int> changes = 0;
  std::thread worker([&] {
    while (!stop) {
      const auto created = engine.create(f.host, {.workflow = "TRIAGE", .title = "more"});
      if (created && engine.comment(f.host, "BUG-1", "and more") && engine.comment(f.host, created->key, "x"))
        ++changes;
      changes.notify_all();
    }
  });
  for (int round = 1; round <= 3; ++round) {
    for (int seen = changes; seen < 5 * round; seen = changes) changes.wait(seen);
    const auto checked = storage->check();
    CHECK_MESSAGE(checked.has_value(), (checked ? std::string() : checked.error().describe()));
  }
  stop = true;
  worker.join();
}
