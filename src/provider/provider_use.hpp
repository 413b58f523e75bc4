// Which stages a provider serves, and the work that stands there.
#pragma once

#include <openindex/core/result.hpp>
#include <openindex/provider/provider.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex::providers {

/// Read all settings of stages, and count the open work of those that name the provider: its cost grows with the number
/// of stages and with what is open, not with what has ended. @par Errors storage
Result<ProviderUse> use_of(Storage& storage, const ProviderId& id);

}  // namespace openindex::providers
