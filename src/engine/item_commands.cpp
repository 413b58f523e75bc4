// Commands on items: every one goes through the door.
#include <openindex/workflow_engine.hpp>

#include "engine/answers.hpp"
#include "engine/core.hpp"
#include "work/command_json.hpp"

namespace openindex {
inline namespace v0 {

using namespace openindex::engine;

namespace {

Role role_for(const Command& command) {
  const bool privileged = std::holds_alternative<TakeOver>(command) || std::holds_alternative<Reopen>(command);
  return privileged ? Role::admin : Role::member;
}

}  // namespace

Result<WorkItem> WorkflowEngine::execute(const Actor& actor, const ItemKey& key, const Command& command,
                                         const CallOptions& call) {
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  if (auto allowed = core_->domains.require(actor, domain_of(key), role_for(command)); !allowed) return allowed.error();
  if (const auto* on = std::get_if<AddDependency>(&command)) {
    if (auto allowed = core_->domains.require(actor, domain_of(on->on), Role::member); !allowed) return allowed.error();
  }
  if (auto sound = check_idempotency_key(call.idempotency_key); !sound) return sound.error();
  const auto related = std::make_shared<std::optional<RelatedItem>>();
  const auto* dependency = std::get_if<AddDependency>(&command);
  Change change{.key = key,
                .actor = actor,
                .decide = [&](const LoadedItem& item, Time now) -> Result<Decision> {
                  ItemSnapshot snapshot = item.snapshot();
                  if (*related) snapshot.related = &**related;
                  if (std::holds_alternative<Claim>(command)) {
                    auto by_hand = core_->shelf.claims_by_hand(item);
                    if (!by_hand) return by_hand.error();
                    snapshot.claims_by_hand = *by_hand;
                  }
                  return decide(snapshot, command, actor, now, call.fence);
                },
                .notes = {},
                .on = dependency != nullptr ? dependency->on : ItemKey(),
                .related = related};
  if (!call.idempotency_key.empty()) {
    change.idempotency_key = call.idempotency_key;
    change.command = work::to_json(command);
  }
  auto outcome = core_->door.apply(std::move(change));
  if (!outcome) return outcome.error();
  return outcome->item->whole();
}

Result<WorkItem> WorkflowEngine::claim(const Actor& actor, const ItemKey& key, const Claim& claim,
                                       const CallOptions& call) {
  return execute(actor, key, claim, call);
}
Result<WorkItem> WorkflowEngine::release(const Actor& actor, const ItemKey& key, const Release& release,
                                         const CallOptions& call) {
  return execute(actor, key, release, call);
}
Result<WorkItem> WorkflowEngine::heartbeat(const Actor& actor, const ItemKey& key, const Heartbeat& beat,
                                           const CallOptions& call) {
  return execute(actor, key, beat, call);
}
Result<WorkItem> WorkflowEngine::set_fields(const Actor& actor, const ItemKey& key, FieldValues values,
                                            const CallOptions& call) {
  return execute(actor, key, SetFields{std::move(values)}, call);
}
Result<WorkItem> WorkflowEngine::comment(const Actor& actor, const ItemKey& key, std::string body,
                                         const CallOptions& call) {
  return execute(actor, key, AddComment{std::move(body)}, call);
}
Result<WorkItem> WorkflowEngine::transition(const Actor& actor, const ItemKey& key, std::string to_status,
                                            const CallOptions& call) {
  return execute(actor, key, ChangeStatus{std::move(to_status)}, call);
}
Result<WorkItem> WorkflowEngine::progress(const Actor& actor, const ItemKey& key, const Progress& progress,
                                          const CallOptions& call) {
  return execute(actor, key, progress, call);
}
Result<WorkItem> WorkflowEngine::complete(const Actor& actor, const ItemKey& key, const Complete& complete,
                                          const CallOptions& call) {
  return execute(actor, key, complete, call);
}
Result<WorkItem> WorkflowEngine::done(const Actor& actor, const ItemKey& key, const Done& done,
                                      const CallOptions& call) {
  return execute(actor, key, done, call);
}
Result<WorkItem> WorkflowEngine::reacknowledge(const Actor& actor, const ItemKey& key, const Reacknowledge& again,
                                               const CallOptions& call) {
  return execute(actor, key, again, call);
}
Result<WorkItem> WorkflowEngine::take_over(const Actor& actor, const ItemKey& key, const TakeOver& take,
                                           const CallOptions& call) {
  return execute(actor, key, take, call);
}
Result<WorkItem> WorkflowEngine::reopen(const Actor& actor, const ItemKey& key, const Reopen& reopen,
                                        const CallOptions& call) {
  return execute(actor, key, reopen, call);
}
Result<WorkItem> WorkflowEngine::update(const Actor& actor, const ItemKey& key, const UpdateItem& update,
                                        const CallOptions& call) {
  return execute(actor, key, update, call);
}
Result<WorkItem> WorkflowEngine::add_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on,
                                                const CallOptions& call) {
  return execute(actor, key, AddDependency{on}, call);
}
Result<WorkItem> WorkflowEngine::remove_dependency(const Actor& actor, const ItemKey& key, const ItemKey& on,
                                                   const CallOptions& call) {
  return execute(actor, key, RemoveDependency{on}, call);
}
Result<WorkItem> WorkflowEngine::attach(const Actor& actor, const ItemKey& key, const Attachment& attachment,
                                        const CallOptions& call) {
  return execute(actor, key, AddAttachment{attachment}, call);
}
Result<WorkItem> WorkflowEngine::detach(const Actor& actor, const ItemKey& key, std::uint32_t attachment,
                                        const CallOptions& call) {
  return execute(actor, key, RemoveAttachment{attachment}, call);
}

}  // namespace v0
}  // namespace openindex
