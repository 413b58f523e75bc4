#include <openindex/agent_queue.hpp>

#include <algorithm>
#include <iterator>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "queue/claiming.hpp"
#include "queue/listing.hpp"
#include "queue/session_hold.hpp"
#include "queue/waiting_room.hpp"
#include "queue/window.hpp"
#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {

AgentQueue::AgentQueue(WorkflowEngine& engine)
    : engine_(engine), window_(std::make_unique<Window>(engine)), room_(std::make_shared<WaitingRoom>(engine)) {}
AgentQueue::AgentQueue(WorkflowEngine& engine, Heartbeats& beats) : AgentQueue(engine) { beats_ = &beats; }
AgentQueue::~AgentQueue() = default;

AgentSession AgentQueue::begin(const Actor& actor, WorkItem item, Duration length) {
  using queue::SessionHold;
  auto hold = std::make_shared<SessionHold>(engine_, actor, item, length, SessionHold::Owner::session);
  if (beats_ != nullptr) beats_->add(hold);
  return {std::move(hold), std::move(item)};
}

Result<QueuePage> AgentQueue::available(const Actor& actor, const QueueFilter& filter, std::uint32_t limit_count,
                                        const std::string& after) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  return queue::list_available(engine_.core(), actor, filter, limit_count, after);
}

Result<bool> AgentQueue::wait_available(const Actor& actor, const QueueFilter& filter, Duration timeout,
                                        const std::stop_token& stop) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  return room_->wait(actor, filter, timeout, stop);
}

Result<std::vector<WorkItem>> AgentQueue::mine(const Actor& actor) {
  std::vector<WorkItem> out;
  std::string after;
  do {
    auto page = mine(actor, {}, 1000, after);
    if (!page) return page.error();
    std::move(page->items.begin(), page->items.end(), std::back_inserter(out));
    after = std::move(page->next);
  } while (!after.empty());
  return out;
}

Result<QueuePage> AgentQueue::mine(const Actor& actor, const QueueFilter& filter, std::uint32_t limit_count,
                                   const std::string& after) {
  if (actor.kind() != ActorKind::agent || actor.id().empty()) return errc::agent_id_required;
  return queue::list_held(engine_.core(), actor, filter, limit_count, after);
}

Result<AgentSession> AgentQueue::claim(const Actor& actor, const ItemKey& key, const Claim& claim,
                                       const CallOptions& call) {
  // A run has its hold from the dispatcher; people and the host are refused by the rules.
  if (actor.kind() == ActorKind::run) return Error(errc::agent_id_required).with("actor", actor.id());
  auto item = engine_.claim(actor, key, claim, call);
  if (!item) return item.error();
  return begin(actor, std::move(*item), claim.hold);
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
  auto items = Claiming(engine_, *window_, actor, filter, claim, count, call.idempotency_key).run();
  if (!items) return items.error();
  std::vector<AgentSession> sessions;
  sessions.reserve(items->size());
  for (WorkItem& item : *items) sessions.push_back(begin(actor, std::move(item), claim.hold));
  return sessions;
}

}  // namespace v0
}  // namespace openindex
