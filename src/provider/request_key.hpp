// What requests that are remembered by their callers' keys are told apart by. A request may hold a secret, so that its
// digest is keyed: who reads the database can try no guesses against it.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include <openindex/core/result.hpp>
#include <openindex/provider_registry.hpp>

namespace openindex::providers {

/// One key for each storage: random, sealed by the host's secret store, made when it is first asked for. Safe to use
/// from many threads.
class RequestKey {
 public:
  /// Digest all that was asked. @par Errors those of the secret store, storage
  Result<std::string> digest(ProviderRegistry::Directory& directory, std::string_view what);

  /// Seal the key anew where the store would seal it otherwise now. One that cannot be opened is replaced: what was
  /// remembered until then is told apart no more, and the same request is refused as another one.
  /// @par Errors those of the secret store, storage
  Result<void> reseal(ProviderRegistry::Directory& directory);

 private:
  Result<std::string> value(ProviderRegistry::Directory& directory);

  std::mutex mutex_;
  std::string handle_;  ///< That `value_` was opened from.
  std::string value_;
};

}  // namespace openindex::providers
