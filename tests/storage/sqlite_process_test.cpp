// Several processes on one file. A child is made before this process opens the database: SQLite's connections must not
// be carried across a fork.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "storage/database_file.hpp"

using namespace openindex;

namespace {

/// A child process that starts when told to and writes numbers to its parent.
class Child {
 public:
  using Report = std::function<void(int)>;

  explicit Child(const std::function<int(const Report&)>& work) {
    int go[2];
    int back[2];
    REQUIRE(pipe(go) == 0);
    REQUIRE(pipe(back) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      close(go[1]);
      char byte = 0;
      if (read(go[0], &byte, 1) != 1) _exit(1);
      _exit(work([&](int number) { (void)!::write(back[1], &number, sizeof number); }));
    }
    close(go[0]);
    close(back[1]);
    go_ = go[1];
    reports_ = back[0];
  }
  ~Child() {
    close(go_);
    close(reports_);
    if (!ended_) kill_and_wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void start() { REQUIRE(::write(go_, "g", 1) == 1); }

  /// Read the next number; false at the end.
  bool next(int& number) { return read(reports_, &number, sizeof number) == sizeof number; }

  void kill_and_wait() {
    kill(pid_, SIGKILL);
    wait();
  }

  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int go_ = -1;
  int reports_ = -1;
  bool ended_ = false;
};

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
  child.start();
  CHECK(increment(*storage, 100));
  CHECK(child.wait() == 0);
  const auto id = test_record("counter");
  CHECK(storage->get({&id, 1}).value().at(0)->body == "200");
}

TEST_CASE("a commit in one process wakes who waits in another") {
  const DatabaseFile file;
  Child child([&](const Child::Report&) {
    const auto storage = SqliteStorage::open(file.options());
    return storage && commit_one(**storage, test_put("a")) ? 0 : 1;
  });
  const auto storage = file.open();
  const auto seen = storage->wait_for_change({}).value().sequence;
  child.start();
  const auto woken = storage->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)});
  CHECK(child.wait() == 0);
  CHECK(woken.value().sequence != seen);
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
  for (const auto& child : children) child->start();
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
    child.start();
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
