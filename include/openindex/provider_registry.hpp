// ProviderRegistry: the AI backends of a deployment, with their secrets sealed. (openindex.md 2.6)
//
// Admin work: people and the host may change providers, agents and runs may not. Creating one needs scope `admin`; what
// a person has created is theirs until they, or an administrator, grant others a part in it (`Grants`). A secret is
// bound to the endpoint it was given for: changing `endpoint` without giving the secret again is refused, and so is
// changing `roleArn` without its `externalId`; that holds for a reference (`env:NAME`, `file:PATH`) as well.
//
// Every call that changes something takes an idempotency key, but for `reseal`, which a repeat only goes on with; the
// fence is for items. With a key, each may also fail with idempotency_conflict, with invalid_argument (the key) and as
// the secret store does, which seals what requests are told apart by: a request may hold a secret, so that its digest
// is keyed. Answers are remembered without secrets, and `commit_unknown` is cleared up by the same call again.
//
// Thread safety: all methods, from any threads. Lifetime: all that its options refer to must outlive it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/random.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_client.hpp>
#include <openindex/net/connector.hpp>
#include <openindex/provider/aws_identity.hpp>
#include <openindex/provider/provider.hpp>
#include <openindex/provider/provider_catalog.hpp>
#include <openindex/provider/secret_files.hpp>
#include <openindex/provider/secret_store.hpp>
#include <openindex/storage/storage.hpp>
#include <openindex/work/call_options.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API ProviderRegistry {
 public:
  struct Options {
    Storage& storage;
    SecretStore& secrets;
    HttpClient& http;
    Clock& clock = system_clock();
    RandomSource& random = system_random();
    /// Environment variables that a configuration value `env:NAME` may name, for any key; the variable is read at each
    /// use. Whoever may change a provider can send these variables' values to an endpoint of their choice.
    std::vector<std::string> allowed_env = {};
    /// Files that a value `file:PATH` may name, likewise; null: none.
    SecretFiles* files = nullptr;
    Validation validation = Validation::defaults;
    /// For tests of brokers and databases; null: those are not tried out.
    Connector* connector = nullptr;
    /// Who the host is at AWS, for providers whose connectionType is CONDUCTOR_ROLE or EXTERNAL_ROLE; null: those are
    /// refused when they are used. Whoever may change a provider acts there in the host's name.
    AwsIdentity* aws_identity = nullptr;
  };
  explicit ProviderRegistry(Options options);
  ~ProviderRegistry();
  ProviderRegistry(const ProviderRegistry&) = delete;
  ProviderRegistry& operator=(const ProviderRegistry&) = delete;

  /// Create a provider.
  /// @par Errors unknown_provider_type (allowed: the types), invalid_argument (problems: every missing, unknown or
  /// malformed key at once), already_exists (the name), not_permitted, contention, those of the secret store, storage
  Result<Provider> create(const Actor& actor, const NewProvider& provider, const CallOptions& call = {});

  /// Create a provider, or update the one of that name: for set-up code that runs at every start.
  /// @par Errors those of create and update
  Result<Provider> save(const Actor& actor, const NewProvider& provider, const CallOptions& call = {});

  /// Find by id. @par Errors not_found, storage
  Result<Provider> get(const ProviderId& id);

  /// Find by name. @par Errors not_found, storage
  Result<Provider> find(const std::string& name);

  /// Judge a provider without writing it, as `create` would; every problem with its pointer, none: it would be written
  /// unless its name is taken. Needs no network.
  [[nodiscard]] std::vector<Problem> check(const NewProvider& provider, Validation validation) const;

  /// Return all, by name. @par Errors storage
  Result<std::vector<Provider>> list();

  /// Change a provider; what is not named stays. An update that changes nothing, the secret included, writes nothing.
  /// @par Errors not_found, provider_type_fixed, secret_required_for_endpoint (missing: the keys to give),
  /// invalid_argument, already_exists, not_permitted, contention, those of the secret store, storage
  Result<Provider> update(const Actor& actor, const ProviderId& id, const ProviderUpdate& update,
                          const CallOptions& call = {});

  /// Say what a user may do with a provider, whatever it was before; nothing: no more than others.
  /// Administrators may, and who may do everything with it.
  /// @par Errors not_found, not_permitted, invalid_argument (the user's id; more than 1,000), contention, storage
  Result<Provider> grant(const Actor& actor, const ProviderId& id, const std::string& user, const AccessSet& access,
                         const CallOptions& call = {});

  /// Return which stages a provider serves, with the work that stands there: before it is removed or disabled, for one.
  /// Reads all settings of stages, and of the items those that are open. @par Errors not_found, storage
  Result<ProviderUse> use(const ProviderId& id);

  /// Remove a provider, with its models. Stages that name it go to their next provider, or their runs wait with
  /// `no_provider` until one is attached.
  /// @returns which those are @par Errors not_found, not_permitted, contention, storage
  Result<ProviderUse> remove(const Actor& actor, const ProviderId& id, const CallOptions& call = {});

  /// Seal every secret anew that the store would seal otherwise now, under another key of the host: the values stay.
  /// What cannot be opened stays as it is, and is told; only what requests are told apart by is made anew, whose
  /// repeats are then refused with idempotency_conflict. Calls go on beside it.
  /// @par Errors not_permitted, those of the secret store, storage
  Result<Resealed> reseal(const Actor& actor);

  /// Find out whether a provider works, by one cheap request on the calling thread, after another one where a
  /// credential has to be exchanged first; what fails is in the result. Models, clouds, most vector databases and mail
  /// are asked over HTTP; NATS, AMQP, Kafka, PostgreSQL and MongoDB up to a login, under TLS where it is asked for and
  /// the connector can begin it, the other brokers and databases as far as a connection, and the message says that no
  /// more was proved. Certificates are always verified.
  /// @par Errors not_found, not_permitted, secret_unreadable, host_callback_failed, storage
  Result<ProviderTest> test(const Actor& actor, const ProviderId& id);

  /// The inside, for the dispatcher; not part of the public API.
  class Directory;
  [[nodiscard]] Directory& directory() noexcept { return *directory_; }

 private:
  std::unique_ptr<Directory> directory_;
};

}  // namespace v0
}  // namespace openindex
