#include "adapters/postgres/pool.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adapters/postgres/failure.hpp"

namespace openindex::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Duration first_pause{10};
constexpr Duration longest_pause{500};
constexpr Duration longest_wait = std::chrono::hours(1);

}  // namespace

Pool::Pool(const PostgresOptions& options, std::vector<const Statement*> prepared)
    : conninfo_(options.conninfo),
      prepared_(std::move(prepared)),
      connections_max_(options.connections_max),
      wait_(std::clamp(options.connection_wait, Duration::zero(), longest_wait)) {
  idle_.reserve(connections_max_);
}

Result<Pool::Lease> Pool::take() {
  const auto until = SteadyClock::now() + wait_;
  std::unique_lock lock(mutex_);
  for (bool has_waited = false;; has_waited = true) {
    auto idle = has_waited || idle_.size() > waiting_ ? take_idle() : nullptr;
    if (idle) {
      ++lent_;
      return Lease(idle.release(), GiveBack{this});
    }
    const auto now = SteadyClock::now();
    if (has_room() && now >= next_attempt_) {
      auto connected = connect(lock);
      if (connected) return Lease(connected->release(), GiveBack{this});
      if (!may_pass(connected.error())) return connected.error();
    }
    if (SteadyClock::now() >= until) return give_up();
    ++waiting_;
    changed_.wait_until(lock, has_room() ? std::min(until, next_attempt_) : until);
    --waiting_;
  }
}

bool Pool::has_room() const { return lent_ + idle_.size() < connections_max_; }

std::unique_ptr<Connection> Pool::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->is_lost()) return connection;
  }
  return nullptr;
}

/// While one caller tries, the others wait for the outcome instead of besieging the server.
Result<std::unique_ptr<Connection>> Pool::connect(std::unique_lock<std::mutex>& lock) {
  ++lent_;
  if (refusal_) next_attempt_ = SteadyTime::max();
  lock.unlock();
  auto connected = Connection::open({conninfo_, prepared_});
  lock.lock();
  if (connected) {
    refusal_.reset();
    pause_ = Duration::zero();
    next_attempt_ = SteadyTime{};
  } else {
    --lent_;
    refusal_ = connected.error();
    pause_ = std::clamp(2 * pause_, first_pause, longest_pause);
    next_attempt_ = SteadyClock::now() + pause_;
  }
  changed_.notify_all();
  return connected;
}

Error Pool::give_up() const {
  if (refusal_) return *refusal_;
  return Error(errc::storage_busy, "Every connection to the database is in use.")
      .with("connections_max", std::to_string(connections_max_));
}

void Pool::drop_idle() noexcept {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

void Pool::give_back(Connection* connection) noexcept {
  std::unique_ptr<Connection> returned(connection);
  const bool usable = !returned->has_failed() && PQtransactionStatus(returned->raw()) == PQTRANS_IDLE;
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (usable) idle_.push_back(std::move(returned));  // reserved for: cannot throw
  }
  changed_.notify_one();
}

}  // namespace openindex::postgres
