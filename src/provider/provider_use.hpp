// Which stages a provider serves, and the work that stands there.
#pragma once

#include <openindex/core/result.hpp>
#include <openindex/provider/provider.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex::providers {

/// Read all settings of stages, and count unresolved items of those that name the provider. @par Errors storage
Result<ProviderUse> use_of(Storage& storage, const ProviderId& id);

}  // namespace openindex::providers
