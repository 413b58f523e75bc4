// The connections that read: opened when needed, lent one reader at a time, never waiting for a writer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "adapters/sqlite/connection.hpp"

namespace openindex::sqlite {

class ReadPool {
 public:
  explicit ReadPool(const SqliteOptions& options);
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  struct GiveBack {
    ReadPool* pool;
    void operator()(Connection* connection) const noexcept { pool->give_back(connection); }
  };
  using Lease = std::unique_ptr<Connection, GiveBack>;

  /// Borrow a connection; waits while all of them are lent. @par Errors as SqliteStorage::open
  Result<Lease> take();

  /// While it holds, no connection is lent. A log can start over only when nobody reads from it.
  class Pause {
   public:
    /// Wait this long for those who read; then it does not hold, and nobody is kept from reading.
    Pause(ReadPool& pool, std::chrono::milliseconds wait);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

    [[nodiscard]] bool holds() const noexcept { return holds_; }

   private:
    ReadPool& pool_;
    bool holds_ = false;
  };

 private:
  void give_back(Connection* connection) noexcept;
  void go_on() noexcept;

  const SqliteOptions options_;
  const std::size_t lent_max_;
  std::mutex mutex_;
  std::condition_variable free_;   ///< A connection can be lent.
  std::condition_variable quiet_;  ///< None is lent, or a pause has ended.
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t lent_ = 0;
  bool paused_ = false;
};

}  // namespace openindex::sqlite
