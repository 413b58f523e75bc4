#include "adapters/sqlite/host_transaction.hpp"

#include <utility>

#include "adapters/sqlite/changes.hpp"
#include "adapters/sqlite/rows.hpp"
#include "adapters/sqlite/scan.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex::sqlite {
namespace {

bool is_in_transaction(sqlite3* database) { return sqlite3_get_autocommit(database) == 0; }

Result<void> check_connection(sqlite3* host, const std::string& file) {
  if (host == nullptr) return Error(errc::invalid_argument, "The connection is null");
  const char* name = sqlite3_db_filename(host, "main");
  const std::string found = name == nullptr ? "" : name;
  if (found != file) {
    return Error(errc::invalid_argument, "The connection's main database is another file than the storage's")
        .with("path", file)
        .with("found", found);
  }
  if (sqlite3_db_readonly(host, "main") != 0) return Error(errc::storage_read_only).with("path", file);
  if (is_in_transaction(host)) return {};
  return Error(errc::invalid_argument, "The connection is not inside a transaction: begin it with BEGIN IMMEDIATE")
      .with("path", file);
}

/// A transaction that has read before cannot wait for the write lock: what it has read would be out of date.
Error explain_busy(const Error& busy) {
  return Error(errc::storage_busy,
               "The host's transaction began with a read, and somebody else has written since or is writing now. Roll "
               "it back, and begin it with BEGIN IMMEDIATE.")
      .caused_by(busy);
}

}  // namespace

/// Automatic checkpoints are a hook on commits. A host that has a hook of its own has none, and keeps its hook.
Result<void> stop_automatic_checkpoints(sqlite3* host) {
  if (host == nullptr) return Error(errc::invalid_argument, "The connection is null");
  Connection connection(host);
  const auto pages = connection.read_integer("PRAGMA wal_autocheckpoint");
  if (!pages) return pages.error();
  if (*pages == 0) return {};
  const int code = sqlite3_wal_autocheckpoint(host, 0);
  if (code != SQLITE_OK) return error_of(host, code, "turning off automatic checkpoints");
  return {};
}

Result<std::unique_ptr<Enlistment>> HostTransaction::enlist(sqlite3* host, const std::string& file,
                                                            const Storage& storage, ChangeWatch& watch,
                                                            GroupCommit& commits) {
  if (auto fits = check_connection(host, file); !fits) return fits.error();
  std::unique_ptr<HostTransaction> made(new HostTransaction(host, storage, watch, commits));
  if (auto stopped = stop_automatic_checkpoints(host); !stopped) return stopped.error();
  return std::unique_ptr<Enlistment>(std::move(made));
}

/// The storage hears of its own writer's pages only: a log that grows by transactions like this one alone would never
/// be copied back. A row is about two pages, beside its body.
void HostTransaction::announce() noexcept {
  watch_.committed();
  const int rows =
      sqlite3_total_changes(connection_.raw()) - std::exchange(rows_before_, sqlite3_total_changes(connection_.raw()));
  commits_.written_by_others(2 * rows + static_cast<int>(std::exchange(bytes_, 0) / 4096));
}

Result<void> HostTransaction::check_open() const {
  if (is_in_transaction(connection_.raw())) return {};
  return Error(errc::invalid_argument, "The host's transaction is over: enlist the next one");
}

Result<std::vector<std::optional<Record>>> HostTransaction::get(std::span<const RecordId> ids) {
  if (auto open = check_open(); !open) return open.error();
  return read_records(connection_, ids, read_record);
}

Result<ScanPage> HostTransaction::scan(const ScanRequest& request) {
  if (auto checked = storage::check_scan(request); !checked) return checked.error();
  if (auto open = check_open(); !open) return open.error();
  return sqlite::scan(connection_, request);
}

Result<std::uint64_t> HostTransaction::count(const CountRequest& request) {
  if (auto checked = storage::check_selection(storage::Selection(request)); !checked) return checked.error();
  if (auto open = check_open(); !open) return open.error();
  return sqlite::count(connection_, request);
}

std::vector<Result<CommitReceipt>> HostTransaction::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  results.reserve(changes.size());
  for (const auto& set : changes) results.push_back(apply(set));
  return results;
}

Result<CommitReceipt> HostTransaction::apply(const ChangeSet& changes) {
  if (auto checked = check_bounds(changes); !checked) return checked.error();
  if (auto open = check_open(); !open) return open.error();
  auto applied = apply_in_savepoint(changes);
  if (applied) return applied;
  const Error& error = applied.error();
  if (!is_in_transaction(connection_.raw()))
    return error.with("transaction", "rolled back by SQLite, the host's rows too");
  return error.code() == errc::storage_busy ? explain_busy(error) : error;
}

Result<CommitReceipt> HostTransaction::apply_in_savepoint(const ChangeSet& changes) {
  if (auto begun = connection_.execute("SAVEPOINT openindex"); !begun) return begun.error();
  auto applied = apply_changes(connection_, changes);
  for (const Put& put : changes.puts) bytes_ += put.body.size();
  for (const Put& append : changes.appends) bytes_ += append.body.size();
  if (applied) {
    const auto released = connection_.execute("RELEASE openindex");
    if (released) return applied;
    applied = released.error();
  }
  undo();
  return applied;
}

/// After some errors SQLite has rolled back the whole transaction itself: then there is no savepoint any more.
void HostTransaction::undo() {
  if (!is_in_transaction(connection_.raw())) return;
  (void)connection_.execute("ROLLBACK TO openindex");
  (void)connection_.execute("RELEASE openindex");
}

}  // namespace openindex::sqlite
