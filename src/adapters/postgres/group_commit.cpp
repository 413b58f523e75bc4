#include "adapters/postgres/group_commit.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "adapters/postgres/failure.hpp"
#include "adapters/postgres/ledger.hpp"

namespace openindex::postgres {
namespace {

using storage::Entry;
using SteadyClock = std::chrono::steady_clock;
using Receipts = std::vector<Result<CommitReceipt>>;

/// Groups that are on their way at once. A second one would lock and read while the first one waits for the disk, but
/// two groups of half the size cost the server more than that saves.
constexpr std::size_t leaders_max = 1;

/// PostgreSQL cannot count further.
constexpr Duration longest_lock_wait{std::numeric_limits<int>::max()};

constexpr int group_tries_max = 3;
constexpr int lone_tries_max = 10;
constexpr int resolve_tries_max = 5;

/// How long a group waits for a lock before it goes on without the sets that need it. Other processes commit meanwhile.
constexpr Duration group_lock_wait{100};

/// How long each set of such a group waits by itself, when it is not to be seen which of them need the lock.
constexpr Duration look_lock_wait{10};

bool is_locked_out(const Entry& entry) { return !*entry.result && met_lock(entry.result->error()); }

void answer(std::span<const Entry> entries, const Error& error) {
  for (const auto& entry : entries) *entry.result = error;
}

Receipts copy_of(std::span<const Entry> entries) {
  Receipts copies;
  for (const auto& entry : entries) copies.push_back(*entry.result);
  return copies;
}

/// The set whose first append shows whether a group was committed: nobody else writes it, and nobody changes it.
const Entry* witness_of(std::span<const Entry> entries) {
  for (const auto& entry : entries) {
    if (entry.result->has_value() && !entry.changes->appends.empty()) return &entry;
  }
  return nullptr;
}

/// Whether the witness is there. @par Errors as Connection::query
Result<bool> is_there(Connection& connection, const Statements& statements, const Entry& witness) {
  const auto& append = witness.changes->appends.front();
  const auto rows = connection.query({&statements.read, name_of(append.id)});
  if (!rows) return rows.error();
  return rows->count() == 1 && record_of(*rows, 0).body == append.body;
}

Error unknown(const Entry& entry, const Error& loss) {
  return Error(errc::commit_unknown).with("commit", entry.changes->id.str()).caused_by(loss);
}

bool are_alike(const Result<CommitReceipt>& one, const Result<CommitReceipt>& other) {
  if (one && other) return one->versions == other->versions;
  return !one && !other && one.error().code() == other.error().code();
}

/// Two attempts were lost, and either may be the one that lands: keep what both have come to.
void keep_common(Receipts& promised, std::span<const Entry> entries, const Error& loss) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!are_alike(promised[i], *entries[i].result)) promised[i] = unknown(entries[i], loss);
  }
}

void keep(const Receipts& promised, std::span<const Entry> entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) *entries[i].result = promised[i];
}

}  // namespace

GroupCommit::GroupCommit(const PostgresOptions& options, const Statements& statements, Pool& pool, ChangeWatch& watch)
    : options_(options),
      statements_(statements),
      pool_(pool),
      watch_(watch),
      begin_{"BEGIN ISOLATION LEVEL READ COMMITTED", {}, {}},
      rollback_{"ROLLBACK", {}, {}},
      queue_([this](const auto& lead) { (void)run(lead.entries(), group_wait()); },
             std::min<std::size_t>(leaders_max, options_.connections_max)),
      locked_out_([this](const auto& lead) { (void)run(lead.entries(), group_wait()); }, 1) {}

Duration GroupCommit::group_wait() const { return std::min(options_.lock_wait, group_lock_wait); }

std::vector<Result<CommitReceipt>> GroupCommit::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  auto entries = storage::entries_of(changes, results);
  if (!entries.empty()) queue_.commit(entries);
  const auto until = SteadyClock::now() + std::min(options_.lock_wait, longest_lock_wait);
  for (;;) {
    std::erase_if(entries, [](const Entry& entry) { return !is_locked_out(entry); });
    if (entries.empty() || SteadyClock::now() >= until) return results;
    locked_out_.commit(entries);
  }
}

Bracket GroupCommit::bracket(Duration lock_wait) const {
  // Half a group that a dead process has left must not keep others from its records for long.
  Command settings{&statements_.lock_settings, {}};
  const auto wait_ms = std::clamp<std::int64_t>(lock_wait.count(), 1, longest_lock_wait.count());
  settings.parameters.text(std::to_string(wait_ms)).text("30000");
  return {
      {{&begin_, {}}, std::move(settings)}, {"COMMIT", {}, {}}, "COMMIT", {watch_.announcement()}, {{&rollback_, {}}}};
}

Attempt GroupCommit::attempt_and_tell(Connection& connection, const Bracket& around, Entries entries,
                                      const Entry* witness) {
  const ChangeWatch::OwnCommit own(watch_);
  auto done = attempt(connection, statements_, around, entries, witness);
  if (done.wrote) watch_.committed(done.counted);
  return done;
}

GroupCommit::Server GroupCommit::run(Entries entries, Duration lock_wait) {
  auto around = bracket(lock_wait);
  const bool alone = entries.size() == 1;
  Losses cuts(pool_);
  for (int tries = 1;; ++tries) {
    auto connection = pool_.take();
    if (!connection) {
      answer(entries, connection.error());
      return Server::out_of_reach;
    }
    auto done = attempt_and_tell(**connection, around, entries);
    connection->reset();
    if (done.outcome == Outcome::answered) return Server::usable;
    const auto& error = *done.error;
    if (done.outcome != Outcome::failed) pool_.drop_idle();
    if (done.outcome == Outcome::unknown) {
      resolve(entries, lock_wait, error);
      return Server::usable;
    }
    if (done.outcome == Outcome::cut_short && cuts.allow_another()) continue;
    if (met_lock(error) && !alone && std::exchange(around.waits_for_locks, false)) continue;
    if (is_transient(error) && tries < (alone ? lone_tries_max : group_tries_max)) continue;
    const bool concerns_all = done.outcome == Outcome::cut_short || error.code() == errc::storage_read_only;
    if (error.code() == errc::storage_read_only) pool_.drop_idle();  // another server may have become the primary
    if (alone || concerns_all) {
      answer(entries, error);
      return concerns_all ? Server::out_of_reach : Server::usable;
    }
    run_each_alone(entries, met_lock(error) ? std::min(lock_wait, look_lock_wait) : lock_wait);
    return Server::usable;
  }
}

void GroupCommit::run_each_alone(Entries entries, Duration lock_wait) {
  Names locked_out;
  for (; !entries.empty(); entries = entries.subspan(1)) {
    const auto& entry = entries.front();
    if (const auto* id = locked_out.met_by(*entry.changes)) {
      *entry.result = locked(*id);  // sets of one call are applied in order
    } else if (run(entries.first(1), lock_wait) == Server::out_of_reach) {
      const auto error = entry.result->error();
      answer(entries, error);  // the wait is one for all, not one for each
      return;
    }
    if (is_locked_out(entry)) locked_out.add(*entry.changes);
  }
}

/// The connection was lost while the server was to commit. Look for what the group would have left behind, and where it
/// is not there, do it again: should the server be about to commit the first attempt still, one of the two finds the
/// witness in its way.
///
/// The first attempt may be under way for as long as its session lives: a server that waits for its standby holds all
/// locks, and shows nothing. So only an attempt that got the locks proves anything, and one that fails proves nothing.
void GroupCommit::resolve(Entries entries, Duration lock_wait, const Error& loss) {
  auto promised = copy_of(entries);
  const auto* witness = witness_of(entries);
  const auto until = std::chrono::steady_clock::now() + options_.lock_wait;
  Losses losses(pool_);
  for (int tries = 0; witness != nullptr && tries < resolve_tries_max;) {
    if (tries > 0 && std::chrono::steady_clock::now() >= until) break;
    auto connection = pool_.take();
    if (!connection) break;
    const auto found = try_to_resolve(**connection, entries, *witness, promised);
    const bool is_lost = (*connection)->has_failed();
    connection->reset();
    if (found == Found::told) return;
    if (found == Found::never) return (void)run(entries, lock_wait);
    pool_.drop_idle();  // it may be the wrong server
    if (!is_lost || !losses.allow_another()) ++tries;
  }
  keep(promised, entries);
  for (const auto& entry : entries) {
    if (*entry.result) *entry.result = unknown(entry, loss);
  }
}

GroupCommit::Found GroupCommit::try_to_resolve(Connection& connection, Entries entries, const Entry& witness,
                                               Receipts& promised) {
  const auto look = [&](Found otherwise) {
    const auto there = is_there(connection, statements_, witness);
    if (!there) return Found::open;
    if (!*there) return otherwise;
    keep(promised, entries);
    // Whoever was cut off behind its COMMIT has told nobody.
    const ChangeWatch::OwnCommit own(watch_);
    const auto announced = connection.query(watch_.announcement());
    watch_.committed(announced ? std::optional(announced->integer(0, 0)) : std::nullopt);
    return Found::told;
  };
  if (look(Found::never) == Found::told) return Found::told;
  if (connection.has_failed()) return Found::open;

  auto done = attempt_and_tell(connection, bracket(options_.lock_wait), entries, &witness);
  switch (done.outcome) {
    case Outcome::answered:
      return Found::told;
    case Outcome::declined:
      // We had every lock, so the attempts before have ended. Had one of them ended well, that is why.
      return look(Found::never);
    case Outcome::unknown:
      keep_common(promised, entries, *done.error);
      break;
    case Outcome::failed:
    case Outcome::cut_short:
      break;
  }
  return Found::open;
}

}  // namespace openindex::postgres
