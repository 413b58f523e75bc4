#include "engine/admission.hpp"

#include "work/command_json.hpp"

namespace openindex::engine {
namespace {

Role role_for(const Command& command) {
  const bool privileged = std::holds_alternative<TakeOver>(command) || std::holds_alternative<Reopen>(command) ||
                          std::holds_alternative<Migrate>(command);
  return privileged ? Role::admin : Role::member;
}

}  // namespace

Result<Change> admit(EngineCore& core, const Actor& actor, const ItemKey& key, const Command& command,
                     const CallOptions& call) {
  if (auto allowed = core.check_reader(actor, key); !allowed) return allowed.error();
  if (auto allowed = core.domains.require(actor, domain_of(key), role_for(command)); !allowed) return allowed.error();
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
