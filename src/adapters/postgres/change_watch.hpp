// Waking those who wait for a commit, of this process or another.
//
// A sequence in the schema counts commits: every process adds to it behind its commits, so that who listens to nothing
// sees by it that there is news. NOTIFY comes sooner. Both are hints. The thread exists from the first wait on; it
// sleeps for good while nobody waits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/rows.hpp"

namespace openindex::postgres {

class ChangeWatch {
 public:
  /// All of them must outlive this.
  ChangeWatch(const PostgresOptions& options, const Statements& statements, Pool& pool);
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  /// Take note of where the count stands: changes from here on are news. @par Errors as Pool::take
  Result<void> begin();

  /// Wake everybody here.
  void wake() noexcept;

  /// What to send behind a commit, to tell other processes.
  [[nodiscard]] Command announcement() const;

  /// While one of these lives, a commit that was counted may be ours, of which `committed` is about to tell.
  class OwnCommit {
   public:
    explicit OwnCommit(ChangeWatch& watch) noexcept;
    ~OwnCommit();
    OwnCommit(const OwnCommit&) = delete;
    OwnCommit& operator=(const OwnCommit&) = delete;

   private:
    ChangeWatch& watch_;
  };

  /// A commit of ours was announced: it is no news to us. `counted` is what the announcement answered, if it did.
  void committed(std::optional<std::int64_t> counted) noexcept;

  /// @par Errors storage_failed (no thread can be started)
  Result<Changed> wait(const WaitRequest& request);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  enum class Seen { clear, doubtful };

  Result<void> start();
  void run();
  void sleep(Connection* listener, int timeout_ms);
  std::unique_ptr<Connection> connect();
  void hear(Connection& listener);
  Seen look(Connection* listener);
  Seen judge(std::int64_t counted, std::int64_t known_before);
  bool is_stopping();
  bool somebody_waits();

  const PostgresOptions& options_;
  const Statements& statements_;
  Pool& pool_;
  const std::string own_name_;  ///< What our notifications say, to be known again.
  const Statement listen_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t sequence_ = 1;
  std::size_t waiting_ = 0;
  bool rests_ = false;  ///< The thread sleeps until it is called.
  bool stopping_ = false;
  std::int64_t known_ = 0;     ///< Commits that were counted and are no news.
  std::int64_t own_ = 0;       ///< Commits of ours under way.
  int doubtful_in_a_row_ = 0;  ///< Looks that ended so.

  int call_[2] = {-1, -1};  ///< A pipe that calls the thread.
  std::thread thread_;
};

}  // namespace openindex::postgres
