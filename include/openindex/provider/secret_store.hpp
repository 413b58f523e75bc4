// SecretStore: where secret values of providers go, and come back from only to make a call.
//
// `ProviderRegistry` calls it; `SealedSecretStore` implements it, and a host may plug in its vault. `seal` turns a
// value into a handle, which is stored with the provider in the same commit; the handle must not reveal the value.
//
// For implementers: called from any thread, concurrently; may block. Never put a value into an error.
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

/// What a secret belongs to; a handle opens only for the name it was sealed for.
struct SecretName {
  std::string_view provider;  ///< Id of the provider record; `requests`: what keyed digests of requests are made with.
  std::string_view key;       ///< Configuration key, such as `api_key`.
};

class OPENINDEX_API SecretStore {
 public:
  SecretStore() = default;
  virtual ~SecretStore();
  SecretStore(const SecretStore&) = delete;
  SecretStore& operator=(const SecretStore&) = delete;

  /// Put a value away and return its handle, printable text. @par Errors secret_unreadable (no key),
  /// host_callback_failed
  virtual Result<std::string> seal(const SecretName& name, std::string_view value) = 0;

  /// Return the value of a handle. The registry refuses one that the key could not have been given, such as an empty
  /// one or a key with a line break (invalid_argument, context `provider` and `key`). @par Errors secret_unreadable
  virtual Result<std::string> open(const SecretName& name, std::string_view handle) = 0;

  /// Tell whether a handle is as good as one that `seal` would make now; others are sealed anew by
  /// `ProviderRegistry::reseal`. By itself: yes.
  [[nodiscard]] virtual bool is_current(std::string_view handle) const;
};

}  // namespace v0
}  // namespace openindex
