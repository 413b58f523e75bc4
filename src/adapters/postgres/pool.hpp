// The connections: opened when needed, lent to one caller at a time, never more than a bound.
//
// A server that cannot be reached is tried again after a pause that grows, by one caller at a time; the others wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>

#include "adapters/postgres/connection.hpp"

namespace openindex::postgres {

class Pool {
 public:
  Pool(const PostgresOptions& options, std::vector<const Statement*> prepared);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  struct GiveBack {
    Pool* pool;
    void operator()(Connection* connection) const noexcept { pool->give_back(connection); }
  };
  using Lease = std::unique_ptr<Connection, GiveBack>;

  /// Borrow a connection; waits at most `connection_wait` for one. @par Errors storage_busy (all are lent, or the
  /// server takes no more), and as Connection::open
  Result<Lease> take();

  /// Close those that are not lent: the server behind them is the wrong one, or has gone.
  void drop_idle() noexcept;

  /// How long a call waits for the server.
  [[nodiscard]] Duration wait() const { return wait_; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void give_back(Connection* connection) noexcept;
  bool has_room() const;
  std::unique_ptr<Connection> take_idle();
  Result<std::unique_ptr<Connection>> connect(std::unique_lock<std::mutex>& lock);
  Error give_up() const;

  const std::string conninfo_;
  const std::vector<const Statement*> prepared_;
  const std::size_t connections_max_;
  const Duration wait_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t lent_ = 0;
  std::size_t waiting_ = 0;       ///< Callers whom the next idle ones belong to.
  std::optional<Error> refusal_;  ///< Why the last attempt to connect failed.
  SteadyTime next_attempt_{};     ///< Not before.
  Duration pause_{};
};

/// Whether to go on when a connection is lost: a server that ends takes them one after the other, so for as long as a
/// call waits for it anyway.
class Losses {
 public:
  explicit Losses(const Pool& pool) : until_(std::chrono::steady_clock::now() + pool.wait()) {}

  /// Note one more.
  bool allow_another() { return ++count_ <= always_allowed || std::chrono::steady_clock::now() < until_; }

 private:
  static constexpr int always_allowed = 2;

  std::chrono::steady_clock::time_point until_;
  int count_ = 0;
};

/// Do on a connection what can be done twice; on another one when the connection turns out to have been lost.
template <class Work>
auto repeat_on(Pool& pool, Work work) -> decltype(work(std::declval<Connection&>())) {
  for (Losses losses(pool);;) {
    auto connection = pool.take();
    if (!connection) return connection.error();
    auto answer = work(**connection);
    if (answer || !(*connection)->has_failed()) return answer;
    connection->reset();
    pool.drop_idle();
    if (!losses.allow_another()) return answer;
  }
}

}  // namespace openindex::postgres
