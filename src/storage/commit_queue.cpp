#include "storage/commit_queue.hpp"

#include <algorithm>
#include <utility>

namespace openindex::storage {
namespace {

/// How many change sets share a transaction at most, unless one call brings more: a bound on everybody's wait.
constexpr std::size_t group_sets_max = 512;

bool appends_nothing(const Entry& entry) { return entry.changes->appends.empty(); }

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

void CommitQueue::Call::tell(News its_news) {
  {
    const std::lock_guard lock(mutex);
    news = its_news;
  }
  told.notify_one();
}

CommitQueue::News CommitQueue::Call::wait() {
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return news != News::none; });
  return news;
}

void CommitQueue::commit(std::span<const Entry> entries) {
  const auto mine = std::make_shared<Call>();
  mine->entries = entries;
  mine->urgent = std::all_of(entries.begin(), entries.end(), appends_nothing);
  if (enter(mine) || mine->wait() == News::lead) lead(mine);
}

bool CommitQueue::lead_at_once(const std::function<void()>& work) {
  {
    const std::lock_guard lock(mutex_);
    if (!may_lead()) return false;
  }
  const auto pass = [](CommitQueue* queue) { queue->pass_on(); };
  const std::unique_ptr<CommitQueue, decltype(pass)> lent(this, pass);
  work();
  return true;
}

/// Whether the caller is one more leader, from now on. Calls wait only while there are as many as there may be.
bool CommitQueue::may_lead() {
  if (leaders_ == leaders_max_) return false;
  ++leaders_;
  return true;
}

bool CommitQueue::enter(const CallPtr& call) {
  const std::lock_guard lock(mutex_);
  if (may_lead()) return true;
  (call->urgent ? urgent_ : waiting_).push_back(call);
  return false;
}

void CommitQueue::lead(const CallPtr& mine) {
  Lead lead(*this, take_group(mine));
  run_(lead);
  lead.pass_on();
  lead.answer();
}

CommitQueue::Group CommitQueue::take_group(const CallPtr& mine) {
  const std::lock_guard lock(mutex_);
  Group group = {mine};
  std::size_t sets = mine->entries.size();
  for (auto* calls : {&urgent_, &waiting_}) {
    while (!calls->empty() && sets + calls->front()->entries.size() <= group_sets_max) {
      sets += calls->front()->entries.size();
      group.push_back(std::move(calls->front()));
      calls->pop_front();
    }
  }
  const auto is_urgent = [](const CallPtr& call) { return call->urgent; };
  passed_over_ = !waiting_.empty() && std::all_of(group.begin(), group.end(), is_urgent);
  return group;
}

/// Urgent calls go first, but one that they left no room for leads the next group: it never waits for ever.
CommitQueue::CallPtr CommitQueue::take_next_leader() {
  const std::lock_guard lock(mutex_);
  const bool is_passed_over = std::exchange(passed_over_, false) && !waiting_.empty();
  auto& calls = urgent_.empty() || is_passed_over ? waiting_ : urgent_;
  if (calls.empty()) {
    --leaders_;
    return nullptr;
  }
  auto next = std::move(calls.front());
  calls.pop_front();
  return next;
}

void CommitQueue::pass_on() {
  if (const auto next = take_next_leader()) next->tell(News::lead);
}

std::size_t CommitQueue::count_waiting() {
  const std::lock_guard lock(mutex_);
  return urgent_.size() + waiting_.size();
}

CommitQueue::Lead::Lead(CommitQueue& queue, Group group) : queue_(queue), group_(std::move(group)) {
  for (const auto& call : group_) entries_.insert(entries_.end(), call->entries.begin(), call->entries.end());
}

void CommitQueue::Lead::pass_on() {
  if (std::exchange(leads_, false)) queue_.pass_on();
}

void CommitQueue::Lead::answer() {
  for (const auto& call : group_) call->tell(News::answered);
  group_.clear();
}

}  // namespace openindex::storage
