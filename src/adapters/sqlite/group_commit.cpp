#include "adapters/sqlite/group_commit.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adapters/sqlite/changes.hpp"

namespace openindex::sqlite {
namespace {

/// How many change sets share a transaction at most, unless one call brings more: a bound on everybody's wait.
constexpr std::size_t group_sets_max = 512;

bool appends_nothing(const ChangeSet& changes) { return changes.appends.empty(); }

bool is_conflict(const Result<CommitReceipt>& result) { return !result && result.error().code() == errc::conflict; }

}  // namespace

GroupCommit::GroupCommit(Connection& writer, Checkpoint& checkpoint, ChangeWatch& watch)
    : writer_(writer), checkpoint_(checkpoint), watch_(watch), turn_(writer.log()) {}

void GroupCommit::Call::tell(News its_news) {
  {
    const std::lock_guard lock(mutex);
    news = its_news;
  }
  told.notify_one();
}

GroupCommit::News GroupCommit::Call::wait() {
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return news != News::none; });
  return std::exchange(news, News::none);
}

std::vector<Result<CommitReceipt>> GroupCommit::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  results.reserve(changes.size());
  const auto mine = std::make_shared<Call>();
  mine->entries.reserve(changes.size());
  for (const auto& set : changes) {
    if (auto checked = check_bounds(set); !checked) {
      results.emplace_back(checked.error());
    } else {
      results.emplace_back(errc::storage_failed);        // until there is an answer
      mine->entries.push_back({&set, &results.back()});  // stays in place: reserved
    }
  }
  if (!mine->entries.empty()) take_part(mine);
  return results;
}

void GroupCommit::take_part(const CallPtr& mine) {
  for (auto news = enter(mine) ? News::lead : mine->wait(); news == News::lead; news = mine->wait()) lead();
}

bool GroupCommit::read_at_once(const std::function<void(Connection&)>& read) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(leading_, true)) return false;
  }
  const auto pass = [](GroupCommit* lender) { lender->pass_on(); };
  const std::unique_ptr<GroupCommit, decltype(pass)> lent(this, pass);
  read(writer_);
  return true;
}

/// A call without changes: whoever leads looks after the log behind it.
void GroupCommit::written_by_others(int pages) {
  checkpoint_.add(pages);
  if (checkpoint_.need() != Checkpoint::Need::none) take_part(std::make_shared<Call>());
}

/// Tell whether the caller leads, because nobody else does.
bool GroupCommit::enter(const CallPtr& call) {
  const bool urgent = std::all_of(call->entries.begin(), call->entries.end(),
                                  [](const Entry& entry) { return appends_nothing(*entry.changes); });
  const std::lock_guard lock(mutex_);
  (urgent ? urgent_ : waiting_).push_back(call);
  return !std::exchange(leading_, true);
}

/// The leader's own call is among those it takes along, unless others fill the group: then it leads again.
void GroupCommit::lead() {
  const auto group = take_group();
  run(group);
  tidy(group);
}

/// Urgent calls go first, but a large one that did not fit beside them begins the next group: it never waits for ever.
GroupCommit::Group GroupCommit::take_group() {
  const std::lock_guard lock(mutex_);
  Group group;
  std::size_t sets = 0;
  const bool waited = std::exchange(passed_over_, false);
  for (auto* calls : {waited ? &waiting_ : &urgent_, waited ? &urgent_ : &waiting_}) {
    for (bool first = true; !calls->empty(); first = false) {
      sets += calls->front()->entries.size();
      if (!group.empty() && sets > group_sets_max) {
        passed_over_ = !waited && !waiting_.empty() && (calls == &urgent_ || first);
        return group;
      }
      group.push_back(std::move(calls->front()));
      calls->pop_front();
    }
  }
  return group;
}

/// Let the next caller lead; nobody, when none waits.
void GroupCommit::pass_on() {
  CallPtr next;
  {
    const std::lock_guard lock(mutex_);
    const auto& calls = urgent_.empty() ? waiting_ : urgent_;
    leading_ = !calls.empty();
    if (leading_) next = calls.front();
  }
  if (next) next->tell(News::lead);
}

bool GroupCommit::somebody_waits() {
  const std::lock_guard lock(mutex_);
  return !urgent_.empty() || !waiting_.empty();
}

/// Pass the lead on and answer the group. A checkpoint comes after the answers, so that only the leader's own call pays
/// for it, and before the lead is passed on if it needs the writer connection.
void GroupCommit::tidy(const Group& group) {
  auto need = checkpoint_.need();
  if (need == Checkpoint::Need::soon && somebody_waits()) need = Checkpoint::Need::none;
  const bool due = need != Checkpoint::Need::none;
  const bool keeps_lead = due && checkpoint_.needs_writer(need);
  if (!keeps_lead) pass_on();
  for (const auto& call : group) call->tell(News::answered);
  if (due) checkpoint_.run(need);
  if (keeps_lead) pass_on();
}

void GroupCommit::run(const Group& group) {
  std::vector<Entry> entries;
  for (const auto& call : group) entries.insert(entries.end(), call->entries.begin(), call->entries.end());
  if (entries.empty()) return;
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
  if (begun) begun = begin();
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
Result<void> GroupCommit::begin() {
  writer_.wait_when_busy(turn_.take(writer_.busy_timeout()));
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
