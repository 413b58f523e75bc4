#include <openindex/adapters/postgres_storage.hpp>

#include <utility>

#include "adapters/postgres/database.hpp"
#include "adapters/postgres/host_transaction.hpp"
#include "adapters/postgres/scan.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using Records = std::vector<std::optional<Record>>;

/// Several statements of one moment take a transaction; they are sent together.
Result<Records> read_records(postgres::Connection& connection, const postgres::Statements& statements,
                             std::span<const RecordId> ids) {
  static const postgres::Statement begin{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {}, {}};
  static const postgres::Statement commit{"COMMIT", {}, {}};
  const bool several = ids.size() > 1;
  std::vector<postgres::Command> commands;
  commands.reserve(ids.size() + 2);
  if (several) commands.push_back({&begin, {}});
  for (const auto& id : ids) commands.push_back({&statements.read, postgres::name_of(id)});
  if (several) commands.push_back({&commit, {}});
  const auto reply = connection.run(commands);
  if (reply.error) return *reply.error;

  Records records;
  records.reserve(ids.size());
  for (const auto& rows : std::span(reply.rows).subspan(several ? 1 : 0, ids.size())) {
    records.push_back(rows.count() > 0 ? std::optional(postgres::record_of(rows, 0)) : std::nullopt);
  }
  return records;
}

}  // namespace

PostgresStorage::PostgresStorage(std::unique_ptr<Database> database) : database_(std::move(database)) {}
PostgresStorage::~PostgresStorage() = default;

Result<std::unique_ptr<PostgresStorage>> PostgresStorage::open(PostgresOptions options) {
  auto database = Database::open(std::move(options));
  if (!database) return database.error();
  return std::unique_ptr<PostgresStorage>(new PostgresStorage(std::move(*database)));
}

Result<std::unique_ptr<Enlistment>> PostgresStorage::enlist(pg_conn* transaction) {
  return postgres::HostTransaction::enlist(transaction, *this, database_->statements(), database_->watch(),
                                           [this] { database_->announce(); });
}

Result<Records> PostgresStorage::get(std::span<const RecordId> ids) {
  if (ids.empty()) return Records();
  return postgres::repeat_on(database_->pool(), [&](postgres::Connection& connection) {
    return read_records(connection, database_->statements(), ids);
  });
}

Result<Records> PostgresStorage::get_bodies(std::span<const RecordId> ids) {
  if (ids.empty()) return Records();
  if (!postgres::names_in_domain(ids)) return get(ids);
  return database_->reads().read(ids);
}

Result<ScanPage> PostgresStorage::scan(const ScanRequest& request) {
  if (auto checked = storage::check_scan(request); !checked) return checked.error();
  return postgres::repeat_on(database_->pool(), [&](postgres::Connection& connection) {
    return postgres::scan(connection, database_->statements(), request, postgres::Transaction::own);
  });
}

Result<std::uint64_t> PostgresStorage::count(const CountRequest& request) {
  if (auto checked = storage::check_selection(storage::Selection(request)); !checked) return checked.error();
  return postgres::repeat_on(database_->pool(), [&](postgres::Connection& connection) {
    return postgres::count(connection, database_->statements(), request);
  });
}

std::vector<Result<CommitReceipt>> PostgresStorage::commit(std::span<const ChangeSet> changes) {
  return database_->commits().commit(changes);
}

Result<Changed> PostgresStorage::wait_for_change(const WaitRequest& request) {
  return database_->watch().wait(request);
}

void PostgresStorage::wake() noexcept { database_->watch().wake(); }

}  // namespace v0
}  // namespace openindex
