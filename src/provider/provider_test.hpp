// Trying providers out: the requests that a test sends, on the calling thread.
#pragma once

#include "provider/provider_directory.hpp"

namespace openindex::providers {

/// Ask a model's provider which models it has. @par Errors invalid_argument (no request can be made), secret_unreadable
Result<ProviderTest> test_model(ProviderRegistry::Directory& directory, const ProviderRecord& record);

/// Ask a service of another kind who it is. @par Errors as test_model
Result<ProviderTest> test_service(ProviderRegistry::Directory& directory, const ProviderRecord& record,
                                  const ProviderType& type);

}  // namespace openindex::providers
