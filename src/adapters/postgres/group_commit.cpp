#include "adapters/postgres/group_commit.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adapters/postgres/failure.hpp"

namespace openindex::postgres {
namespace {

using storage::Entry;
using Receipts = std::vector<Result<CommitReceipt>>;

/// Groups that are on their way at once: while one waits for the disk, the next one reads and locks.
constexpr std::size_t leaders_max = 2;

constexpr int group_tries_max = 3;
constexpr int lone_tries_max = 10;
constexpr int cuts_max = 2;
constexpr int resolve_tries_max = 5;

/// How long a set waits for a lock by itself when its group has waited already.
constexpr Duration short_lock_wait{100};

void answer(std::span<const Entry> entries, const Error& error) {
  for (const auto& entry : entries) *entry.result = error;
}

Receipts copy_of(std::span<const Entry> entries) {
  Receipts copies;
  for (const auto& entry : entries) copies.push_back(*entry.result);
  return copies;
}

/// The record that shows whether a group was committed: nobody else writes it, and nobody changes it.
const Put* witness_of(std::span<const Entry> entries) {
  for (const auto& entry : entries) {
    if (entry.result->has_value() && !entry.changes->appends.empty()) return &entry.changes->appends.front();
  }
  return nullptr;
}

/// Whether the witness is there. @par Errors as Connection::query
Result<bool> is_there(Connection& connection, const Statements& statements, const Put& witness) {
  const auto rows = connection.query({&statements.read, name_of(witness.id)});
  if (!rows) return rows.error();
  return rows->count() == 1 && record_of(*rows, 0).body == witness.body;
}

}  // namespace

GroupCommit::GroupCommit(const PostgresOptions& options, const Statements& statements, Pool& pool, ChangeWatch& watch)
    : options_(options),
      statements_(statements),
      pool_(pool),
      watch_(watch),
      begin_{"BEGIN ISOLATION LEVEL READ COMMITTED", {}, {}},
      rollback_{"ROLLBACK", {}, {}},
      queue_([this](Entries entries) { (void)run(entries, options_.lock_wait); },
             std::min<std::size_t>(leaders_max, options_.connections_max)) {}

Bracket GroupCommit::bracket(Duration lock_wait) const {
  // Half a group that a dead process has left must not keep others from its records for long.
  Command settings{&statements_.lock_settings, {}};
  settings.parameters.text(std::to_string(std::max<std::int64_t>(lock_wait.count(), 1))).text("30000");
  return {
      {{&begin_, {}}, std::move(settings)}, {"COMMIT", {}, {}}, "COMMIT", {watch_.announcement()}, {{&rollback_, {}}}};
}

GroupCommit::Server GroupCommit::run(Entries entries, Duration lock_wait) {
  const auto around = bracket(lock_wait);
  const bool alone = entries.size() == 1;
  int cuts = 0;
  for (int tries = 1;; ++tries) {
    auto connection = pool_.take();
    if (!connection) {
      answer(entries, connection.error());
      return Server::out_of_reach;
    }
    auto done = attempt(**connection, statements_, around, entries);
    connection->reset();
    if (done.wrote) watch_.committed(done.counted);
    if (done.outcome == Outcome::answered) return Server::usable;
    const auto& error = *done.error;
    if (done.outcome != Outcome::failed) pool_.drop_idle();
    if (done.outcome == Outcome::unknown) {
      resolve(entries, error);
      return Server::usable;
    }
    if (done.outcome == Outcome::cut_short && ++cuts <= cuts_max) continue;
    if (is_transient(error) && tries < (alone ? lone_tries_max : group_tries_max)) continue;
    const bool concerns_all = done.outcome == Outcome::cut_short || error.code() == errc::storage_read_only;
    if (error.code() == errc::storage_read_only) pool_.drop_idle();  // another server may have become the primary
    if (alone || concerns_all) {
      answer(entries, error);
      return concerns_all ? Server::out_of_reach : Server::usable;
    }
    run_each_alone(entries, error.code() == errc::storage_busy ? std::min(lock_wait, short_lock_wait) : lock_wait);
    return Server::usable;
  }
}

void GroupCommit::run_each_alone(Entries entries, Duration lock_wait) {
  for (; !entries.empty(); entries = entries.subspan(1)) {
    if (run(entries.first(1), lock_wait) == Server::usable) continue;
    const auto error = entries.front().result->error();
    answer(entries, error);  // the wait is one for all, not one for each
    return;
  }
}

/// The connection was lost while the server was to commit. Look for what the group would have left behind, and where it
/// is not there, do it again: should the server be about to commit the first attempt still, one of the two finds the
/// witness in its way.
void GroupCommit::resolve(Entries entries, const Error& loss) {
  auto promised = copy_of(entries);
  if (const auto* witness = witness_of(entries)) {
    for (int tries = 0; tries < resolve_tries_max; ++tries) {
      auto connection = pool_.take();
      if (!connection) break;
      if (try_to_resolve(**connection, entries, *witness, promised)) return;
    }
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    *entries[i].result = promised[i];
    if (!promised[i]) continue;
    *entries[i].result = Error(errc::commit_unknown).with("commit", entries[i].changes->id.str()).caused_by(loss);
  }
}

bool GroupCommit::try_to_resolve(Connection& connection, Entries entries, const Put& witness, Receipts& promised) {
  const auto keep_promise = [&] {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (promised[i]) *entries[i].result = promised[i];
    }
    watch_.committed({});
    return true;
  };
  auto there = is_there(connection, statements_, witness);
  if (!there) return false;
  if (*there) return keep_promise();

  auto done = attempt(connection, statements_, bracket(options_.lock_wait), entries);
  if (done.wrote) watch_.committed(done.counted);
  if (done.outcome == Outcome::unknown) promised = copy_of(entries);
  if (done.outcome == Outcome::unknown || done.outcome == Outcome::cut_short) return false;
  if (done.outcome == Outcome::failed && is_transient(*done.error)) return false;
  // Our locks had to wait for the first attempt's end. If it ended well, that is why the second one was refused.
  const bool wrote_witness = done.wrote && witness_of(entries) == &witness;
  if (!wrote_witness) {
    there = is_there(connection, statements_, witness);
    if (!there) return false;
    if (*there) return keep_promise();
  }
  if (done.outcome == Outcome::failed) answer(entries, *done.error);
  return true;
}

}  // namespace openindex::postgres
