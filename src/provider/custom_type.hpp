// Types of providers that the host has registered, beside those of the catalog: in the form that decisions know.
#pragma once

#include <memory>
#include <string_view>

#include <openindex/provider/integration.hpp>
#include <openindex/provider/provider_catalog.hpp>

namespace openindex::providers {

using TypePtr = std::shared_ptr<const ProviderType>;

/// Find a type of the catalog; null: there is none.
TypePtr catalog_type(std::string_view name);

/// Make a type of a definition that has been checked. Its keys hold any text. One that is called as a key that names a
/// server in the catalog binds secrets as that does.
TypePtr custom_type(IntegrationDefinition definition);

/// Tell whether values of a field are sealed.
bool is_secret(IntegrationFormField::Type type) noexcept;

/// Tell whether a key of this name is in the catalog, and a secret wherever it is.
bool is_always_secret(std::string_view key) noexcept;

}  // namespace openindex::providers
