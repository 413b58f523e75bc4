// Several processes on one file.
#include <string>
#include <vector>

#include "storage/child.hpp"
#include "storage/database_file.hpp"

using namespace openindex;

namespace {

/// Add to a counter by compare and swap; false when the storage failed.
bool increment(Storage& storage, int times) {
  const auto id = test_record("counter");
  while (times > 0) {
    const auto found = storage.get({&id, 1});
    if (!found || !found->front()) return false;
    auto changes = test_put("counter", std::to_string(std::stoi(found->front()->body) + 1));
    changes.expectations = {{id, found->front()->version}};
    const auto done = commit_one(storage, changes);
    if (done) --times;
    if (!done && done.error().code() != errc::conflict) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("two processes that increment one counter lose nothing") {
  const DatabaseFile file;
  Child child([&](const Child::Report&) {
    const auto storage = SqliteStorage::open(file.options());
    return storage && increment(**storage, 100) ? 0 : 1;
  });
  const auto storage = file.open();
  REQUIRE(commit_one(*storage, test_put("counter", "0")).has_value());
  child.go();
  CHECK(increment(*storage, 100));
  CHECK(child.wait() == 0);
  const auto id = test_record("counter");
  CHECK(storage->get({&id, 1}).value().at(0)->body == "200");
}

TEST_CASE("processes that create one file at the same time all get it") {
  const DatabaseFile file;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&, i](const Child::Report&) {
      const auto storage = SqliteStorage::open(file.options());
      return storage && commit_one(**storage, test_put(std::to_string(i))) ? 0 : 1;
    }));
  }
  for (const auto& child : children) child->go();
  for (const auto& child : children) CHECK(child->wait() == 0);
  CHECK(count_records(*file.open()) == 4);
}

TEST_CASE("kill -9 of a writer loses nothing that was acknowledged and leaves nothing half done") {
  const DatabaseFile file;
  int acknowledged = 0;
  for (const int acknowledgements_before_kill : {1, 20, 60}) {
    Child child([&](const Child::Report& report) {
      const auto storage = SqliteStorage::open(file.options());
      if (!storage) return 1;
      for (int i = acknowledged;; ++i) {
        auto changes = test_put("put/" + std::to_string(i));
        changes.appends = {{test_record("append/" + std::to_string(i)), "{}", {}}};
        const auto done = commit_one(**storage, changes);
        if (!done && done.error().code() != errc::conflict) return 1;  // a conflict: landed before the kill, unheard
        report(i);
      }
    });
    child.go();
    int last = -1;
    for (int i = 0; i < acknowledgements_before_kill; ++i) REQUIRE(child.next(last));
    child.kill_and_wait();
    while (child.next(last)) continue;
    acknowledged = last + 1;

    const auto storage = file.open();
    const auto appends = storage->count({.index = Index::key, .prefix = {"host.test"}, .below = "b"}).value();
    const auto puts = storage->count({.index = Index::key, .prefix = {"host.test"}, .from = "b"}).value();
    CHECK(appends == puts);
    CHECK(puts >= static_cast<std::uint64_t>(acknowledged));
    CHECK(puts <= static_cast<std::uint64_t>(acknowledged) + 1);
  }
}
