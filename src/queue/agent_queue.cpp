#include <openindex/agent_queue.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <set>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "queue/free_items.hpp"
#include "queue/waiting_room.hpp"
#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint32_t window_size = 128;
constexpr Duration window_age{1000};
constexpr std::size_t filters_max = 64;

using queue::expired_items;
using queue::free_items;
using queue::takeable;

// What an agent may not claim for want of a role is passed over, not refused.
Result<bool> may_claim(WorkflowEngine& engine, const Actor& actor, const std::string& domain) {
  auto allowed = engine.core().domains.require(actor, domain, Role::member);
  if (allowed) return true;
  if (allowed.error().code() == errc::not_found || allowed.error().code() == errc::not_permitted) return false;
  return allowed.error();
}

// Somebody was faster, or the item changed since it was seen: the next one, then.
bool is_passed_over(errc code) {
  switch (code) {
    case errc::already_claimed:
    case errc::contention:
    case errc::already_resolved:
    case errc::not_for_agents:
    case errc::stage_for_runs:
    case errc::dependencies_unresolved:
    case errc::not_found:
      return true;
    default:
      return false;
  }
}

std::string window_name(const Actor& actor, const QueueFilter& filter) {
  return actor.on_behalf_of() + '\n' + filter.domain + '\n' + filter.workflow.str() + '\n' + filter.stage + '\n' +
         (filter.priority ? std::string(to_text(*filter.priority)) : "") + '\n' + filter.search;
}

}  // namespace

// Candidates that were scanned once and are handed out one by one, so that the callers of a process do not all run for
// the head of the queue.
class AgentQueue::Window {
 public:
  explicit Window(WorkflowEngine& engine) : engine_(engine) {}

  /// The next candidate; nullopt when a fresh scan has none.
  Result<std::optional<ItemKey>> next(const Actor& actor, const QueueFilter& filter, int& fills) {
    const std::lock_guard lock(mutex_);
    if (windows_.size() > filters_max) windows_.clear();
    Candidates& window = windows_[window_name(actor, filter)];
    const Duration now = engine_.clock().steady();
    if (window.keys.empty() || now - window.filled > window_age) {
      ++fills;
      if (auto filled = fill(window, actor, filter); !filled) return filled.error();
      window.filled = now;
    }
    if (window.keys.empty()) return std::optional<ItemKey>();
    ItemKey key = std::move(window.keys.front());
    window.keys.pop_front();
    return std::optional(std::move(key));
  }

  /// Somebody in another process took a candidate: go on from another place than they will.
  void step_aside(const Actor& actor, const QueueFilter& filter) {
    const std::lock_guard lock(mutex_);
    auto& keys = windows_[window_name(actor, filter)].keys;
    if (keys.size() < 2) return;
    const auto skip = static_cast<std::ptrdiff_t>(engine_.random().next() % keys.size());
    std::rotate(keys.begin(), keys.begin() + skip, keys.end());
  }

 private:
  struct Candidates {
    std::deque<ItemKey> keys;
    Duration filled{0};
  };

  Result<void> fill(Candidates& window, const Actor& actor, const QueueFilter& filter) {
    window.keys.clear();
    const Time now = engine_.clock().now();
    for (ScanRequest request : {expired_items(now, window_size, {}), free_items(filter, window_size, {})}) {
      // A page may be empty and not the last one: it looks at a bounded number of rows.
      do {
        auto page = engine_.storage().scan(request);
        if (!page) return page.error();
        if (auto kept = keep(window, *page, actor, filter, now); !kept) return kept.error();
        request.after = std::move(page->next);
      } while (window.keys.empty() && !request.after.empty());
    }
    return {};
  }

  Result<void> keep(Candidates& window, const ScanPage& page, const Actor& actor, const QueueFilter& filter, Time now) {
    std::vector<ItemKey> keys;
    for (const Record& row : page.rows) keys.emplace_back(row.id.key);
    auto items = engine_.core().door.load_all(keys);
    if (!items) return items.error();
    for (const auto& item : *items) {
      auto free = takeable(engine_.core().shelf, *item, filter, now);
      if (!free) return free.error();
      if (!*free) continue;
      auto member = may_claim(engine_, actor, item->item.domain);
      if (!member) return member.error();
      if (*member) window.keys.push_back(item->item.key);
    }
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
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  if (limit_count < 1 || limit_count > 1000) {
    return Error(errc::invalid_argument, "A page holds 1 to 1000 items")
        .with("limit_count", std::to_string(limit_count));
  }
  // First those past their deadline, then the free ones; the cursor says in which part it stands.
  const bool expired_part = after.empty() || after.front() == 'e';
  const std::string cursor = after.empty() ? after : after.substr(1);
  const Time now = engine_.clock().now();
  auto page = engine_.storage().scan(expired_part ? expired_items(now, limit_count, cursor)
                                                  : free_items(filter, limit_count, cursor));
  if (!page) return page.error();
  std::vector<ItemKey> keys;
  for (const Record& row : page->rows) keys.emplace_back(row.id.key);
  auto items = engine_.core().door.load_all(keys);
  if (!items) return items.error();
  QueuePage out;
  for (const auto& item : *items) {
    auto sees = engine_.core().domains.sees(actor, item->item.domain);
    if (!sees) return sees.error();
    auto free = takeable(engine_.core().shelf, *item, filter, now);
    if (!free) return free.error();
    if (*sees && *free) out.items.push_back(item->whole());
  }
  if (!page->next.empty()) {
    out.next = (expired_part ? 'e' : 'f') + page->next;
  } else if (expired_part) {
    const auto room = limit_count - static_cast<std::uint32_t>(out.items.size());
    if (room == 0) {
      out.next = "f";
    } else {
      auto rest = available(actor, filter, room, "f");
      if (!rest) return rest.error();
      std::move(rest->items.begin(), rest->items.end(), std::back_inserter(out.items));
      out.next = std::move(rest->next);
    }
  }
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
      auto sees = engine_.core().domains.sees(actor, item->item.domain);
      if (!sees) return sees.error();
      const bool holds = item->item.hold && item->item.hold->agent.str() == actor.id();
      if (*sees && holds) out.push_back(item->whole());
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
    auto key = window_->next(actor, filter, fills);
    if (!key) return key.error();
    if (!*key) break;
    auto loaded = engine_.core().door.load(**key);
    if (!loaded) return loaded.error();
    auto free = takeable(engine_.core().shelf, **loaded, filter, engine_.clock().now());
    if (!free) return free.error();
    if (!*free) continue;
    auto member = may_claim(engine_, actor, (*loaded)->item.domain);
    if (!member) return member.error();
    if (!*member) continue;
    auto session = this->claim(actor, **key, claim);
    if (session) return std::optional(std::move(*session));
    switch (session.error().code()) {
      case errc::already_claimed:
      case errc::contention:
        window_->step_aside(actor, filter);
        continue;
      case errc::already_resolved:
      case errc::not_for_agents:
      case errc::stage_for_runs:
      case errc::dependencies_unresolved:
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

Result<std::vector<AgentSession>> AgentQueue::claim_next(const Actor& actor, std::uint32_t count,
                                                         const QueueFilter& filter, const Claim& claim) {
  if (actor.kind() != ActorKind::agent || actor.id().empty()) return errc::agent_id_required;
  if (count < 1 || count > 1000) {
    return Error(errc::invalid_argument, "A call claims 1 to 1000 items").with("count", std::to_string(count));
  }
  std::vector<AgentSession> sessions;
  constexpr int fills_max = 16;
  std::optional<Error> unfit;
  bool any = true;
  for (int fills = 0; any && fills < fills_max && sessions.size() < count;) {
    std::vector<engine::Change> changes;
    std::set<std::string> chosen;  // a window filled anew has again what is chosen and not claimed yet
    while (changes.size() < count - sessions.size()) {
      auto key = window_->next(actor, filter, fills);
      if (!key) return sessions.empty() ? Result<std::vector<AgentSession>>(key.error()) : std::move(sessions);
      if (!*key || !chosen.insert((**key).str()).second || fills >= fills_max) break;
      auto member = may_claim(engine_, actor, engine::domain_of(**key));
      if (!member) return member.error();
      if (!*member) continue;
      const auto claim_free = [&](const engine::LoadedItem& item, Time now) -> Result<Decision> {
        auto free = takeable(engine_.core().shelf, item, filter, now);
        if (!free) return free.error();
        if (!*free) return errc::already_claimed;  // held by this agent, too: it has that one already
        return decide(item.snapshot(), claim, actor, now);
      };
      changes.push_back({.key = **key, .actor = actor, .decide = claim_free});
    }
    any = !changes.empty();
    auto outcomes = engine_.core().door.apply(changes);
    for (auto& outcome : outcomes) {
      if (outcome) {
        sessions.push_back(AgentSession(engine_, actor, outcome->item->whole(), claim.hold));
      } else if (is_passed_over(outcome.error().code())) {
        continue;
      } else if (outcome.error().code() == errc::status_transition_not_allowed ||
                 outcome.error().code() == errc::gate_required) {
        unfit = outcome.error();
      } else if (sessions.empty()) {
        return outcome.error();
      } else {
        return sessions;  // what was claimed is the caller's; the next call will meet the error again
      }
    }
    // A window that others have emptied or that fits nobody is looked through once, not again and again.
    if (unfit && sessions.empty() && fills > 1) return *unfit;
  }
  if (sessions.empty() && unfit) return *unfit;
  return sessions;
}

}  // namespace v0
}  // namespace openindex
