// The connections that read: opened when needed, lent one reader at a time, never waiting for a writer.
#pragma once

#include <array>
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
    std::size_t generation;
    void operator()(Connection* connection) const noexcept { pool->give_back(connection, generation); }
  };
  using Lease = std::unique_ptr<Connection, GiveBack>;

  /// Borrow a connection; waits while all of them are lent. @par Errors as SqliteStorage::open
  Result<Lease> take();

  /// Wait so long for those who read now, while others may begin to; false when some of them still read. Nobody is
  /// waited for twice: while there are any who were waited for in vain, the answer is false at once. One thread at a
  /// time.
  bool wait_for_earlier(std::chrono::microseconds longest);

  /// While it lives, no connection is lent. The last resort against readers of which there always are some. One thread
  /// at a time, which does not wait for earlier ones meanwhile.
  class Pause {
   public:
    /// Return when nobody reads any more, or after so long.
    Pause(ReadPool& pool, std::chrono::microseconds longest);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    ReadPool& pool_;
  };

 private:
  void give_back(Connection* connection, std::size_t generation) noexcept;

  const SqliteOptions options_;
  const std::size_t lent_max_;
  std::mutex mutex_;
  std::condition_variable free_;   ///< A connection can be lent.
  std::condition_variable quiet_;  ///< Of one generation none is lent any more.
  std::vector<std::unique_ptr<Connection>> idle_;
  std::array<std::size_t, 2> lent_{};  ///< In this generation of leases, and in the other one, which is earlier.
  std::size_t generation_ = 0;
  bool paused_ = false;
};

}  // namespace openindex::sqlite
