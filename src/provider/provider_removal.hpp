// The removal of a provider with all that belongs to it.
#pragma once

#include <functional>

#include "provider/provider_draft.hpp"

namespace openindex::providers {

/// Remove the provider that `find` finds, and tell whom it served. @par Errors those of find, not_permitted,
/// contention, storage
Result<ProviderUse> remove_provider(ProviderRegistry::Directory& directory, const Actor& actor,
                                    const CallRequest& request, const std::function<Result<ProviderRecord>()>& find);

}  // namespace openindex::providers
