// The inside of ProviderRegistry: what the dispatcher needs to make a call, secrets included.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <openindex/provider_registry.hpp>

#include "codecs/chat_codec.hpp"
#include "provider/custom_type.hpp"
#include "provider/provider_login.hpp"
#include "provider/provider_record.hpp"
#include "provider/request_key.hpp"
#include "provider/service_probe.hpp"

namespace openindex {
inline namespace v0 {

class ProviderRegistry::Directory {
 public:
  /// Where a provider's chat requests go.
  struct Endpoint : codecs::ChatEndpoint {
    /// To be sent before any call, or beside it when `is_granted`: see `keep_grant`.
    std::optional<providers::ProviderLogin> login = {};
    std::string model_name = {};  ///< As it is set or registered, without a namespace.
    std::string type = {};        ///< The provider's.
    bool is_granted = false;      ///< Its credential is one that `refused` forgets.
  };

  explicit Directory(Options options);

  /// Resolve where a provider's chat requests go, with its secret opened.
  /// @par Errors not_found, provider_disabled, invalid_argument (a type that does not chat), those of settings
  Result<Endpoint> endpoint(const ProviderId& id);

  /// What a record's configuration comes to.
  struct Settings {
    providers::Values values;
    std::optional<providers::Grant> grant = {};  ///< The credential, where that is not the configuration's own.
    /// To be sent before any call when a grant is wanting, or beside calls with one that should be renewed.
    std::optional<providers::ProviderLogin> login = {};
  };

  /// Open a configuration. May ask the host's identity at AWS.
  /// @par Errors secret_unreadable, invalid_argument (keys that are missing; the host has no identity), those of
  /// `AwsIdentity`
  Result<Settings> settings(const providers::ProviderRecord& record, const ProviderType& type);

  /// The same from a record at hand, enabled or not. @par Errors as settings
  Result<Endpoint> resolve(const providers::ProviderRecord& record);

  /// Keep the grant that a login is answered with: resolved again, the endpoint has it.
  /// @par Errors the provider_* codes, those of `HttpClient`
  Result<void> keep_grant(const providers::ProviderLogin& login, const Result<HttpResponse>& answer);

  /// Forget a grant that the provider refuses, if it is the one that is kept. `access_key`: of AWS, or empty.
  void refused(const ProviderId& provider, std::string_view access_key, std::string_view secret);

  /// Forget the grants of a provider that is removed.
  void removed(const ProviderId& provider) { grants_.forget(provider); }

  /// Read a provider; of one that is not there any more, its grants are forgotten. @par Errors not_found, storage
  Result<providers::ProviderRecord> load(const ProviderId& id);

  /// The same by name, and all of them by name. @par Errors not_found, storage
  Result<providers::ProviderRecord> load_named(const std::string& name);
  Result<std::vector<providers::ProviderRecord>> load_all();

  /// Find a type, of the catalog or registered by the host; null: there is none. @par Errors storage
  Result<providers::TypePtr> find_type(std::string_view name);

  /// Return who has a name; nullopt: nobody. @par Errors storage
  Result<std::optional<ProviderId>> owner_of(const std::string& name);

  /// Seal a value, also with a store that throws. @par Errors as SecretStore::seal
  Result<std::string> seal(const SecretName& name, std::string_view value);

  /// Put the value of a sealed secret away anew, unless it is as the store would put it now; changes the handle.
  /// @returns whether it was @par Errors as SecretStore::open and seal
  Result<bool> reseal(const SecretName& name, std::string& handle);

  /// Tell whether a value is what is sealed under a key of a provider or, with what stands before its keys, of a model;
  /// false also when that cannot be read any more.
  bool is_sealed(const providers::ProviderRecord& record, const std::string& key, std::string_view value) {
    return is_sealed(record, record.secrets, "", key, value);
  }
  bool is_sealed(const providers::ProviderRecord& record, const providers::SealedSecrets& secrets,
                 const std::string& scope, const std::string& key, std::string_view value);

  /// Open what is sealed under a name, also with a store that throws. @par Errors as SecretStore::open
  Result<std::string> open(const SecretName& name, std::string_view handle);

  Options options;
  providers::RequestKey request_key;
  std::atomic<std::uint64_t> answers_count = 0;  ///< Remembered by this process.

 private:
  Result<std::string> open(const providers::ProviderRecord& record, const ProviderKey& row);
  Result<std::string> value_of(const providers::ProviderRecord& record, const ProviderKey& row);
  Result<void> authorize(Settings& settings, const providers::ProviderRecord& record, const ProviderType& type);
  bool is_login_due(Settings& settings, const providers::ProviderRecord& record, Time now);
  Result<void> authorize_google(Settings& settings, const providers::ProviderRecord& record, std::string_view account);
  Result<void> authorize_aws(Settings& settings, const providers::ProviderRecord& record);
  Result<AwsCredentials> host_credentials(std::string_view connection);

  providers::GrantCache grants_;
  std::atomic<bool> had_host_credentials_{false};
};

}  // namespace v0
}  // namespace openindex
