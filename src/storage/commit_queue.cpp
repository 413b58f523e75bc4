#include "storage/commit_queue.hpp"

namespace openindex::storage {
namespace {

/// How many change sets share a transaction at most, unless one call brings more: a bound on everybody's wait.
constexpr std::size_t group_sets_max = 512;

}  // namespace

std::vector<Entry> entries_of(std::span<const ChangeSet> changes, std::vector<Result<CommitReceipt>>& results) {
  std::vector<Entry> entries;
  entries.reserve(changes.size());
  results.reserve(changes.size());
  for (const auto& set : changes) {
    if (auto checked = check_bounds(set); !checked) {
      results.emplace_back(checked.error());
    } else {
      results.emplace_back(errc::storage_failed);  // until there is an answer
      entries.push_back({&set, &results.back()});  // stays in place: reserved
    }
  }
  return entries;
}

void CommitQueue::commit(std::span<const Entry> entries) {
  Call mine;
  mine.entries = entries;
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  mine.turn.wait(lock, [&] { return mine.answered || (leaders_ < leaders_max_ && waiting_.front() == &mine); });
  if (!mine.answered) lead(lock);
}

void CommitQueue::lead(std::unique_lock<std::mutex>& lock) {
  ++leaders_;
  const auto group = take_group();
  pass_on();
  std::vector<Entry> entries;
  for (const auto* call : group) entries.insert(entries.end(), call->entries.begin(), call->entries.end());
  lock.unlock();
  run_(entries);
  lock.lock();
  for (auto* call : group) {
    call->answered = true;
    call->turn.notify_one();  // under the lock: the call is gone as soon as its thread has it
  }
  --leaders_;
  pass_on();
}

std::vector<CommitQueue::Call*> CommitQueue::take_group() {
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

void CommitQueue::pass_on() {
  if (leaders_ < leaders_max_ && !waiting_.empty()) waiting_.front()->turn.notify_one();
}

}  // namespace openindex::storage
