// What becomes of copies whose process is killed while it writes them.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <set>
#include <string>

#include "storage/child.hpp"
#include "storage/database_file.hpp"

using namespace openindex;

namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

/// The folders that copies are written in.
std::set<std::string> unfinished_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& name : names_in(folder)) {
    if (name.find(".part-") != std::string::npos) names.insert(name);
  }
  return names;
}

std::function<void()> before_copying;

void note_write(int descriptor) {
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(descriptor);
  if (readlink(link.c_str(), path.data(), path.size() - 1) < 0) return;
  if (std::string_view(path.data()).find(".part-") == std::string_view::npos) return;
  if (const auto now = std::exchange(before_copying, {})) now();
}

ssize_t write_at(int descriptor, const void* bytes, std::size_t size, off_t offset) {
  note_write(descriptor);
  return pwrite(descriptor, bytes, size, offset);
}

ssize_t write_on(int descriptor, const void* bytes, std::size_t size) {
  note_write(descriptor);
  return write(descriptor, bytes, size);
}

/// Do this once in this process, before SQLite writes the first page of a copy.
void call_before_copying(std::function<void()> action) {
  before_copying = std::move(action);
  auto* const vfs = sqlite3_vfs_find(nullptr);
  vfs->xSetSystemCall(vfs, "write", reinterpret_cast<sqlite3_syscall_ptr>(write_on));
  vfs->xSetSystemCall(vfs, "pwrite", reinterpret_cast<sqlite3_syscall_ptr>(write_at));
  vfs->xSetSystemCall(vfs, "pwrite64", reinterpret_cast<sqlite3_syscall_ptr>(write_at));
}

/// A process that makes a copy, and stops in the middle of it until it is told to go on.
struct Copying {
  DatabaseFile file;
  fs::path to = file.folder() / "copy.db";
  Child child{[this](const Child::Report& report) {
    const auto storage = SqliteStorage::open(file.options());
    if (!storage || !commit_one(**storage, test_put("a"))) return 0;
    call_before_copying([&] {
      report(1);
      (void)report.wait_for_go();
    });
    const auto made = (*storage)->backup(to);
    return made ? 0 : static_cast<int>(made.error().code());
  }};

  Copying() {
    child.go();
    int started = 0;
    REQUIRE(child.next(started));
    REQUIRE(unfinished_in(file.folder()).size() == 1);
  }
};

}  // namespace

TEST_CASE("what a killed backup has left is removed by the next one to the same place") {
  Copying f;
  f.child.kill_and_wait();
  CHECK(unfinished_in(f.file.folder()).size() == 1);
  const auto storage = f.file.open();
  CHECK(storage->backup(f.file.folder() / "another.db"));
  CHECK(unfinished_in(f.file.folder()).size() == 1);  // another place
  CHECK(storage->backup(f.to));
  CHECK(names_in(f.file.folder()) ==
        std::set<std::string>{"another.db", "copy.db", "test.db", "test.db-shm", "test.db-wal"});
  CHECK(count_records(*DatabaseFile::open({.path = f.to})) == 1);
}

TEST_CASE("a copy that a live process is writing is left alone") {
  Copying f;
  const auto theirs = unfinished_in(f.file.folder());
  {
    const auto storage = f.file.open();
    CHECK(storage->backup(f.to));
    CHECK(unfinished_in(f.file.folder()) == theirs);
    fs::remove(f.to);
  }
  f.child.go();
  CHECK(f.child.wait() == 0);
  CHECK(unfinished_in(f.file.folder()).empty());
  CHECK(count_records(*DatabaseFile::open({.path = f.to})) == 1);
}

TEST_CASE("nothing is removed that is only called like an unfinished copy") {
  const DatabaseFile file;
  const auto storage = file.open();
  const auto to = file.folder() / "copy.db";
  fs::create_directory(to.string() + ".part-1-1");
  std::ofstream(to.string() + ".part-1-1/notes") << "mine";
  fs::create_directory(to.string() + ".part-of-the-plan");
  std::ofstream(to.string() + ".part-2-1") << "mine";
  fs::create_directory_symlink(to.string() + ".part-1-1", to.string() + ".part-3-1");
  const auto before = unfinished_in(file.folder());
  CHECK(storage->backup(to));
  CHECK(unfinished_in(file.folder()) == before);
  CHECK(fs::exists(to.string() + ".part-1-1/notes"));
}
