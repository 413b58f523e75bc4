#include "adapters/postgres/group_read.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace openindex::postgres {
namespace {

/// Questions that are on their way at once: with two of them, half as many callers share one.
constexpr std::size_t readers_max = 1;

/// How many records one question names at most, and one call that is asked together with others.
constexpr std::size_t question_records_max = 512;
constexpr std::size_t shared_records_max = 8;

}  // namespace

void GroupRead::Call::tell(News its_news) {
  {
    const std::lock_guard lock(mutex);
    news = its_news;
  }
  told.notify_one();
}

GroupRead::Call::News GroupRead::Call::wait() {
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return news != News::none; });
  return news;
}

Result<GroupRead::Records> GroupRead::read(std::span<const RecordId> ids) {
  if (ids.size() > shared_records_max) return ask(ids);
  const auto mine = std::make_shared<Call>();
  mine->ids = ids;
  bool leads = false;
  {
    const std::lock_guard lock(mutex_);
    leads = readers_ < readers_max;
    if (leads) {
      ++readers_;
    } else {
      waiting_.push_back(mine);
    }
  }
  if (leads || mine->wait() == Call::News::lead) lead(mine);
  return std::move(*mine->answer);
}

/// One statement, and so one moment without a transaction.
Result<GroupRead::Records> GroupRead::ask(std::span<const RecordId> ids) {
  const auto names = names_in_domain(ids);
  return repeat_on(pool_, [&](Connection& connection) -> Result<Records> {
    const auto rows = connection.query({&statements_.read_bodies, *names});
    if (!rows) return rows.error();
    Records records(ids.size());
    take_bodies(*rows, ids, records);
    return records;
  });
}

/// Who waits for records of the same domain, as far as there is room for them in one question.
std::vector<GroupRead::CallPtr> GroupRead::take_group(const CallPtr& mine) {
  std::vector<CallPtr> group = {mine};
  std::size_t records = mine->ids.size();
  const auto domain = domain_of(mine->ids.front().key);
  const std::lock_guard lock(mutex_);
  std::deque<CallPtr> left;
  for (CallPtr& call : waiting_) {
    const bool fits = records + call->ids.size() <= question_records_max;
    if (fits && domain_of(call->ids.front().key) == domain) {
      records += call->ids.size();
      group.push_back(std::move(call));
    } else {
      left.push_back(std::move(call));
    }
  }
  waiting_ = std::move(left);
  return group;
}

void GroupRead::lead(const CallPtr& mine) {
  const auto group = take_group(mine);
  std::vector<RecordId> ids;
  for (const CallPtr& call : group) ids.insert(ids.end(), call->ids.begin(), call->ids.end());
  auto answer = ask(ids);
  pass_on();
  auto at = answer ? std::make_move_iterator(answer->begin()) : std::make_move_iterator(Records::iterator());
  for (const CallPtr& call : group) {
    if (answer) {
      const auto end = at + static_cast<std::ptrdiff_t>(call->ids.size());
      call->answer.emplace(Records(at, end));
      at = end;
    } else {
      call->answer.emplace(answer.error());
    }
    if (call != mine) call->tell(Call::News::answered);
  }
}

/// Let the caller that has waited longest ask next.
void GroupRead::pass_on() {
  CallPtr next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      --readers_;
    } else {
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
  }
  if (next) next->tell(Call::News::lead);
}

}  // namespace openindex::postgres
