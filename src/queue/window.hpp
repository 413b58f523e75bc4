// Candidates that were scanned once and are handed out one by one, so that the callers of a process do not all run for
// the head of the queue.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <openindex/agent_queue.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {

/// Thread safety: all methods, from any threads.
class AgentQueue::Window {
 public:
  explicit Window(WorkflowEngine& engine) : engine_(engine) {}

  /// The next candidate; nullopt when a fresh scan has none. `fills` counts the scans.
  Result<std::optional<ItemKey>> next(const Actor& actor, const QueueFilter& filter, int& fills);

  /// Somebody in another process took a candidate: go on from another place than they will.
  void step_aside(const Actor& actor, const QueueFilter& filter);

  /// One name for all who are served from the same candidates.
  static std::string name(const Actor& actor, const QueueFilter& filter);

 private:
  struct Candidates {
    std::deque<ItemKey> keys;
    Duration filled{0};
  };
  Result<void> fill(Candidates& window, const Actor& actor, const QueueFilter& filter);
  Result<void> keep(Candidates& window, const ScanPage& page, const Actor& actor, const QueueFilter& filter, Time now);

  WorkflowEngine& engine_;
  std::mutex mutex_;
  std::map<std::string, Candidates> windows_;
};

}  // namespace v0
}  // namespace openindex
