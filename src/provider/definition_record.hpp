// How a definition is stored that was registered: a record by its type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/provider/integration.hpp>
#include <openindex/provider/provider_catalog.hpp>
#include <openindex/storage/storage.hpp>

#include "engine/audit_chain.hpp"

namespace openindex::providers {

struct DefinitionRecord {
  IntegrationDefinition definition;  ///< As it was given: of a type of the catalog, what is empty stays the catalog's.
  std::uint64_t version = 0;         ///< 0: not stored yet.
  engine::ChainHead chain;
  std::string extra;

  [[nodiscard]] std::string stream() const { return "provider_type." + definition.type; }
};

/// Tell whether a type may be called so.
bool is_type_name(std::string_view name) noexcept;

RecordId definition_record(std::string_view type);

Put write_definition(const DefinitionRecord& record);
/// @par Errors storage_corrupt
Result<DefinitionRecord> read_definition(const Record& record);

/// Read one; nullopt: none was registered. @par Errors storage
Result<std::optional<DefinitionRecord>> load_definition(Storage& storage, std::string_view type);

/// Read all, by type. @par Errors storage
Result<std::vector<DefinitionRecord>> load_definitions(Storage& storage);

/// The definition of a type of the catalog.
IntegrationDefinition catalog_definition(const ProviderType& type);

/// How readers see what was registered: in front of the catalog's, when it has the type.
IntegrationDefinition shown_definition(const IntegrationDefinition& registered);

/// How a category is called; empty: it is none.
std::string_view category_label(std::string_view category) noexcept;

/// How a key or a type is called that nobody has named: by its words.
std::string words_of(std::string_view key);

}  // namespace openindex::providers
