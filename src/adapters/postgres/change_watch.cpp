#include "adapters/postgres/change_watch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include <openindex/core/random.hpp>

#include "adapters/postgres/schema.hpp"

namespace openindex::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// How often to look at the count while somebody waits: without a connection that listens, and beside one.
constexpr int look_ms = 250;
constexpr int look_beside_ms = 2'000;
constexpr int rest_ms = -1;

/// Looks after which a count that a commit of ours under way explains is taken for news all the same: that commit may
/// wait for a lock, and the count be another's.
constexpr int doubtful_max = 4;

/// How long to go on listening when nobody waits any more, and how long not to try again after a failure.
constexpr Duration linger = std::chrono::seconds(10);
constexpr Duration retry = std::chrono::seconds(1);

}  // namespace

ChangeWatch::ChangeWatch(const PostgresOptions& options, const Statements& statements, Pool& pool)
    : options_(options),
      statements_(statements),
      pool_(pool),
      own_name_(mint_id(system_random(), "watch")),
      listen_{"LISTEN " + quoted(options.schema), {}, {}} {}

ChangeWatch::~ChangeWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    (void)!::write(call_[1], "x", 1);
    thread_.join();
  }
  for (const int end : call_) {
    if (end >= 0) close(end);
  }
}

Result<void> ChangeWatch::begin() {
  const auto rows = repeat_on(pool_, [&](Connection& connection) {
    return connection.query({&statements_.changes, {}});
  });
  if (!rows) return rows.error();
  const std::lock_guard lock(mutex_);
  known_ = rows->integer(0, 0);
  return {};
}

void ChangeWatch::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ++sequence_;
    if (waiting_ == 0) return;
  }
  changed_.notify_all();
}

ChangeWatch::OwnCommit::OwnCommit(ChangeWatch& watch) noexcept : watch_(watch) {
  const std::lock_guard lock(watch_.mutex_);
  ++watch_.own_;
}

ChangeWatch::OwnCommit::~OwnCommit() {
  const std::lock_guard lock(watch_.mutex_);
  --watch_.own_;
}

Command ChangeWatch::announcement() const {
  Command command{&statements_.announce, {}};
  command.parameters.text(statements_.sequence);
  if (options_.notifications) command.parameters.text(options_.schema).text(own_name_);
  return command;
}

void ChangeWatch::committed(std::optional<std::int64_t> counted) noexcept {
  if (counted) {
    const std::lock_guard lock(mutex_);
    // A gap before ours is somebody else's commit, which must stay news.
    if (*counted == known_ + 1) known_ = *counted;
  }
  wake();
}

Result<void> ChangeWatch::start() {
  if (thread_.joinable()) return {};
  if (pipe2(call_, O_CLOEXEC | O_NONBLOCK) != 0) return Error(errc::storage_failed).with("doing", "making a pipe");
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& failed) {
    return Error(errc::storage_failed).with("doing", "starting a thread").with("reason", failed.what());
  }
  return {};
}

Result<Changed> ChangeWatch::wait(const WaitRequest& request) {
  constexpr Duration longest = std::chrono::hours(1);  // a longer sum would overflow the clock
  const auto until = SteadyClock::now() + std::clamp(request.timeout, Duration::zero(), longest);
  std::unique_lock lock(mutex_);
  if (sequence_ != request.seen) return Changed{sequence_};
  if (auto started = start(); !started) return started.error();
  ++waiting_;
  if (rests_) {
    rests_ = false;
    (void)!::write(call_[1], "x", 1);
  }
  changed_.wait_until(lock, until, [&] { return sequence_ != request.seen; });
  --waiting_;
  return Changed{sequence_};
}

void ChangeWatch::run() {
  std::unique_ptr<Connection> listener;
  SteadyTime next_attempt{};
  SteadyTime last_waiter = SteadyClock::now();
  SteadyTime next_look{};
  while (!is_stopping()) {
    const auto now = SteadyClock::now();
    const bool needed = somebody_waits();
    if (needed) last_waiter = now;
    if (listener && (listener->has_failed() || now - last_waiter > linger)) listener.reset();
    if (needed && !listener && options_.notifications && now >= next_attempt) {
      listener = connect();
      next_attempt = SteadyClock::now() + retry;
      next_look = {};  // what was committed before we listened
    }
    if (needed && now >= next_look) {
      const auto seen = look(listener.get());
      const bool may_rely_on_listener = listener && seen == Seen::clear;
      next_look = SteadyClock::now() + std::chrono::milliseconds(may_rely_on_listener ? look_beside_ms : look_ms);
    }
    if (listener) hear(*listener);  // looking may have read it off the socket: there is nothing to poll for then
    const auto pause = std::chrono::duration_cast<Duration>(next_look - SteadyClock::now()).count() + 1;
    const int until_look = static_cast<int>(std::clamp<std::int64_t>(pause, 0, look_beside_ms));
    sleep(listener.get(), needed ? until_look : listener ? look_beside_ms : rest_ms);
  }
}

/// Sleep until the listener hears something, somebody calls, or the time is over.
void ChangeWatch::sleep(Connection* listener, int timeout_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || (timeout_ms == rest_ms && waiting_ > 0)) return;
    rests_ = timeout_ms == rest_ms;
  }
  pollfd sources[2] = {{call_[0], POLLIN, 0}, {listener != nullptr ? PQsocket(listener->raw()) : -1, POLLIN, 0}};
  poll(sources, 2, timeout_ms);
  char bytes[16];
  while (read(call_[0], bytes, sizeof bytes) > 0) {
  }
  const std::lock_guard lock(mutex_);
  rests_ = false;
}

std::unique_ptr<Connection> ChangeWatch::connect() {
  const auto& conninfo = options_.listen_conninfo.empty() ? options_.conninfo : options_.listen_conninfo;
  auto connection = Connection::open({conninfo, {}});
  if (!connection) return nullptr;
  (*connection)->listen();
  if (!(*connection)->query({&listen_, {}})) return nullptr;
  return std::move(*connection);
}

void ChangeWatch::hear(Connection& listener) {
  std::int64_t foreign = 0;
  for (const auto& who : listener.take_notifications()) foreign += who != own_name_ ? 1 : 0;
  if (foreign > 0) wake();  // its count is left to `look`: what was noted too early would hide another's commit
}

/// Compare the count with what we know of.
ChangeWatch::Seen ChangeWatch::look(Connection* listener) {
  Pool::Lease lease(nullptr, Pool::GiveBack{&pool_});
  if (listener == nullptr) {
    auto taken = pool_.take();
    if (!taken) return Seen::clear;
    lease = std::move(*taken);
    listener = lease.get();
  }
  std::int64_t known_before = 0;
  {
    const std::lock_guard lock(mutex_);
    known_before = known_;
  }
  const auto rows = listener->query({&statements_.changes, {}});
  return rows ? judge(rows->integer(0, 0), known_before) : Seen::clear;
}

ChangeWatch::Seen ChangeWatch::judge(std::int64_t counted, std::int64_t known_before) {
  {
    const std::lock_guard lock(mutex_);
    // Commits of ours that were told of since we asked. (A count that went back is another server's: news.)
    const bool is_late = counted >= known_before && counted <= known_;
    const bool may_be_ours = counted > known_ && counted - known_ <= own_;
    if (!is_late && may_be_ours && ++doubtful_in_a_row_ <= doubtful_max) return Seen::doubtful;
    doubtful_in_a_row_ = 0;
    if (is_late) return Seen::clear;
    known_ = counted;
  }
  wake();
  return Seen::clear;
}

bool ChangeWatch::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool ChangeWatch::somebody_waits() {
  const std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

}  // namespace openindex::postgres
