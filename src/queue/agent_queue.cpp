#include <openindex/agent_queue.hpp>

#include <algorithm>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "queue/claiming.hpp"
#include "queue/free_items.hpp"
#include "queue/waiting_room.hpp"
#include "queue/window.hpp"
#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {

using queue::free_items;
using queue::free_parts;
using queue::FreePart;
using queue::takeable;

namespace {

Result<void> keep(EngineCore& core, std::vector<WorkItem>& out, const ScanPage& page, const Actor& actor,
                  const QueueFilter& filter, Time now) {
  std::vector<ItemKey> keys;
  for (const Record& row : page.rows) keys.emplace_back(row.id.key);
  auto items = core.door.load_all(keys);
  if (!items) return items.error();
  for (const auto& item : *items) {
    auto sees = core.domains.sees(actor, item->item.domain);
    if (!sees) return sees.error();
    auto free = takeable(core.shelf, *item, filter, now);
    if (!free) return free.error();
    if (*sees && *free) out.push_back(item->whole());
  }
  return {};
}

}  // namespace

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
  // The cursor says in which part it stands.
  const auto is_named = [&](FreePart part) { return after.empty() || after.front() == static_cast<char>(part); };
  auto part = std::find_if(free_parts.begin(), free_parts.end(), is_named);
  if (part == free_parts.end()) {
    return Error(errc::invalid_argument, "This is no cursor of a listing").with("after", after);
  }
  const Time now = engine_.clock().now();
  QueuePage out;
  std::string cursor = after.empty() ? after : after.substr(1);
  for (; part != free_parts.end() && out.items.size() < limit_count; ++part, cursor.clear()) {
    const auto room = limit_count - static_cast<std::uint32_t>(out.items.size());
    auto page = engine_.storage().scan(free_items(*part, filter, now, room, cursor));
    if (!page) return page.error();
    if (auto kept = keep(engine_.core(), out.items, *page, actor, filter, now); !kept) return kept.error();
    if (page->next.empty()) continue;
    out.next = static_cast<char>(*part) + page->next;
    return out;
  }
  if (part != free_parts.end()) out.next = static_cast<char>(*part);
  return out;
}

Result<bool> AgentQueue::wait_available(const Actor& actor, const QueueFilter& filter, Duration timeout,
                                        const std::stop_token& stop) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  return room_->wait(actor, filter, timeout, stop);
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

Result<AgentSession> AgentQueue::claim(const Actor& actor, const ItemKey& key, const Claim& claim,
                                       const CallOptions& call) {
  if (actor.kind() != ActorKind::agent) return Error(errc::agent_id_required).with("actor", actor.id());
  auto item = engine_.claim(actor, key, claim, call);
  if (!item) return item.error();
  return AgentSession(engine_, actor, std::move(*item), claim.hold);
}

Result<std::optional<AgentSession>> AgentQueue::claim_next(const Actor& actor, const QueueFilter& filter,
                                                           const Claim& claim, const CallOptions& call) {
  auto sessions = claim_next(actor, 1, filter, claim, call);
  if (!sessions) return sessions.error();
  if (sessions->empty()) return std::optional<AgentSession>();
  return std::optional(std::move(sessions->front()));
}

Result<std::vector<AgentSession>> AgentQueue::claim_next(const Actor& actor, std::uint32_t count,
                                                         const QueueFilter& filter, const Claim& claim,
                                                         const CallOptions& call) {
  if (actor.kind() != ActorKind::agent || actor.id().empty()) return errc::agent_id_required;
  if (count < 1 || count > 1000) {
    return Error(errc::invalid_argument, "A call claims 1 to 1000 items").with("count", std::to_string(count));
  }
  return Claiming(engine_, *window_, actor, filter, claim, count, call.idempotency_key).run();
}

}  // namespace v0
}  // namespace openindex
