// Candidates that were scanned once and are handed out one by one, so that the callers of a process do not all run for
// the head of the queue, and processes keep out of each other's share of it.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <openindex/agent_queue.hpp>
#include <openindex/storage/storage.hpp>

#include "queue/free_items.hpp"
#include "queue/share.hpp"

namespace openindex {
inline namespace v0 {

/// Thread safety: all methods, from any threads.
class AgentQueue::Window {
 public:
  explicit Window(WorkflowEngine& engine) : engine_(engine) {}

  /// An item to try. While somebody has it, nobody else is given it: a scan may find it free until it is committed.
  class Candidate {
   public:
    Candidate(Window& window, ItemKey key) : window_(&window), key_(std::move(key)) {}
    ~Candidate() {
      if (window_ != nullptr) window_->take_back(key_);
    }
    Candidate(Candidate&& other) noexcept
        : window_(std::exchange(other.window_, nullptr)), key_(std::move(other.key_)) {}
    Candidate& operator=(Candidate&&) = delete;

    [[nodiscard]] const ItemKey& key() const noexcept { return key_; }

   private:
    Window* window_;
    ItemKey key_;
  };

  /// The next candidate; nullopt when a fresh scan has none. `fills` counts the scans.
  Result<std::optional<Candidate>> next(const Actor& actor, const QueueFilter& filter, int& fills);

  /// Somebody in another process took a candidate: leave what is like it to them.
  void lost(const Actor& actor, const QueueFilter& filter, const ItemKey& key);

  /// One name for all who are served from the same candidates.
  static std::string name(const Actor& actor, const QueueFilter& filter);

 private:
  struct Candidates {
    std::deque<ItemKey> keys = {};
    Duration filled{0};
    queue::Share share = {};
  };
  /// How far a scan goes, and for what.
  struct Reach {
    bool own_share;
    std::size_t enough;                    ///< Stop when there are so many candidates.
    std::optional<std::size_t> pages_max;  ///< Of each part.
  };
  struct Asked {
    const Actor& actor;
    const QueueFilter& filter;
    Duration now;
  };
  void take_back(const ItemKey& key) noexcept;
  Result<void> fill(Candidates& window, const Asked& asked);
  Result<void> gather(Candidates& window, const Asked& asked, const Reach& reach);
  Result<void> gather(Candidates& window, const Asked& asked, const Reach& reach, queue::FreePart part);
  Result<void> keep(Candidates& window, const Asked& asked, std::span<const ItemKey> keys);
  void enter_one_slice(Candidates& window);

  WorkflowEngine& engine_;
  std::mutex mutex_;
  std::map<std::string, Candidates> windows_;
  std::set<ItemKey> handed_out_;
};

}  // namespace v0
}  // namespace openindex
