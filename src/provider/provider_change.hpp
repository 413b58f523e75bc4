// What a change of a provider means: pure decisions, without storage, secrets store or clock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/provider/provider.hpp>

#include "provider/custom_type.hpp"
#include "provider/provider_config.hpp"
#include "provider/provider_record.hpp"

namespace openindex::providers {

/// What the decisions know beside the provider itself.
struct Surroundings {
  TypePtr type = {};                          ///< Of the provider, where the host has registered it.
  std::optional<ProviderId> name_owner = {};  ///< Who has the name that is asked for.
  Allowed allowed = {};
  Validation validation = Validation::defaults;
  KeySet known_secrets = {};  ///< Keys whose given value is the one that is sealed already.
  std::string actor = {};     ///< Who does it.
  Grants grants = {};         ///< What they get, should they create it.
  Time now{};
};

struct ProviderChange {
  ProviderRecord record;             ///< As it shall be; the handles of `to_seal` are still to come.
  std::vector<std::string> to_seal;  ///< Keys whose given value goes to the secret store.
  std::vector<AuditChange> changes;  ///< Empty: there is nothing to do.
};

/// Note everything that is wrong with a provider by itself.
std::vector<Problem> problems_of(const NewProvider& wanted, const Surroundings& around);

/// Note what is wrong with a text for people, of up to 4,000 bytes.
void check_description(std::string_view text, std::vector<Problem>& problems);

/// @par Errors unknown_provider_type, invalid_argument, already_exists
Result<ProviderChange> decide_create(const NewProvider& wanted, const ProviderId& id, std::string salt,
                                     const Surroundings& around);

/// @par Errors provider_type_fixed, unknown_provider_type, invalid_argument, secret_required_for_endpoint,
/// already_exists
Result<ProviderChange> decide_update(const ProviderRecord& current, const ProviderUpdate& update,
                                     const Surroundings& around);

/// Set what a user may do; nothing: they may do no more than others.
/// @par Errors invalid_argument: the user, or too many of them
Result<ProviderChange> decide_grant(const ProviderRecord& current, const std::string& user, const AccessSet& access);

/// What the audit says of a removal.
std::vector<AuditChange> removal_of(const ProviderRecord& record);

/// The type of a provider, from the catalog or as the host has registered it; null: there is none.
TypePtr type_of(const Surroundings& around, std::string_view name);

/// How the audit shows a text: one that is long by its size.
std::string audit_text(std::string_view text);

}  // namespace openindex::providers
