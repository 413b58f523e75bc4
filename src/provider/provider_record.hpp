// How a provider is stored: one record by id, and one by name that keeps the name unique.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <openindex/provider/provider.hpp>
#include <openindex/storage/change_set.hpp>

#include "engine/audit_chain.hpp"
#include "provider/sealed_secret.hpp"

namespace openindex::providers {

struct ProviderRecord {
  ProviderId id;
  std::uint64_t version = 0;  ///< 0: not stored yet.
  std::string name;
  std::string type;
  bool enabled = true;
  ProviderConfig config;  ///< Values in the clear, `env:NAME` references to secrets among them.
  SealedSecrets secrets;
  std::string salt;  ///< Of the fingerprints: those of two providers do not compare.
  engine::ChainHead chain;
  Time created_at{};
  Time updated_at{};
  std::string description;
  std::string category;  ///< Empty: that of the type.
  std::vector<ProviderTag> tags;
  std::optional<TokenLimit> token_limit;
  std::uint64_t models = 0;  ///< How many records of models there are.
  std::string created_by;
  std::string updated_by;
  Grants grants;
  std::string extra;

  [[nodiscard]] bool has(std::string_view key) const { return config.contains(key) || secrets.contains(key); }
  [[nodiscard]] std::string stream() const { return "provider." + id.str(); }
};

RecordId provider_record(const ProviderId& id);
RecordId name_record(const std::string& name);

Put write_provider(const ProviderRecord& record);
/// @par Errors storage_corrupt
Result<ProviderRecord> read_provider(const Record& record);

/// What stays of a provider that is removed: where the chain of its audit stands.
Put write_gone(const ProviderRecord& record);

Put write_name(const std::string& name, const ProviderId& id);
/// @par Errors storage_corrupt
Result<ProviderId> read_name(const Record& record);

/// What readers get: no handle, and no value of a secret key unless it is a reference.
Provider view_of(const ProviderRecord& record);

/// Fingerprint of a secret of this provider.
std::string fingerprint(const ProviderRecord& record, std::string_view secret);

}  // namespace openindex::providers
