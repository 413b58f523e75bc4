// What a change of a model of an integration means: pure decisions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/provider/integration.hpp>

#include "provider/model_record.hpp"
#include "provider/provider_change.hpp"

namespace openindex::providers {

struct ModelChange {
  ModelRecord record;                ///< As it shall be; the handles of `to_seal` are still to come.
  std::vector<std::string> to_seal;  ///< Keys whose given value goes to the secret store.
  std::vector<AuditChange> changes;  ///< Empty: there is nothing to do.
};

/// Decide what a save makes of a model; `current.version` 0: it is new.
/// @par Errors invalid_argument
Result<ModelChange> decide_model(const ModelRecord& current, const ProviderRecord& provider,
                                 const IntegrationModelUpdate& update, const Surroundings& around);

/// Note what is wrong with a limit, or with tags, at this place.
void check_limit(const TokenLimit& limit, std::vector<Problem>& problems);
void check_tags(std::span<const ProviderTag> tags, std::vector<Problem>& problems);

/// Add tags, or take them away; they stay in order. @returns whether that changes anything
bool add_tags(std::vector<ProviderTag>& held, std::span<const ProviderTag> tags);
bool take_tags(std::vector<ProviderTag>& held, std::span<const ProviderTag> tags);

/// How the audit shows tags, and a limit.
std::string display(std::span<const ProviderTag> tags);
std::string display(const std::optional<TokenLimit>& limit);

/// What of a configuration that replaces another one has to be changed: all that differs, and an empty value for what
/// is not named any more. A secret stays, unless its key is named; sent as the mask, it
/// stays as well. So does a reference.
ProviderConfig config_between(const ProviderConfig& held, const SealedSecrets& secrets, const ProviderConfig& wanted);

}  // namespace openindex::providers
