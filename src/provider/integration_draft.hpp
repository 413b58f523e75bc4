// What the methods of Integrations share: finding by name, and drafting models and tags below a provider.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <openindex/provider/integration.hpp>

#include "provider/model_change.hpp"
#include "provider/provider_draft.hpp"

namespace openindex::providers {

/// Find a provider by its name. @par Errors not_found, in the words that Conductor's clients look for; storage
Result<ProviderRecord> load_integration(ProviderRegistry::Directory& directory, const std::string& name);

/// Find a model of it, likewise.
Result<ModelRecord> load_model_of(ProviderRegistry::Directory& directory, const ProviderRecord& provider,
                                  const std::string& model);

/// What readers get, without models.
Integration integration_of(const ProviderRecord& record);

/// Save a model below a provider that is being changed.
/// @par Errors not_permitted, invalid_argument, those of the secret store, storage
Result<ModelRecord> draft_model(ProviderRegistry::Directory& directory, const Actor& actor, ProviderDraft& draft,
                                const std::string& model, const IntegrationModelUpdate& update,
                                std::span<const ProviderTag> tags);

/// Give a provider these tags, or its model. @par Errors invalid_argument: too many
Result<void> set_tags(ProviderDraft& draft, ModelRecord* model, std::vector<ProviderTag> tags);

/// Change one provider, found by its name, or a model below it. `decide` changes the draft and says what it did.
Result<void> change_integration(ProviderRegistry::Directory& directory, const Actor& actor, const CallRequest& request,
                                const std::string& name, Access access,
                                const std::function<Result<void>(ProviderDraft&, Time now)>& decide);

/// What a call answers that answers nothing.
template <class Answer>
Result<void> nothing(const Result<Answer>& done) {
  if (!done) return done.error();
  return {};
}

}  // namespace openindex::providers
