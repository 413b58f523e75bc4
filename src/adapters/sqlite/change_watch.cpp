#include "adapters/sqlite/change_watch.hpp"

#include <algorithm>

namespace openindex::sqlite {
namespace {

/// How often to look for commits of other processes, while somebody waits.
constexpr Duration look_period{250};

Result<std::int64_t> read_data_version(Connection& connection) {
  const auto statement = connection.prepare("PRAGMA data_version");
  if (!statement) return statement.error();
  Query query(**statement);
  const auto row = query.next();
  if (!row) return row.error();
  return query.integer(0);
}

}  // namespace

void ChangeWatch::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ++sequence_;
    if (waiting_ == 0) return;
  }
  changed_.notify_all();
}

/// SQLite counts the commits of all other connections; commits of our own writer are among them.
Result<void> ChangeWatch::look() {
  const std::lock_guard lock(looking_);
  const auto found = read_data_version(*own_);
  if (!found && found.error().code() == errc::storage_busy) return {};  // no news; the next look tells
  if (!found) return found.error();
  if (*found != data_version_) wake();
  data_version_ = *found;
  return {};
}

/// One of those who wait looks for other processes; the rest sleep until something changes or the looker leaves.
Result<void> ChangeWatch::sleep(std::unique_lock<std::mutex>& lock, std::uint64_t seen, SteadyTime until) {
  const auto changed = [&] { return sequence_ != seen; };
  if (somebody_looks_) {
    changed_.wait_until(lock, until, [&] { return changed() || !somebody_looks_; });
    return {};
  }
  somebody_looks_ = true;
  Result<void> looked;
  if (!changed_.wait_until(lock, std::min(until, std::chrono::steady_clock::now() + look_period), changed)) {
    lock.unlock();
    looked = look();
    lock.lock();
  }
  somebody_looks_ = false;
  return looked;
}

Result<Changed> ChangeWatch::wait(const WaitRequest& request) {
  constexpr Duration longest = std::chrono::hours(1);  // a longer sum would overflow the clock
  const auto until = std::chrono::steady_clock::now() + std::clamp(request.timeout, Duration::zero(), longest);
  auto looked = look();
  std::unique_lock lock(mutex_);
  ++waiting_;
  while (looked && sequence_ == request.seen && std::chrono::steady_clock::now() < until) {
    looked = sleep(lock, request.seen, until);
  }
  --waiting_;
  if (!somebody_looks_) changed_.notify_one();  // another one must look from now on
  const bool has_news = sequence_ != request.seen;
  lock.unlock();

  // Whoever gets an answer reads the storage next. So take note of what was committed up to here, lest the next wait
  // takes our own commit for somebody else's.
  if (looked && has_news) looked = look();
  if (!looked) return looked.error();
  lock.lock();
  return Changed{sequence_};
}

}  // namespace openindex::sqlite
