#include <openindex/agent_queue.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "queue/free_items.hpp"
#include "queue/waiting_room.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint32_t window_size = 128;
constexpr Duration window_age{1000};
constexpr std::size_t filters_max = 64;

using queue::expired_items;
using queue::free_items;
using queue::takeable;

}  // namespace

// Candidates that were scanned once and are handed out one by one, so that the callers of a process do not all run for
// the head of the queue.
class AgentQueue::Window {
 public:
  explicit Window(WorkflowEngine& engine) : engine_(engine) {}

  /// The next candidate; nullopt when a fresh scan has none.
  Result<std::optional<ItemKey>> next(const QueueFilter& filter, int& fills) {
    const std::lock_guard lock(mutex_);
    if (windows_.size() > filters_max) windows_.clear();
    Candidates& window = windows_[filter.domain + '\n' + filter.workflow.str() + '\n' + filter.stage];
    const Duration now = engine_.clock().steady();
    if (window.keys.empty() || now - window.filled > window_age) {
      ++fills;
      if (auto filled = fill(window, filter); !filled) return filled.error();
      window.filled = now;
    }
    if (window.keys.empty()) return std::optional<ItemKey>();
    ItemKey key = std::move(window.keys.front());
    window.keys.pop_front();
    return std::optional(std::move(key));
  }

  /// Somebody in another process took a candidate: go on from another place than they will.
  void step_aside(const QueueFilter& filter) {
    const std::lock_guard lock(mutex_);
    auto& keys = windows_[filter.domain + '\n' + filter.workflow.str() + '\n' + filter.stage].keys;
    if (keys.size() < 2) return;
    const auto skip = static_cast<std::ptrdiff_t>(engine_.random().next() % keys.size());
    std::rotate(keys.begin(), keys.begin() + skip, keys.end());
  }

 private:
  struct Candidates {
    std::deque<ItemKey> keys;
    Duration filled{0};
  };

  Result<void> fill(Candidates& window, const QueueFilter& filter) {
    window.keys.clear();
    auto expired = expired_items(engine_, 1000);
    if (!expired) return expired.error();
    auto items = engine_.core().door.load_all(*expired);
    if (!items) return items.error();
    for (const auto& item : *items) {
      if (takeable(item->item, filter, engine_.clock().now())) window.keys.push_back(item->item.key);
    }
    // A page may be empty and not the last one: it looks at a bounded number of rows.
    ScanRequest request = free_items(filter, window_size, {});
    do {
      auto page = engine_.storage().scan(request);
      if (!page) return page.error();
      for (const Record& row : page->rows) window.keys.emplace_back(row.id.key);
      request.after = std::move(page->next);
    } while (window.keys.empty() && !request.after.empty());
    return {};
  }

  WorkflowEngine& engine_;
  std::mutex mutex_;
  std::map<std::string, Candidates> windows_;
};

AgentQueue::AgentQueue(WorkflowEngine& engine)
    : engine_(engine), window_(std::make_unique<Window>(engine)), room_(std::make_shared<WaitingRoom>(engine)) {}
AgentQueue::~AgentQueue() = default;

Result<QueuePage> AgentQueue::available(const Actor& actor, const QueueFilter& filter, std::uint32_t limit_count,
                                        const std::string& after) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (limit_count < 1 || limit_count > 1000) {
    return Error(errc::invalid_argument, "A page holds 1 to 1000 items")
        .with("limit_count", std::to_string(limit_count));
  }
  std::vector<ItemKey> keys;
  if (after.empty()) {
    auto expired = expired_items(engine_, 1000);
    if (!expired) return expired.error();
    keys = std::move(*expired);
  }
  auto page = engine_.storage().scan(free_items(filter, limit_count, after));
  if (!page) return page.error();
  for (const Record& row : page->rows) keys.emplace_back(row.id.key);
  auto items = engine_.core().door.load_all(keys);
  if (!items) return items.error();
  QueuePage out;
  for (const auto& item : *items) {
    if (takeable(item->item, filter, engine_.clock().now())) out.items.push_back(item->whole());
  }
  out.next = std::move(page->next);
  return out;
}

Result<bool> AgentQueue::wait_available(const Actor& actor, const QueueFilter& filter, Duration timeout,
                                        const std::stop_token& stop) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  return room_->wait(filter, timeout, stop);
}

Result<std::vector<WorkItem>> AgentQueue::mine(const Actor& actor) {
  if (actor.kind() != ActorKind::agent || actor.id().empty()) return errc::agent_id_required;
  std::vector<WorkItem> out;
  ScanRequest request{.index = Index::queue, .prefix = {actor.id()}, .limit_count = 1000};
  do {
    auto page = engine_.storage().scan(request);
    if (!page) return page.error();
    std::vector<ItemKey> keys;
    for (const Record& row : page->rows) keys.emplace_back(row.id.key);
    auto items = engine_.core().door.load_all(keys);
    if (!items) return items.error();
    for (const auto& item : *items) {
      if (item->item.hold && item->item.hold->agent.str() == actor.id()) out.push_back(item->whole());
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return out;
}

Result<AgentSession> AgentQueue::claim(const Actor& actor, const ItemKey& key, const Claim& claim) {
  if (actor.kind() != ActorKind::agent) return Error(errc::agent_id_required).with("actor", actor.id());
  auto item = engine_.claim(actor, key, claim);
  if (!item) return item.error();
  return AgentSession(engine_, actor, std::move(*item), claim.hold);
}

Result<std::optional<AgentSession>> AgentQueue::claim_next(const Actor& actor, const QueueFilter& filter,
                                                           const Claim& claim) {
  if (actor.kind() != ActorKind::agent || actor.id().empty()) return errc::agent_id_required;
  // Many fresh windows whose every candidate was lost to others: the caller had better come back later.
  constexpr int fills_max = 16;
  std::optional<Error> unfit;
  for (int fills = 0; fills < fills_max;) {
    auto key = window_->next(filter, fills);
    if (!key) return key.error();
    if (!*key) break;
    auto loaded = engine_.core().door.load(**key);
    if (!loaded) return loaded.error();
    if (!takeable((*loaded)->item, filter, engine_.clock().now())) continue;
    auto session = this->claim(actor, **key, claim);
    if (session) return std::optional(std::move(*session));
    switch (session.error().code()) {
      case errc::already_claimed:
      case errc::contention:
        window_->step_aside(filter);
        continue;
      case errc::already_resolved:
      case errc::not_for_agents:
      case errc::not_found:
        continue;
      case errc::status_transition_not_allowed:
      case errc::gate_required:
        unfit = session.error();
        continue;
      default:
        return session.error();
    }
  }
  if (unfit) return *unfit;
  return std::optional<AgentSession>();
}

}  // namespace v0
}  // namespace openindex
