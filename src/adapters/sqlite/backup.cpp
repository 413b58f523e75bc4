#include "adapters/sqlite/backup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/unfinished_copy.hpp"

namespace openindex::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr int pages_per_step = 256;  // 1 MiB

Error failed(errc code, const char* doing, const fs::path& path, int error) {
  return Error(code)
      .with("doing", doing)
      .with("path", path.string())
      .with("system", std::generic_category().message(error));
}

/// A log or journal beside a file is taken for its own when it is opened: one of an earlier file would destroy the
/// copy.
Result<void> check_place(const fs::path& to) {
  std::error_code unknown;
  if (!fs::is_directory(to.parent_path(), unknown)) {
    return Error(errc::invalid_argument, "The folder of the copy is missing").with("path", to.string());
  }
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    const fs::path taken = to.string() + beside;
    if (fs::exists(fs::symlink_status(taken, unknown))) return Error(errc::already_exists).with("path", taken.string());
  }
  return {};
}

/// One moment of the source: its connection stays in a read transaction, so that no commit makes the copying start
/// over.
Result<void> copy_pages(Connection& source, Connection& copy) {
  if (auto begun = source.execute("BEGIN"); !begun) return begun;
  if (auto fixed = source.read_integer("SELECT count(*) FROM sqlite_master"); !fixed) return fixed.error();
  sqlite3_backup* backup = sqlite3_backup_init(copy.raw(), "main", source.raw(), "main");
  if (backup == nullptr) return error_of(copy.raw(), sqlite3_errcode(copy.raw()), "beginning to copy the database");
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(backup, pages_per_step);
  const int finished = sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE) code = finished;
  if (code != SQLITE_OK) return error_of(copy.raw(), code, "copying the database");
  return source.roll_back();
}

Result<void> write_copy(const SqliteOptions& options, const fs::path& path) {
  auto source = Connection::open_another(options);
  if (!source) return source.error();
  auto copy = Connection::open({.path = path}, true);
  if (!copy) return copy.error();
  // A copy that is not finished is thrown away, so it needs no journal; once finished it must be on the disk.
  if (auto set = (*copy)->set_pragma("journal_mode", "OFF", "off"); !set) return set;
  if (auto set = (*copy)->set_pragma("synchronous", "FULL", "2"); !set) return set;
  return copy_pages(**source, **copy);
}

Result<void> sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failed(errc::storage_failed, "opening the folder of the copy", folder, errno);
  const int synced = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  if (synced != 0) return failed(errc::storage_failed, "syncing the folder of the copy", folder, error);
  return {};
}

/// A link never takes the place of a file that somebody else has made meanwhile; not every file system has links.
Result<void> give_name(const fs::path& part, const fs::path& to) {
  if (link(part.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return Error(errc::already_exists).with("path", to.string());
    if (::rename(part.c_str(), to.c_str()) != 0) return failed(errc::storage_failed, "naming the copy", to, errno);
  }
  auto synced = sync_folder(to.parent_path());
  if (!synced) unlink(to.c_str());
  return synced;
}

}  // namespace

Result<void> back_up(const SqliteOptions& options, const fs::path& given) {
  std::error_code unknown;
  const auto to = fs::absolute(given, unknown);
  if (given.empty() || unknown || !to.has_filename()) {
    return Error(errc::invalid_argument, "The path of the copy names no file").with("path", given.string());
  }
  if (auto free = check_place(to); !free) return free;
  remove_abandoned_copies(to);
  const auto copy = UnfinishedCopy::make(to);
  if (!copy) return copy.error();
  if (auto written = write_copy(options, copy->file()); !written) return written;
  return give_name(copy->file(), to);
}

}  // namespace openindex::sqlite
