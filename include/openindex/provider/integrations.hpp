// Integrations: a ProviderRegistry in Conductor's words. The same records, checks, secrets and audit: what is saved
// here is a provider there, and the other way round. (seed: Create or Update Integration Provider;
// conductor-integrations.md)
//
// Whoever serves Conductor's routes calls it; row numbers below are those of conductor-integrations.md, section 2.
//
// Who may do what: creating an integration needs scope `admin`; changing one, its models, tags, prompts and limits
// needs its `Access::UPDATE`, removing `Access::DELETE` (see `Grants`). Reads carry no actor: the host decides who
// reads.
//
// Errors of all methods that name an integration or a model: not_found, beginning `No such integration`. Of all that
// change something: not_permitted, contention, storage, those of the secret store.
//
// Every call that changes something takes an idempotency key, as those of `ProviderRegistry` do and with the same
// errors.
//
// Thread safety: all methods, from any threads. Lifetime: the registry must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>
#include <openindex/provider/integration.hpp>
#include <openindex/work/call_options.hpp>

namespace openindex {
inline namespace v0 {

class ProviderRegistry;

class OPENINDEX_API Integrations {
 public:
  explicit Integrations(ProviderRegistry& registry) noexcept : registry_(registry) {}

  /// Create or update an integration. (row 1)
  /// @par Errors unknown_provider_type, provider_type_fixed, invalid_argument (problems: all at once, also that the
  /// type of a new one is missing), secret_required_for_endpoint
  Result<Integration> save(const Actor& actor, const std::string& name, const IntegrationUpdate& update,
                           const CallOptions& call = {});

  /// Find one. (row 2) @par Errors not_found
  Result<Integration> get(const std::string& name);

  /// Return those that match, by name. (rows 4 and 5) @par Errors invalid_argument: a category that is none
  Result<std::vector<Integration>> list(const IntegrationFilter& filter = {});

  /// Return `integration:model` of each model that is enabled, or bare `integration` where there is none. (row 7)
  /// @par Errors as list
  Result<std::vector<std::string>> names(const IntegrationFilter& filter = {});

  /// Create or update several with their models and tags, all of them or none. Models and tags that are not named stay.
  /// Takes what `list` gives. At most 100 integrations and 1,000 models. (row 6)
  /// @par Errors those of save and save_model; a problem's pointer begins with the place, such as `/3/apis/0`
  Result<void> save_all(const Actor& actor, std::span<const Integration> integrations, const CallOptions& call = {});

  /// Remove one, with its models. (row 3) @par Errors not_found
  Result<ProviderUse> remove(const Actor& actor, const std::string& name, const CallOptions& call = {});

  /// Return the definitions of all types, by type, or of one: those of the catalog, and what was registered.
  /// (rows 8 and 9) @par Errors unknown_provider_type, storage
  Result<std::vector<IntegrationDefinition>> definitions();
  Result<IntegrationDefinition> definition(std::string_view type);

  /// Register definitions or change them, all of them or none; needs scope `admin`. At most 100 a call, and 1,000 types
  /// beside the catalog's. (row 10)
  ///
  /// Of a type of the catalog a definition says how type and keys are called and described; what is empty stays the
  /// catalog's, and whatever else it says must be as it is there: it cannot make a secret public. Another type is the
  /// host's own: integrations of it are saved, checked, sealed and read as others, but nothing here can call or test
  /// them. Its keys of type PASSWORD and FILE are secrets, and so must be those whose names are secrets throughout the
  /// catalog; give PASSWORD to whatever may hold credentials, addresses included. A key stays once it is registered,
  /// and stays a secret or none. `dependsOn` makes a key that is not optional required while it holds.
  /// @par Errors not_permitted, invalid_argument (problems: all at once, such as `/0/configuration/2/fieldType`)
  Result<void> register_definitions(const Actor& actor, std::span<const IntegrationDefinition> definitions,
                                    const CallOptions& call = {});

  /// Register a model, or change what is known of it: at most 1,000 for each integration. (row 14)
  /// @par Errors not_found (the integration), invalid_argument
  Result<IntegrationModel> save_model(const Actor& actor, const std::string& name, const std::string& model,
                                      const IntegrationModelUpdate& update, const CallOptions& call = {});

  /// Find a model. (row 15) @par Errors not_found
  Result<IntegrationModel> model(const std::string& name, const std::string& model);

  /// Return the models of one integration, by name. (row 12) @par Errors not_found
  Result<std::vector<IntegrationModel>> models(const std::string& name, bool active_only = true);

  /// Return the models that this library knows servers of the integration's type to offer, by name: a short list that
  /// comes with it, empty for most types, and asked of nobody. (row 13) @par Errors not_found
  Result<std::vector<std::string>> offered_models(const std::string& name);

  /// Remove a model. (row 16) @par Errors not_found
  Result<void> remove_model(const Actor& actor, const std::string& name, const std::string& model,
                            const CallOptions& call = {});

  /// Add tags to an integration, or to a model of it; those that are there already stay. At most 100. (rows 17, 20)
  /// @par Errors not_found, invalid_argument
  Result<void> put_tags(const Actor& actor, const std::string& name, std::span<const ProviderTag> tags,
                        const CallOptions& call = {});
  Result<void> put_tags(const Actor& actor, const std::string& name, const std::string& model,
                        std::span<const ProviderTag> tags, const CallOptions& call = {});

  /// Return the tags, in the order of key and value. (rows 18, 20) @par Errors not_found
  Result<std::vector<ProviderTag>> tags(const std::string& name);
  Result<std::vector<ProviderTag>> tags(const std::string& name, const std::string& model);

  /// Take tags away; those that are not there are none. (rows 19, 20) @par Errors not_found
  Result<void> remove_tags(const Actor& actor, const std::string& name, std::span<const ProviderTag> tags,
                           const CallOptions& call = {});
  Result<void> remove_tags(const Actor& actor, const std::string& name, const std::string& model,
                           std::span<const ProviderTag> tags, const CallOptions& call = {});

  /// Write a prompt; people and the host may write new ones, and those who wrote it first, administrators and the host
  /// change it. A save that changes nothing writes nothing.
  /// @par Errors invalid_argument, not_permitted
  Result<Prompt> save_prompt(const Actor& actor, const std::string& prompt, const std::string& text,
                             const std::string& description, const CallOptions& call = {});

  /// Find a prompt. @par Errors not_found (`No such prompt`)
  Result<Prompt> prompt(const std::string& prompt);

  /// Return all prompts, by name.
  Result<std::vector<Prompt>> prompts();

  /// Remove a prompt, as who may change it; it is associated with no model any more.
  /// @par Errors not_found (`No such prompt`), not_permitted
  Result<void> remove_prompt(const Actor& actor, const std::string& prompt, const CallOptions& call = {});

  /// Associate a prompt with a model: at most 100 for each. (row 21)
  /// @par Errors not_found (any of the three), invalid_argument
  Result<void> associate_prompt(const Actor& actor, const std::string& name, const std::string& model,
                                const std::string& prompt, const CallOptions& call = {});

  /// Return the prompts of a model, by name. (row 22) @par Errors not_found
  Result<std::vector<Prompt>> prompts_of(const std::string& name, const std::string& model);

  /// Count tokens that were used elsewhere; what the dispatcher's runs use is counted by itself. (row 24)
  /// `use.period_start` is any moment of the day it was, at most 400 days ago; the default is now. Needs
  /// `Access::UPDATE`. @par Errors not_found, invalid_argument (more than 10^15, another time)
  Result<void> add_tokens(const Actor& actor, const std::string& name, const TokenUse& use,
                          const CallOptions& call = {});

  /// Return the tokens of each model of an integration, or of one model, since the beginning. (rows 25, 23)
  /// @par Errors not_found
  Result<std::map<std::string, std::uint64_t>> tokens(const std::string& name);
  Result<std::uint64_t> tokens(const std::string& name, const std::string& model);

  /// Return use day by day, the latest first, today and `days` before it, 1 to 366. `model` empty: of all. (row 28)
  /// @par Errors not_found, invalid_argument
  Result<std::vector<TokenUse>> token_history(const std::string& name, const std::string& model = {},
                                              std::uint32_t days = 31);

  /// Limit the tokens of an integration, all its models together. A run that would ask a model beyond it goes to the
  /// next provider of its stage, or waits with `token_limit` until the next period; the answer that reaches the
  /// limit is the last one, but for those that runs have asked for already. (row 27) @par Errors not_found,
  /// invalid_argument
  Result<void> limit_tokens(const Actor& actor, const std::string& name, const TokenLimit& limit,
                            const CallOptions& call = {});

  /// Return the limit; `tokens_max` 0: there is none. (row 27) @par Errors not_found
  Result<TokenLimit> token_limit(const std::string& name);

  /// Count events of integrations of one type, at most 10,000 a call. People and the host may. After `commit_unknown`
  /// they may be counted already, and a repeat without an idempotency key may count them twice. (row 26)
  /// @par Errors unknown_provider_type, invalid_argument (also when the type has 1,000 names already)
  Result<void> record_events(const Actor& actor, const std::string& type, std::span<const IntegrationEvent> events,
                             const CallOptions& call = {});

  /// Return the counts of one type, by event. @par Errors unknown_provider_type
  Result<std::vector<EventCount>> event_counts(const std::string& type);

 private:
  ProviderRegistry& registry_;
};

}  // namespace v0
}  // namespace openindex
