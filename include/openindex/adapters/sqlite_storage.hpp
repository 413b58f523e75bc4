// SqliteStorage: everything in one SQLite file, durable when a call returns.
//
// The embedded default. Write-ahead log, `synchronous=FULL` unless the host asks for less; concurrent commits share one
// fsync, led by the first caller on its own thread. Several processes may share one file on a local disk. Operators can
// read the tables with the `sqlite3` shell: `docs/storage.md`. Target: openindex::sqlite.
//
// Open the file through nothing but SQLite while the process lives: closing any other descriptor of it drops the locks
// that keep commits safe (a rule of POSIX, not ours).
//
// Thread safety: all methods, from any threads. Lifetime: close it by destroying it, after everything that uses it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <openindex/storage/enlistment.hpp>
#include <openindex/storage/storage.hpp>

struct sqlite3;

namespace openindex {
namespace sqlite {
struct TunedStorage;
}
inline namespace v0 {

struct SqliteOptions {
  /// The database file; created when missing, its folder must exist.
  std::filesystem::path path = {};

  /// What survives a power cut. `full`: everything acknowledged. `normal`: the last commits may be missing, nothing is
  /// torn. Both survive kill -9.
  enum class Synchronous : std::uint8_t { full, normal };
  Synchronous synchronous = Synchronous::full;

  /// How long to wait for another process that holds the write lock before `storage_busy`.
  Duration busy_timeout{10'000};
};

/// What the open database really runs with, read back from SQLite.
struct SqliteStatus {
  std::string library_version = {};  ///< Such as `3.40.1`.
  std::string journal_mode = {};     ///< `wal`.
  std::string synchronous = {};      ///< `full` or `normal`.
  bool concurrent_checkpoints;  ///< Pages are copied beside commits. False with a library that has the WAL-reset bug:
                                ///< then under the write lock, a bounded piece at a time.
  std::int64_t wal_bytes;       ///< Size of the log file; it does not shrink, its space is used again.
};

class OPENINDEX_API SqliteStorage final : public Storage {
 public:
  /// Open or create a database.
  /// @par Errors invalid_argument (the path: empty, a folder, in a folder that is missing, `:memory:`),
  /// storage_not_ours (another application's database, or no database at all), storage_newer_schema, storage_corrupt,
  /// storage_read_only, storage_busy, storage_full, storage_failed. Nothing is overwritten.
  static Result<std::unique_ptr<SqliteStorage>> open(SqliteOptions options);
  ~SqliteStorage() override;

  /// Copy the database as it is now to a new file, while others read and write; commits do not wait for it, but the log
  /// cannot start over meanwhile. The copy holds the host's tables, too, and is whole and synced when it gets its name:
  /// it is written in a folder `<to>.part-…` beside it. A process that dies leaves that behind; the next backup to the
  /// same place removes it, and never one that a live process writes in.
  /// @par Errors already_exists (the file, or a `-wal`, `-shm` or `-journal` that would be taken for its own),
  /// invalid_argument (no folder for it), storage_read_only, storage_full, storage_corrupt, storage_failed
  Result<void> backup(const std::filesystem::path& to);

  /// Look for damage: SQLite's integrity check of the whole file, then every audit chain
  /// (`WorkflowEngine::verify_all`). Reads everything, while others work.
  /// @par Errors storage_corrupt (a problem for each finding: `/sqlite/<n>`, at most 100, and
  /// `/audit/<stream>/<entry>`, at most 1,000), storage_busy, storage_failed
  Result<void> check();

  /// Make a transaction that the host has begun on a connection of its own a storage (see `Enlistment`), for
  /// `WorkflowEngine::with`. The connection's main database must be this file, and its SQLite the library that this one
  /// uses. Begin with BEGIN IMMEDIATE. From the first write to the end of the transaction every other writer waits, and
  /// gives up with `storage_busy` after its busy timeout, a call of the same thread outside the transaction included.
  ///
  /// Automatic checkpoints of the connection are turned off and stay so, as `prepare_host` does. Nothing else of it is
  /// changed: what survives a power cut is what its `synchronous` says.
  /// @par Errors invalid_argument (null, another file, no open transaction), storage_read_only, storage_failed. Of
  /// calls inside: storage_busy also when the transaction began with a read and cannot become one that writes,
  /// invalid_argument when it is over; context `transaction` if SQLite rolled it back (a full disk, a failing one).
  [[nodiscard]] Result<std::unique_ptr<Enlistment>> enlist(sqlite3* transaction);

  /// Make a connection of the host's to this file, or to one that it attaches, safe to write on: SQLite's automatic
  /// checkpoints, which can lose commits with a library that has the WAL-reset bug, are turned off; the storage does
  /// them. Call it right after opening the connection, before the first write. Nothing else of it is changed; a hook
  /// that the host has set by `sqlite3_wal_hook` stays (with one there are no automatic checkpoints). `enlist` does the
  /// same, but only then: what the host wrote before may have been followed by a checkpoint.
  ///
  /// The library does not do it by itself to every connection that is opened (`sqlite3_auto_extension`): that would
  /// change the databases of the whole process, those that are not ours included.
  /// @par Errors invalid_argument (null), storage_failed
  static Result<void> prepare_host(sqlite3* connection);

  /// Tell what the database runs with. @par Errors storage_failed
  [[nodiscard]] Result<SqliteStatus> status();

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<std::vector<std::optional<Record>>> get_bodies(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override;
  void wake() noexcept override;

 private:
  friend struct sqlite::TunedStorage;
  class Database;
  explicit SqliteStorage(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace v0
}  // namespace openindex
