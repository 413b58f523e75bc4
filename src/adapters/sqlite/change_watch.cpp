#include "adapters/sqlite/change_watch.hpp"

#include <algorithm>
#include <utility>

namespace openindex::sqlite {
namespace {

Result<std::int64_t> read_data_version(Connection& connection) {
  const auto statement = connection.prepare("PRAGMA data_version");
  if (!statement) return statement.error();
  Query query(**statement);
  const auto row = query.next();
  if (!row) return row.error();
  return query.integer(0);
}

}  // namespace

ChangeWatch::ChangeWatch(std::unique_ptr<Connection> own, LookPeriods periods)
    : own_(std::move(own)), bell_(own_->log(), periods) {}

void ChangeWatch::committed() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ > 0) bell_.poke();
  }
  bell_.ring();
}

void ChangeWatch::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ++sequence_;
    if (waiting_ > 0) bell_.poke();
  }
  changed_.notify_all();
  bell_.ring();
}

/// SQLite counts the commits of all other connections; our own writer's are among them.
Result<void> ChangeWatch::look() {
  const std::lock_guard looking(looking_);
  const auto found = read_data_version(*own_);
  const bool cannot_tell = !found && found.error().code() == errc::storage_busy;
  if (!found && !cannot_tell) return found.error();
  if (found && *found == data_version_) return {};
  if (found) data_version_ = *found;
  {
    const std::lock_guard lock(mutex_);
    ++sequence_;
  }
  changed_.notify_all();
  return {};
}

/// One of those who wait listens and looks; the rest sleep until something changes or that one leaves.
Result<void> ChangeWatch::sleep(std::unique_lock<std::mutex>& lock, std::uint64_t seen, SteadyTime until) {
  if (somebody_looks_) {
    changed_.wait_until(lock, until, [&] { return sequence_ != seen || !somebody_looks_; });
    return {};
  }
  somebody_looks_ = true;
  lock.unlock();
  bell_.sleep(until);
  auto looked = look();
  lock.lock();
  somebody_looks_ = false;
  return looked;
}

Result<void> ChangeWatch::wait_for_news(std::unique_lock<std::mutex>& lock, std::uint64_t seen, SteadyTime until) {
  if (waiting_++ == 0) bell_.listen();
  lock.unlock();
  auto looked = look();  // at what was committed before we listened
  lock.lock();
  while (looked && sequence_ == seen && std::chrono::steady_clock::now() < until) {
    looked = sleep(lock, seen, until);
  }
  if (--waiting_ == 0) {
    bell_.stop();
  } else if (!somebody_looks_) {
    changed_.notify_one();  // another one must look from now on
  }
  return looked;
}

Result<Changed> ChangeWatch::wait(const WaitRequest& request) {
  constexpr Duration longest = std::chrono::hours(1);  // a longer sum would overflow the clock
  const auto until = std::chrono::steady_clock::now() + std::clamp(request.timeout, Duration::zero(), longest);
  if (auto looked = look(); !looked) return looked.error();
  std::unique_lock lock(mutex_);
  if (sequence_ == request.seen && request.timeout > Duration::zero()) {
    if (auto waited = wait_for_news(lock, request.seen, until); !waited) return waited.error();
  }
  return Changed{sequence_};
}

}  // namespace openindex::sqlite
