#include "adapters/postgres/host_transaction.hpp"

#include <map>
#include <string_view>
#include <utility>

#include "adapters/postgres/failure.hpp"
#include "adapters/postgres/scan.hpp"
#include "storage/commit_queue.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex::postgres {
namespace {

constexpr int tries_max = 3;

}  // namespace

HostTransaction::HostTransaction(PGconn* transaction, const Storage& storage, const Statements& statements,
                                 ChangeWatch& watch, Announce announce)
    : connection_(Connection::borrow(transaction)),
      storage_(storage),
      statements_(statements),
      watch_(watch),
      announce_(std::move(announce)),
      savepoint_{"SAVEPOINT openindex", {}, {}},
      roll_back_to_{"ROLLBACK TO SAVEPOINT openindex", {}, {}},
      release_{"RELEASE SAVEPOINT openindex", {}, {}} {}

Result<std::unique_ptr<Enlistment>> HostTransaction::enlist(PGconn* transaction, const Storage& storage,
                                                            const Statements& statements, ChangeWatch& watch,
                                                            Announce announce) {
  if (transaction == nullptr || PQtransactionStatus(transaction) != PQTRANS_INTRANS) {
    return Error(errc::invalid_argument, "The connection is not in an open, sound transaction.")
        .with("field", "transaction");
  }
  const char* encoding = PQparameterStatus(transaction, "client_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    return Error(errc::invalid_argument, "The connection must have the client encoding UTF8.")
        .with("field", "transaction");
  }
  return std::unique_ptr<Enlistment>(new HostTransaction(transaction, storage, statements, watch, std::move(announce)));
}

Result<std::vector<std::optional<Record>>> HostTransaction::get(std::span<const RecordId> ids) {
  const auto rows = connection_->query({&statements_.read_many, names_of(ids)});
  if (!rows) return rows.error();
  std::map<RecordId, Record> found;
  for (int row = 0; row < rows->count(); ++row) {
    auto record = record_of(*rows, row);
    found.emplace(record.id, std::move(record));
  }
  std::vector<std::optional<Record>> records;
  for (const auto& id : ids) {
    const auto place = found.find(id);
    records.push_back(place != found.end() ? std::optional(place->second) : std::nullopt);
  }
  return records;
}

Result<ScanPage> HostTransaction::scan(const ScanRequest& request) {
  if (auto checked = storage::check_scan(request); !checked) return checked.error();
  return postgres::scan(*connection_, statements_, request, Transaction::of_the_host);
}

Result<std::uint64_t> HostTransaction::count(const CountRequest& request) {
  if (auto checked = storage::check_selection(storage::Selection(request)); !checked) return checked.error();
  return postgres::count(*connection_, statements_, request);
}

std::vector<Result<CommitReceipt>> HostTransaction::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  const auto entries = storage::entries_of(changes, results);
  if (!entries.empty()) run(entries);
  return results;
}

void HostTransaction::run(std::span<const storage::Entry> entries) {
  const Bracket bracket{{{&savepoint_, {}}}, release_, "RELEASE", {}, {{&roll_back_to_, {}}, {&release_, {}}}};
  Attempt done;
  for (int tries = 1; tries <= tries_max; ++tries) {
    done = attempt(*connection_, statements_, bracket, entries);
    if (done.outcome == Outcome::answered) return;
    if (done.outcome != Outcome::failed || !is_transient(*done.error)) break;
  }
  if (done.outcome == Outcome::failed && entries.size() > 1) {
    for (std::size_t i = 0; i < entries.size(); ++i) run(entries.subspan(i, 1));
    return;
  }
  // Without its connection the whole transaction is gone.
  for (const auto& entry : entries) *entry.result = *done.error;
}

}  // namespace openindex::postgres
