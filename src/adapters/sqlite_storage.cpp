#include <openindex/adapters/sqlite_storage.hpp>

#include <utility>

#include "adapters/sqlite/backup.hpp"
#include "adapters/sqlite/check.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/host_transaction.hpp"
#include "adapters/sqlite/rows.hpp"
#include "adapters/sqlite/scan.hpp"
#include "adapters/sqlite/tuning.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using Records = std::vector<std::optional<Record>>;

/// How many records are read on the writer connection at most: a commit may wait for them.
constexpr std::size_t read_at_once_max = 16;

/// A transaction makes the answers of several statements one moment's.
Result<Records> read_together(sqlite::Connection& connection, std::span<const RecordId> ids, sqlite::ReadOne read) {
  if (ids.size() <= 1) return sqlite::read_records(connection, ids, read);
  if (auto begun = connection.begin(); !begun) return begun.error();
  auto records = sqlite::read_records(connection, ids, read);
  const auto ended = connection.roll_back();
  if (records && !ended) return ended.error();
  return records;
}

template <class Database>
Result<Records> read_from(Database& database, std::span<const RecordId> ids, sqlite::ReadOne read) {
  if (ids.size() <= read_at_once_max) {
    std::optional<Result<Records>> records;
    const auto read_them = [&](sqlite::Connection& connection) { records = read_together(connection, ids, read); };
    if (database.commits().read_at_once(read_them)) return std::move(*records);
  }
  auto reader = database.readers().take();
  if (!reader) return reader.error();
  return read_together(**reader, ids, read);
}

}  // namespace

SqliteStorage::SqliteStorage(std::unique_ptr<Database> database) : database_(std::move(database)) {}
SqliteStorage::~SqliteStorage() = default;

Result<std::unique_ptr<SqliteStorage>> SqliteStorage::open(SqliteOptions options) {
  return sqlite::TunedStorage::open(std::move(options), {});
}

Result<std::unique_ptr<Enlistment>> SqliteStorage::enlist(sqlite3* transaction) {
  return sqlite::HostTransaction::enlist(transaction, database_->file(), *this, database_->watch(),
                                         database_->commits());
}

Result<void> SqliteStorage::prepare_host(sqlite3* connection) { return sqlite::stop_automatic_checkpoints(connection); }

Result<void> SqliteStorage::backup(const std::filesystem::path& to) {
  return sqlite::back_up(database_->options(), to);
}

Result<void> SqliteStorage::check() { return sqlite::check(database_->options(), *this); }

Result<SqliteStatus> SqliteStorage::status() { return database_->status(); }

Result<Records> SqliteStorage::get(std::span<const RecordId> ids) {
  return read_from(*database_, ids, sqlite::read_record);
}

Result<Records> SqliteStorage::get_bodies(std::span<const RecordId> ids) {
  return read_from(*database_, ids, sqlite::read_body);
}

Result<ScanPage> SqliteStorage::scan(const ScanRequest& request) {
  if (auto checked = storage::check_scan(request); !checked) return checked.error();
  auto reader = database_->readers().take();
  if (!reader) return reader.error();
  return sqlite::scan(**reader, request);
}

Result<std::uint64_t> SqliteStorage::count(const CountRequest& request) {
  if (auto checked = storage::check_selection(storage::Selection(request)); !checked) return checked.error();
  auto reader = database_->readers().take();
  if (!reader) return reader.error();
  return sqlite::count(**reader, request);
}

std::vector<Result<CommitReceipt>> SqliteStorage::commit(std::span<const ChangeSet> changes) {
  return database_->commits().commit(changes);
}

Result<Changed> SqliteStorage::wait_for_change(const WaitRequest& request) { return database_->watch().wait(request); }

void SqliteStorage::wake() noexcept { database_->watch().wake(); }

}  // namespace v0

Result<std::unique_ptr<SqliteStorage>> sqlite::TunedStorage::open(SqliteOptions options, const Tuning& tuning) {
  auto database = SqliteStorage::Database::open(std::move(options), tuning);
  if (!database) return database.error();
  return std::unique_ptr<SqliteStorage>(new SqliteStorage(std::move(*database)));
}

}  // namespace openindex
