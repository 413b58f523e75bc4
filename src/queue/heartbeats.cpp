#include <openindex/agent/heartbeats.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "queue/session_hold.hpp"

namespace openindex {
inline namespace v0 {

class Heartbeats::Round {
 public:
  explicit Round(Clock& clock) : clock_(clock) {}

  void add(const std::shared_ptr<queue::SessionHold>& hold) {
    const Duration now = clock_.steady();
    const std::lock_guard lock(mutex_);
    due_.emplace(now + hold->period() / 3, Entry{hold, now + hold->period()});
    changed_.notify_all();
  }

  // Each hold once: one that is beaten is due later than now.
  std::optional<Duration> beat() {
    const Duration now = clock_.steady();
    std::unique_lock lock(mutex_);
    while (!due_.empty() && due_.begin()->first <= now) {
      Entry entry = std::move(due_.extract(due_.begin()).mapped());
      lock.unlock();
      const auto next = beat(entry, now);
      lock.lock();
      if (next) due_.emplace(*next, std::move(entry));
    }
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto next = beat();
      std::unique_lock lock(mutex_);
      const auto sooner = [&] {
        return !due_.empty() && (!next || due_.begin()->first < *next);  // added meanwhile
      };
      if (!next) {
        changed_.wait(lock, stop, sooner);
      } else {
        changed_.wait_for(lock, stop, std::max(*next - clock_.steady(), Duration(1)), sooner);
      }
    }
  }

 private:
  struct Entry {
    std::weak_ptr<queue::SessionHold> hold;
    Duration lapses;  ///< When it runs out if no beat gets through.
  };

  // When it is to be beaten again.
  std::optional<Duration> beat(Entry& entry, Duration now) {
    constexpr Duration soon{1000};
    const auto hold = entry.hold.lock();
    if (!hold) return std::nullopt;
    const Duration third = std::max(hold->period() / 3, Duration(1));
    switch (hold->beat()) {
      case queue::SessionHold::Beat::kept:
        entry.lapses = now + hold->period();
        return now + third;
      case queue::SessionHold::Beat::failed:
        if (now < entry.lapses) return now + std::min(third, soon);
        hold->stop();
        return std::nullopt;
      case queue::SessionHold::Beat::over:
        break;
    }
    return std::nullopt;
  }

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Duration, Entry> due_;  ///< By when they are due.
};

Heartbeats::Heartbeats(Clock& clock) : round_(std::make_unique<Round>(clock)) {}
Heartbeats::~Heartbeats() = default;

std::optional<Duration> Heartbeats::beat() { return round_->beat(); }
void Heartbeats::run(const std::stop_token& stop) { round_->run(stop); }
void Heartbeats::add(const std::shared_ptr<queue::SessionHold>& hold) { round_->add(hold); }

}  // namespace v0
}  // namespace openindex
