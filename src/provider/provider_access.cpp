#include "provider/provider_access.hpp"

#include <utility>

#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::pair<Access, std::string_view> accesses[] = {{Access::READ, "READ"},
                                                            {Access::CREATE, "CREATE"},
                                                            {Access::UPDATE, "UPDATE"},
                                                            {Access::DELETE, "DELETE"},
                                                            {Access::EXECUTE, "EXECUTE"}};

}  // namespace

std::string_view to_text(Access value) noexcept { return accesses[static_cast<std::size_t>(value)].second; }

std::optional<Access> parse_access(std::string_view text) noexcept {
  for (const auto& [access, name] : accesses) {
    if (name == text) return access;
  }
  return std::nullopt;
}

AccessSet full_access() {
  AccessSet all;
  for (const auto& [access, name] : accesses) all.insert(access);
  return all;
}

}  // namespace v0

namespace providers {
namespace {

Error not_granted(const ProviderRecord& record, std::string_view what) {
  return Error(errc::not_permitted, "The provider does not grant this to the caller")
      .with("provider", record.id.str())
      .with("access", what);
}

bool is_host(const Actor& actor) { return actor.kind() == ActorKind::system; }

}  // namespace

Result<void> may_manage(const Actor& actor) {
  if (actor.kind() == ActorKind::run) return Error(errc::not_permitted, "Agent run token cannot manage settings");
  if (actor.kind() == ActorKind::agent) return Error(errc::not_permitted, "An agent cannot manage settings");
  return work::check_actor_id(actor);
}

Result<void> may_administer(const Actor& actor) {
  if (auto allowed = may_manage(actor); !allowed) return allowed;
  if (actor.scope() == Scope::admin) return {};
  return Error(errc::not_permitted, "This needs a credential of scope admin").with("scope", "admin");
}

Result<void> may_do(const Actor& actor, const ProviderRecord& record, Access access) {
  if (record.grants.empty()) return may_administer(actor);
  if (auto allowed = may_manage(actor); !allowed) return allowed;
  if (is_host(actor)) return {};
  const auto granted = record.grants.find(actor.id());
  if (granted != record.grants.end() && granted->second.contains(access)) return {};
  return not_granted(record, to_text(access));
}

Result<void> may_grant(const Actor& actor, const ProviderRecord& record) {
  if (auto allowed = may_manage(actor); !allowed) return allowed;
  if (actor.scope() == Scope::admin) return {};
  const auto granted = record.grants.find(actor.id());
  if (granted != record.grants.end() && granted->second == full_access()) return {};
  return not_granted(record, "all");
}

Grants grants_of_creator(const Actor& actor) {
  if (is_host(actor)) return {};
  return {{actor.id(), full_access()}};
}

}  // namespace providers
}  // namespace openindex
