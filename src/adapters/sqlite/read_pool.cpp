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
  std::size_t generation = 0;
  {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [&] { return !paused_ && lent_[0] + lent_[1] < lent_max_; });
    generation = generation_;
    ++lent_[generation];
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) {
    auto opened = open_reader(options_);
    if (!opened) {
      give_back(nullptr, generation);
      return opened.error();
    }
    connection = std::move(*opened);
  }
  return Lease(connection.release(), GiveBack{this, generation});
}

void ReadPool::give_back(Connection* connection, std::size_t generation) noexcept {
  bool quiet = false;
  {
    const std::lock_guard lock(mutex_);
    quiet = --lent_[generation] == 0;
    if (connection != nullptr) idle_.emplace_back(connection);  // reserved for: cannot throw
  }
  free_.notify_one();
  if (quiet) quiet_.notify_one();
}

bool ReadPool::wait_for_earlier(std::chrono::microseconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  std::unique_lock lock(mutex_);
  const auto& earlier = lent_[generation_];
  if (lent_[1 - generation_] > 0) return false;
  generation_ = 1 - generation_;
  return quiet_.wait_until(lock, until, [&] { return earlier == 0; });
}

ReadPool::Pause::Pause(ReadPool& pool, std::chrono::microseconds longest) : pool_(pool) {
  const auto until = std::chrono::steady_clock::now() + longest;
  std::unique_lock lock(pool_.mutex_);
  pool_.paused_ = true;
  pool_.quiet_.wait_until(lock, until, [&] { return pool_.lent_[0] + pool_.lent_[1] == 0; });
}

ReadPool::Pause::~Pause() {
  {
    const std::lock_guard lock(pool_.mutex_);
    pool_.paused_ = false;
  }
  pool_.free_.notify_all();
}

}  // namespace openindex::sqlite
