#include "adapters/sqlite/group_commit.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adapters/sqlite/changes.hpp"

namespace openindex::sqlite {
namespace {

bool is_conflict(const Result<CommitReceipt>& result) { return !result && result.error().code() == errc::conflict; }

}  // namespace

GroupCommit::GroupCommit(Connection& writer, Checkpoint& checkpoint, ChangeWatch& watch)
    : writer_(writer),
      checkpoint_(checkpoint),
      watch_(watch),
      turn_(writer.log()),
      queue_([this](Lead& lead) { run(lead); }, 1) {}

std::vector<Result<CommitReceipt>> GroupCommit::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  const auto entries = storage::entries_of(changes, results);
  if (!entries.empty()) queue_.commit(entries);
  return results;
}

bool GroupCommit::read_at_once(const std::function<void(Connection&)>& read) {
  return queue_.lead_at_once([&] { read(writer_); });
}

void GroupCommit::written_by_others(int pages) {
  checkpoint_.add(pages);
  if (checkpoint_.choose(false) != Checkpoint::Task::none) queue_.commit({});  // whoever leads looks after the log
}

void GroupCommit::run(Lead& lead) {
  const bool commits_wait = lead.entries().size() > 1 || lead.waiting_count() > 0;
  const bool is_due = checkpoint_.before_commit(commits_wait);
  if (!lead.entries().empty()) write(lead.entries());
  if (is_due) look_after_log(lead);
}

/// Behind the answers, so that of those whose commits have landed only the leader itself waits.
void GroupCommit::look_after_log(Lead& lead) {
  const auto task = checkpoint_.choose(lead.waiting_count() > 0);
  lead.answer();
  const auto lock = [&](bool urgent) { return begin(urgent).has_value(); };
  if (task != Checkpoint::Task::none) checkpoint_.run(task, lock);
  checkpoint_.after_commit();
}

void GroupCommit::write(std::span<const Entry> entries) {
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
  if (begun) begun = begin(true);
  if (!begun) {
    for (const auto& entry : entries) *entry.result = begun.error();
    return Outcome::answered;
  }
  const auto applied = apply(entries);
  const auto outcome = applied == Outcome::answered ? finish(entries) : applied;
  (void)writer_.roll_back();
  return outcome;
}

/// Whoever does not get its turn does not wait for the lock as well.
Result<void> GroupCommit::begin(bool waits) {
  const bool has_turn = turn_.take(waits ? writer_.busy_timeout() : Duration(0));
  if (!has_turn && !waits) return Error(errc::storage_busy);
  writer_.wait_when_busy(has_turn && waits);
  auto begun = writer_.begin_immediate();
  writer_.wait_when_busy(true);
  turn_.give_back();
  return begun;
}

GroupCommit::Outcome GroupCommit::apply(std::span<const Entry> entries) {
  for (const auto& entry : entries) {
    *entry.result = apply_changes(writer_, *entry.changes);
    // A conflict is found before anything of its set is written; other errors may leave half a set behind.
    if (*entry.result || is_conflict(*entry.result)) continue;
    return entries.size() > 1 ? Outcome::try_each_alone : Outcome::answered;
  }
  return Outcome::answered;
}

GroupCommit::Outcome GroupCommit::finish(std::span<const Entry> entries) {
  if (entries.size() == 1 && !*entries.front().result) return Outcome::answered;
  const auto committed = writer_.commit();
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
