#include "engine/admission.hpp"

#include "work/command_json.hpp"

namespace openindex::engine {
Result<Change> admit(EngineCore& core, const Actor& actor, const ItemKey& key, const Command& command,
                     const CallOptions& call) {
  if (auto allowed = core.check_reader(actor, key); !allowed) return allowed.error();
  if (auto allowed = core.domains.require(actor, domain_of(key), role_needed(command)); !allowed)
    return allowed.error();
  if (const auto* on = std::get_if<AddDependency>(&command)) {
    if (auto allowed = core.domains.require(actor, domain_of(on->on), Role::member); !allowed) return allowed.error();
  }
  if (auto sound = check_idempotency_key(call.idempotency_key); !sound) return sound.error();
  Change change{.key = key, .actor = actor, .command = command, .fence = call.fence};
  if (!call.idempotency_key.empty()) {
    change.request = request_of(actor, call.idempotency_key, key, work::to_json(command));
  }
  return change;
}

}  // namespace openindex::engine
