#include "adapters/sqlite/group_commit.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adapters/sqlite/rows.hpp"

namespace openindex::sqlite {
namespace {

/// How many change sets share a transaction at most, unless one call brings more: a bound on everybody's wait.
constexpr std::size_t group_sets_max = 512;

Result<void> expect_version(Connection& writer, const RecordId& id, std::uint64_t expected) {
  const auto found = read_version(writer, id);
  if (!found) return found.error();
  if (*found == expected) return {};
  return Error(errc::conflict)
      .with("kind", id.kind)
      .with("key", id.key)
      .with("expected", std::to_string(expected))
      .with("found", std::to_string(*found));
}

Result<void> check_expectations(Connection& writer, const ChangeSet& changes) {
  for (const auto& expectation : changes.expectations) {
    if (auto met = expect_version(writer, expectation.id, expectation.version); !met) return met;
  }
  for (const auto& append : changes.appends) {
    if (auto met = expect_version(writer, append.id, 0); !met) return met;
  }
  return {};
}

Result<CommitReceipt> apply_one(Connection& writer, const ChangeSet& changes) {
  if (auto met = check_expectations(writer, changes); !met) return met.error();
  CommitReceipt receipt;
  receipt.versions.reserve(changes.puts.size());
  for (const auto& put : changes.puts) {
    const auto version = write_record(writer, put);
    if (!version) return version.error();
    receipt.versions.push_back(*version);
  }
  for (const auto& append : changes.appends) {
    if (auto inserted = insert_record(writer, append); !inserted) return inserted.error();
  }
  for (const auto& id : changes.erases) {
    if (auto erased = erase_record(writer, id); !erased) return erased.error();
  }
  return receipt;
}

bool is_conflict(const Result<CommitReceipt>& result) { return !result && result.error().code() == errc::conflict; }

}  // namespace

std::vector<Result<CommitReceipt>> GroupCommit::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  results.reserve(changes.size());
  Call mine;
  mine.entries.reserve(changes.size());
  for (const auto& set : changes) {
    if (auto checked = check_bounds(set); !checked) {
      results.emplace_back(checked.error());
    } else {
      results.emplace_back(errc::storage_failed);       // until there is an answer
      mine.entries.push_back({&set, &results.back()});  // stays in place: reserved
    }
  }
  if (mine.entries.empty()) return results;

  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  mine.turn.wait(lock, [&] { return mine.answered || (!leading_ && waiting_.front() == &mine); });
  if (!mine.answered) lead(lock);
  return results;
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
  leading_ = true;
  const auto group = take_group();
  lock.unlock();
  run(group);
  lock.lock();
  for (auto* call : group) {
    call->answered = true;
    call->turn.notify_one();  // under the lock: the call is gone as soon as its thread has it
  }
  tidy(lock);
}

std::vector<GroupCommit::Call*> GroupCommit::take_group() {
  std::vector<Call*> group;
  std::size_t sets = 0;
  while (!waiting_.empty()) {
    sets += waiting_.front()->entries.size();
    if (!group.empty() && sets > group_sets_max) break;
    group.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return group;
}

/// Pass the lead on, before or after a checkpoint: the group has its answers, so only the leader's own call pays for
/// it.
void GroupCommit::tidy(std::unique_lock<std::mutex>& lock) {
  auto need = checkpoint_.need();
  if (need == Checkpoint::Need::soon && !waiting_.empty()) need = Checkpoint::Need::none;
  const bool due = need != Checkpoint::Need::none;
  if (due && checkpoint_.needs_writer(need)) {
    lock.unlock();
    checkpoint_.run(need);
    lock.lock();
  }
  leading_ = false;
  if (!waiting_.empty()) waiting_.front()->turn.notify_one();
  lock.unlock();
  if (due && !checkpoint_.needs_writer(need)) checkpoint_.run(need);
}

void GroupCommit::run(std::span<Call* const> group) {
  std::vector<Entry> entries;
  for (const auto* call : group) entries.insert(entries.end(), call->entries.begin(), call->entries.end());
  if (attempt(entries) == Outcome::try_each_alone) run_each_alone(entries);
  const auto landed = [](const Entry& entry) { return entry.result->has_value(); };
  if (std::any_of(entries.begin(), entries.end(), landed)) watch_.committed();
}

void GroupCommit::run_each_alone(std::span<const Entry> entries) {
  for (; !entries.empty(); entries = entries.subspan(1)) {
    attempt(entries.first(1));
    const auto& result = *entries.front().result;
    if (result || result.error().code() != errc::storage_busy) continue;
    for (const auto& entry : entries) *entry.result = result.error();  // the wait is one for all, not one for each
    return;
  }
}

/// Run one transaction. A set that fails alone is answered with its error, one that fails in company is tried again.
GroupCommit::Outcome GroupCommit::attempt(std::span<const Entry> entries) {
  auto begun = writer_.roll_back();  // a rollback that failed before would refuse every transaction from now on
  if (begun) begun = writer_.execute("BEGIN IMMEDIATE");
  if (!begun) {
    for (const auto& entry : entries) *entry.result = begun.error();
    return Outcome::answered;
  }
  const auto applied = apply(entries);
  const auto outcome = applied == Outcome::answered ? finish(entries) : applied;
  (void)writer_.roll_back();
  return outcome;
}

GroupCommit::Outcome GroupCommit::apply(std::span<const Entry> entries) {
  for (const auto& entry : entries) {
    *entry.result = apply_one(writer_, *entry.changes);
    // A conflict is found before anything of its set is written; other errors may leave half a set behind.
    if (*entry.result || is_conflict(*entry.result)) continue;
    return entries.size() > 1 ? Outcome::try_each_alone : Outcome::answered;
  }
  return Outcome::answered;
}

GroupCommit::Outcome GroupCommit::finish(std::span<const Entry> entries) {
  if (entries.size() == 1 && !*entries.front().result) return Outcome::answered;
  const auto committed = writer_.execute("COMMIT");
  if (committed) return Outcome::answered;

  // Without room, or without the lock, the mark that ends a transaction was not written. After anything else it may
  // have reached the file, and a recovery after a crash would honour it.
  const auto code = committed.error().code();
  const bool certain = code == errc::storage_full || code == errc::storage_busy;
  if (certain && entries.size() > 1) return Outcome::try_each_alone;
  auto error = certain ? committed.error() : Error(errc::commit_unknown).caused_by(committed.error());
  for (const auto& entry : entries) {
    if (*entry.result) *entry.result = error.with("commit", entry.changes->id.str());
  }
  return Outcome::answered;
}

}  // namespace openindex::sqlite
