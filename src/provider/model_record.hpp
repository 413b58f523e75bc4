// How a model of an integration is stored: a record of its own below its provider's. Whatever changes it writes the
// provider's record as well, whose version thereby guards all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/result.hpp>
#include <openindex/provider/integration.hpp>
#include <openindex/storage/storage.hpp>

#include "provider/provider_record.hpp"
#include "provider/sealed_secret.hpp"

namespace openindex::providers {

/// A prompt that a model is associated with. One that is written anew under the same name is another one.
struct PromptBinding {
  std::string name;
  std::string id;
};

struct ModelRecord {
  ProviderId provider;
  std::string name;
  std::uint64_t version = 0;  ///< 0: not stored yet.
  std::string description;
  bool enabled = true;
  ProviderConfig config;
  SealedSecrets secrets;
  std::vector<ProviderTag> tags;
  std::optional<TokenLimit> limit;
  std::vector<PromptBinding> prompts;  ///< By name.
  Time created_at{};
  Time updated_at{};
  std::string created_by;
  std::string updated_by;
  std::string extra;

  [[nodiscard]] RecordId id() const;
  /// What stands before a key in the name of one of its secrets.
  [[nodiscard]] std::string secret_scope() const;
};

RecordId model_record(const ProviderId& provider, std::string_view model);

Put write_model(const ModelRecord& record);
/// @par Errors storage_corrupt
Result<ModelRecord> read_model(const Record& record);

/// Read one; nullopt: there is none. @par Errors storage
Result<std::optional<ModelRecord>> load_model(Storage& storage, const ProviderId& provider, const std::string& model);

/// Read all of a provider, by name; reads nothing when it says that it has none. @par Errors storage
Result<std::vector<ModelRecord>> load_models(Storage& storage, const ProviderRecord& provider);

/// What readers get.
IntegrationModel view_of(const ModelRecord& record, const std::string& integration);

}  // namespace openindex::providers
