#include "adapters/sqlite/read_pool.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace openindex::sqlite {
namespace {

Result<std::unique_ptr<Connection>> open_reader(const SqliteOptions& options) {
  auto connection = Connection::open_another(options);
  if (!connection) return connection;
  if (auto set = (*connection)->set_pragma("query_only", "ON", "1"); !set) return set.error();
  return connection;
}

}  // namespace

ReadPool::ReadPool(const SqliteOptions& options)
    : options_(options), lent_max_(std::clamp(std::thread::hardware_concurrency(), 4U, 16U)) {
  idle_.reserve(lent_max_);
}

Result<ReadPool::Lease> ReadPool::take() {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !paused_ && lent_ < lent_max_; });
    ++lent_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) {
    auto opened = open_reader(options_);
    if (!opened) {
      give_back(nullptr);
      return opened.error();
    }
    connection = std::move(*opened);
  }
  return Lease(connection.release(), GiveBack{this});
}

void ReadPool::give_back(Connection* connection) noexcept {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection != nullptr) idle_.emplace_back(connection);  // reserved for: cannot throw
  }
  changed_.notify_all();
}

ReadPool::Pause::Pause(ReadPool& pool, std::chrono::milliseconds wait) : pool_(pool) {
  std::unique_lock lock(pool_.mutex_);
  pool_.changed_.wait(lock, [&] { return !pool_.paused_; });
  pool_.paused_ = true;
  holds_ = pool_.changed_.wait_for(lock, wait, [&] { return pool_.lent_ == 0; });
  if (holds_) return;
  pool_.paused_ = false;
  lock.unlock();
  pool_.changed_.notify_all();
}

ReadPool::Pause::~Pause() {
  if (!holds_) return;
  {
    const std::lock_guard lock(pool_.mutex_);
    pool_.paused_ = false;
  }
  pool_.changed_.notify_all();
}

}  // namespace openindex::sqlite
