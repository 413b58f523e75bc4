// Which model of a provider is asked, and whether it may be now.
#pragma once

#include <string>

#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/storage/storage.hpp>

#include "provider/provider_record.hpp"

namespace openindex::providers {

/// Return the model of a provider that names none: the one that is registered for it and enabled, if there is just one;
/// else empty. @par Errors storage
Result<std::string> registered_model(Storage& storage, const ProviderRecord& provider);

/// What is wrong when there is none.
Error no_model(const ProviderRecord& provider);

/// Tell whether a model may be asked: it is not disabled, and no limit of tokens is reached.
/// @par Errors provider_disabled, token_limit_reached (retry_after: until the next period), storage
Result<void> may_ask(Storage& storage, const ProviderRecord& provider, const std::string& model, Time now);

}  // namespace openindex::providers
