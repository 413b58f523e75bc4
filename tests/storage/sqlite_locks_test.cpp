// SQLite's locks belong to the process: closing any descriptor of the database or its shared memory drops all of them.
// So nothing but SQLite may open these files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/tuning.hpp"
#include "storage/database_file.hpp"

using namespace openindex;

namespace {

std::uint64_t inode_of(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

/// The files that carry locks: the database and its shared memory.
std::set<std::uint64_t> locked_files(const DatabaseFile& file) {
  return {inode_of(file.path().string()), inode_of(file.path().string() + "-shm")};
}

struct LockedByte {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  bool operator<(const LockedByte& other) const {
    return std::tie(inode, offset) < std::tie(other.inode, other.offset);
  }
};

/// The bytes of these files that this process has locked, or of those only that it shares. Bytes and no ranges: the
/// kernel joins a lock with its neighbour.
std::set<LockedByte> locked_bytes(const DatabaseFile& file, bool shared_only = false) {
  const auto inodes = locked_files(file);
  std::set<LockedByte> bytes;
  std::ifstream all("/proc/locks");
  for (std::string line; std::getline(all, line);) {
    std::istringstream words(line);
    std::string number, family, advisory, type, pid, place, from, to;
    words >> number >> family >> advisory >> type >> pid >> place >> from >> to;
    if (family != "POSIX" || pid != std::to_string(getpid()) || (shared_only && type != "READ")) continue;
    const auto inode = std::stoull(place.substr(place.rfind(':') + 1));
    if (inodes.count(inode) == 0) continue;
    for (auto offset = std::stoull(from); offset <= std::stoull(to); ++offset) bytes.insert({inode, offset});
  }
  return bytes;
}

/// A checkpoint in the background takes locks of its own for a moment, so there may be more. And the kernel lists them
/// page by page, so that one is left out when another process lets go of one in between; whoever has lost one has lost
/// it in every list.
bool still_locked(const DatabaseFile& file, const std::set<LockedByte>& held) {
  for (int lists = 0; lists < 10; ++lists) {
    const auto now = locked_bytes(file);
    if (std::includes(now.begin(), now.end(), held.begin(), held.end())) return true;
  }
  return false;
}

std::set<int> descriptors_of(const DatabaseFile& file) {
  const auto inodes = locked_files(file);
  std::set<int> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int descriptor = std::stoi(entry.path().filename().string());
    struct stat found {};
    if (fstat(descriptor, &found) == 0 && inodes.count(found.st_ino) == 1) descriptors.insert(descriptor);
  }
  return descriptors;
}

std::mutex mutex;
std::set<int> opened_by_sqlite;

int note_open(const char* path, int flags, int mode) {
  const int descriptor = open(path, flags | O_CLOEXEC, mode);
  const std::lock_guard lock(mutex);
  if (descriptor >= 0) opened_by_sqlite.insert(descriptor);
  return descriptor;
}

int note_close(int descriptor) {
  const std::lock_guard lock(mutex);
  opened_by_sqlite.erase(descriptor);
  return close(descriptor);
}

/// While one exists, what SQLite opens and closes is noted.
class DescriptorNotes {
 public:
  DescriptorNotes() { set(note_open, note_close); }
  ~DescriptorNotes() { set(nullptr, nullptr); }
  DescriptorNotes(const DescriptorNotes&) = delete;
  DescriptorNotes& operator=(const DescriptorNotes&) = delete;

  static std::set<int> opened() {
    const std::lock_guard lock(mutex);
    return opened_by_sqlite;
  }

 private:
  static void set(int (*open_call)(const char*, int, int), int (*close_call)(int)) {
    auto* const vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, "open", reinterpret_cast<sqlite3_syscall_ptr>(open_call));
    vfs->xSetSystemCall(vfs, "close", reinterpret_cast<sqlite3_syscall_ptr>(close_call));
  }
};

struct Call {
  const char* name;
  std::function<void()> make;
};

/// Every call of the public API, on a database that is open.
std::vector<Call> all_calls(const DatabaseFile& file, SqliteStorage& storage) {
  const auto id = test_record("a");
  return {
      {"status", [&] { CHECK(storage.status().has_value()); }},
      {"commit", [&] { CHECK(commit_one(storage, test_put("a")).has_value()); }},
      {"a commit with a checkpoint",
       [&] { CHECK(commit_one(storage, test_put("b", std::string(500'000, 'b'))).has_value()); }},
      {"a conflict",
       [&] {
         auto changes = test_put("a");
         changes.expectations = {{test_record("absent"), 1}};
         CHECK(!commit_one(storage, changes));
       }},
      {"get",
       [&storage, id] {
         CHECK(storage.get({&id, 1}).has_value());
       }},
      {"scan", [&] { CHECK(storage.scan({.index = Index::key, .prefix = {"host.test"}}).has_value()); }},
      {"count", [&] { CHECK(count_records(storage) == 2); }},
      {"wait_for_change", [&] { CHECK(storage.wait_for_change({}).has_value()); }},
      {"wait_for_change that sleeps",
       [&] {
         const auto seen = storage.wait_for_change({}).value().sequence;
         CHECK(storage.wait_for_change({.seen = seen, .timeout = Duration(1)}).has_value());
       }},
      {"wake", [&] { storage.wake(); }},
      {"backup", [&] { CHECK(storage.backup(file.folder() / "copy.db").has_value()); }},
      {"a backup that fails", [&] { CHECK(!storage.backup(file.folder() / "absent" / "copy.db")); }},
      {"check", [&] { CHECK(storage.check().has_value()); }},
      {"a commit in a transaction of the host",
       [&] {
         PlainConnection host(file);
         host.execute("BEGIN IMMEDIATE");
         const auto enlisted = storage.enlist(host.raw()).value();
         CHECK(commit_one(*enlisted, test_put("a")).has_value());
         host.execute("COMMIT");
         enlisted->committed();
       }},
      {"open and close another one", [&] { CHECK(commit_one(*file.open(), test_put("a")).has_value()); }},
      {"open under a link's name",
       [&] {
         const auto link = file.folder() / "link.db";
         std::error_code exists;
         std::filesystem::create_symlink(file.path(), link, exists);
         CHECK(count_records(*DatabaseFile::open({.path = link})) == 2);
       }},
      {"an open that fails",
       [&] {
         PlainConnection(file).execute("PRAGMA user_version=999");
         CHECK(!SqliteStorage::open(file.options()));
         PlainConnection(file).execute("PRAGMA user_version=" + std::to_string(sqlite::schema_version));
       }},
  };
}

}  // namespace

TEST_CASE("no call drops a lock that was held, and nothing but SQLite opens or closes what carries locks") {
  const DescriptorNotes notes;
  const DatabaseFile file;
  sqlite::Tuning tuning;
  tuning.checkpoints.piece = 2;
  tuning.checkpoints.soon = 1;
  tuning.checkpoints.now = 50;
  const auto storage = sqlite::TunedStorage::open(file.options(), tuning).value();
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  REQUIRE(commit_one(*storage, test_put("b")).has_value());
  PlainConnection reader(file);
  reader.execute("BEGIN");
  REQUIRE(reader.column("SELECT count(*) FROM records").size() == 1);  // holds a lock on the shared memory

  // What lasts is shared; a lock of a checkpoint, which ends by itself, is exclusive.
  const auto held = locked_bytes(file, true);
  const auto shared_memory = inode_of(file.path().string() + "-shm");
  const auto in_memory =
      std::count_if(held.begin(), held.end(), [&](const LockedByte& byte) { return byte.inode == shared_memory; });
  REQUIRE(in_memory >= 2);  // of being there, of the reader's place in the log
  REQUIRE(held.size() > static_cast<std::size_t>(in_memory));
  for (const auto& call : all_calls(file, *storage)) {
    INFO(std::string(call.name));
    call.make();
    CHECK(still_locked(file, held));
    const auto opened = DescriptorNotes::opened();
    for (const int descriptor : descriptors_of(file)) CHECK(opened.count(descriptor) == 1);
    for (const int descriptor : opened) CHECK(fcntl(descriptor, F_GETFD) >= 0);
  }

  // The comparison notices what it is there for.
  { std::ifstream(file.path()).get(); }
  CHECK(!still_locked(file, held));
}
