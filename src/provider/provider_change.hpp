// What a change of a provider means: pure decisions, without storage, secrets store or clock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/provider/provider.hpp>

#include "provider/provider_config.hpp"
#include "provider/provider_record.hpp"

namespace openindex::providers {

/// What the decisions know beside the provider itself.
struct Surroundings {
  std::optional<ProviderId> name_owner = {};  ///< Who has the name that is asked for.
  Allowed allowed = {};
  Validation validation = Validation::defaults;
  KeySet known_secrets = {};  ///< Keys whose given value is the one that is sealed already.
  Time now{};
};

struct ProviderChange {
  ProviderRecord record;             ///< As it shall be; the handles of `to_seal` are still to come.
  std::vector<std::string> to_seal;  ///< Keys whose given value goes to the secret store.
  std::vector<AuditChange> changes;  ///< Empty: there is nothing to do.
};

/// Tell whether an actor may touch settings. @par Errors not_permitted
Result<void> may_manage(const Actor& actor);

/// Note everything that is wrong with a provider by itself.
std::vector<Problem> problems_of(const NewProvider& wanted, const Surroundings& around);

/// @par Errors unknown_provider_type, invalid_argument, already_exists
Result<ProviderChange> decide_create(const NewProvider& wanted, const ProviderId& id, std::string salt,
                                     const Surroundings& around);

/// @par Errors provider_type_fixed, unknown_provider_type, invalid_argument, secret_required_for_endpoint,
/// already_exists
Result<ProviderChange> decide_update(const ProviderRecord& current, const ProviderUpdate& update,
                                     const Surroundings& around);

/// What the audit says of a removal.
std::vector<AuditChange> removal_of(const ProviderRecord& record);

}  // namespace openindex::providers
