// Waking those who wait for a commit, of this process or another.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/log_bell.hpp"

namespace openindex::sqlite {

class ChangeWatch {
 public:
  /// `own` is a connection that nobody else uses and that commits nothing.
  explicit ChangeWatch(std::unique_ptr<Connection> own, LookPeriods periods = {});

  /// Something was committed here: wake everybody, in other processes, too.
  void committed() noexcept;

  /// Wake everybody who waits here, and let others look: a host may have committed on a connection of its own.
  void wake() noexcept;

  /// @par Errors as Storage::wait_for_change
  Result<Changed> wait(const WaitRequest& request);

 private:
  using SteadyTime = LogBell::SteadyTime;

  Result<void> look();
  Result<void> sleep(std::unique_lock<std::mutex>& lock, std::uint64_t seen, SteadyTime until);
  Result<void> wait_for_news(std::unique_lock<std::mutex>& lock, std::uint64_t seen, SteadyTime until);

  std::mutex looking_;  ///< Guards the connection and what it saw last.
  std::unique_ptr<Connection> own_;
  std::int64_t data_version_ = 0;

  std::mutex mutex_;
  LogBell bell_;  ///< Listens while somebody waits.
  std::condition_variable changed_;
  std::uint64_t sequence_ = 1;
  std::size_t waiting_ = 0;
  bool somebody_looks_ = false;
};

}  // namespace openindex::sqlite
