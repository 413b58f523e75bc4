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
    free_.wait(lock, [&] { return !paused_ && lent_ < lent_max_; });
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
  bool quiet = false;
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection != nullptr) idle_.emplace_back(connection);  // reserved for: cannot throw
    quiet = paused_ && lent_ == 0;
  }
  quiet ? quiet_.notify_all() : free_.notify_one();
}

ReadPool::Pause::Pause(ReadPool& pool, std::chrono::milliseconds wait) : pool_(pool) {
  std::unique_lock lock(pool_.mutex_);
  pool_.quiet_.wait(lock, [&] { return !pool_.paused_; });
  pool_.paused_ = true;
  holds_ = pool_.quiet_.wait_for(lock, wait, [&] { return pool_.lent_ == 0; });
  lock.unlock();
  if (!holds_) pool_.go_on();
}

ReadPool::Pause::~Pause() {
  if (holds_) pool_.go_on();
}

void ReadPool::go_on() noexcept {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
  }
  free_.notify_all();
  quiet_.notify_all();
}

}  // namespace openindex::sqlite
