#include <openindex/provider_registry.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "provider/model_record.hpp"
#include "provider/probe_result.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_change.hpp"
#include "provider/provider_directory.hpp"
#include "provider/provider_draft.hpp"
#include "provider/provider_record.hpp"
#include "provider/provider_removal.hpp"
#include "provider/provider_test.hpp"
#include "provider/provider_use.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::ProviderAnswer;
using providers::ProviderCommit;
using providers::ProviderDraft;
using providers::ProviderRecord;

/// Seal anew what a provider and its models keep, while others may be changing it.
Result<Resealed> reseal_one(ProviderRegistry::Directory& directory, const Actor& actor, const ProviderId& id) {
  return providers::land_decision(directory, actor, [&](ProviderCommit& commit) -> Result<Resealed> {
    Resealed out;
    auto record = directory.load(id);
    if (!record && record.error().code() == errc::not_found) return out;  // removed meanwhile
    if (!record) return record.error();
    // Which of the secrets under one scope were sealed anew.
    const auto renew = [&](providers::SealedSecrets& secrets, const std::string& scope,
                           const std::string& shown) -> Result<std::vector<std::string>> {
      std::vector<std::string> renewed;
      for (auto& [key, secret] : secrets) {
        const auto sealed = directory.reseal({id.str(), scope + key}, secret.handle);
        if (!sealed && sealed.error().code() != errc::secret_unreadable) return sealed.error();
        if (!sealed) out.broken.push_back(sealed.error().with("provider", id.str()).with("key", shown + key));
        if (sealed && *sealed) renewed.push_back(key);
      }
      out.secrets += renewed.size();
      return renewed;
    };
    std::vector<AuditChange> changes;
    const auto own = renew(record->secrets, "", "");
    if (!own) return own.error();
    for (const std::string& key : *own) changes.push_back({"config." + key, "set", "sealed anew"});
    ProviderDraft draft = ProviderDraft::of(std::move(*record));
    draft.concerns_runs = false;
    auto models = providers::load_models(directory.options.storage, draft.record);
    if (!models) return models.error();
    for (providers::ModelRecord& model : *models) {
      const auto of_model = renew(model.secrets, model.secret_scope(), "models." + model.name + ".");
      if (!of_model) return of_model.error();
      if (of_model->empty()) continue;
      changes.push_back({"models." + model.name + ".config", "set", "sealed anew"});
      draft.puts.push_back(providers::write_model(model));
    }
    draft.note("admin.ai_provider_updated", std::move(changes));
    commit.write(draft);
    return out;
  });
}

/// Change one, and tell whom it served when that disables it.
Result<ProviderAnswer> change_provider(ProviderRegistry::Directory& directory, const Actor& actor,
                                       const ProviderRecord& current, const ProviderUpdate& update,
                                       ProviderCommit& commit) {
  auto draft = providers::draft_update(directory, actor, current, update);
  if (!draft) return draft.error();
  auto left_without = providers::left_without(directory.options.storage, *draft);
  if (!left_without) return left_without.error();
  commit.write(*draft);
  return ProviderAnswer{draft->record, std::move(*left_without)};
}

Provider as_readers_see(const ProviderAnswer& answer) { return providers::view_of(answer); }

Error no_test(const std::string& type) {
  return Error(errc::invalid_argument, "There is no test for types that the host has registered").with("type", type);
}

// No request can be made, and the configuration or the host's identity at AWS is why.
bool is_about_provider(errc code) {
  return code == errc::invalid_argument || (code >= errc::provider_rate_limited && code <= errc::http_cancelled);
}

}  // namespace

ProviderRegistry::ProviderRegistry(Options options) : directory_(std::make_unique<Directory>(std::move(options))) {}
ProviderRegistry::~ProviderRegistry() = default;

Result<Provider> ProviderRegistry::create(const Actor& actor, const NewProvider& provider, const CallOptions& call) {
  if (auto allowed = providers::may_administer(actor); !allowed) return allowed.error();
  const auto request = providers::call_request(*directory_, actor, call, "create provider", provider);
  if (!request) return request.error();
  const auto ids = providers::mint_ids(directory_->options.random);
  return providers::land_decision(*directory_, actor, *request,
                                  [&](ProviderCommit& commit) -> Result<ProviderAnswer> {
                                    // An attempt whose answer was lost may have landed after all.
                                    if (auto landed = directory_->load(ids.id)) return ProviderAnswer{*landed};
                                    auto draft = providers::draft_creation(*directory_, actor, provider, ids);
                                    if (!draft) return draft.error();
                                    commit.write(*draft);
                                    return ProviderAnswer{draft->record};
                                  })
      .transform(as_readers_see);
}

std::vector<Problem> ProviderRegistry::check(const NewProvider& provider, Validation validation) const {
  auto type = directory_->find_type(provider.type);
  if (!type) return {{"/type", "cannot be looked up, since the storage failed"}};
  return providers::problems_of(provider, {.type = std::move(*type),
                                           .name_owner = {},
                                           .allowed = {directory_->options.allowed_env, directory_->options.files},
                                           .validation = validation});
}

Result<Provider> ProviderRegistry::save(const Actor& actor, const NewProvider& provider, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  const auto request = providers::call_request(*directory_, actor, call, "save provider", provider);
  if (!request) return request.error();
  const auto ids = providers::mint_ids(directory_->options.random);
  ProviderUpdate change{.name = {}, .enabled = provider.enabled, .type = provider.type, .config = provider.config};
  if (!provider.description.empty()) change.description = provider.description;
  if (!provider.category.empty()) change.category = provider.category;
  return providers::land_decision(*directory_, actor, *request,
                                  [&](ProviderCommit& commit) -> Result<ProviderAnswer> {
                                    const auto current = directory_->load_named(provider.name);
                                    if (current) return change_provider(*directory_, actor, *current, change, commit);
                                    if (current.error().code() != errc::not_found) return current.error();
                                    if (auto allowed = providers::may_administer(actor); !allowed)
                                      return allowed.error();
                                    auto draft = providers::draft_creation(*directory_, actor, provider, ids);
                                    if (!draft) return draft.error();
                                    commit.write(*draft);
                                    return ProviderAnswer{draft->record};
                                  })
      .transform(as_readers_see);
}

Result<Provider> ProviderRegistry::get(const ProviderId& id) {
  return directory_->load(id).transform([](const ProviderRecord& record) { return providers::view_of(record); });
}

Result<Provider> ProviderRegistry::find(const std::string& name) {
  return directory_->load_named(name).transform(
      [](const ProviderRecord& record) { return providers::view_of(record); });
}

Result<std::vector<Provider>> ProviderRegistry::list() {
  auto records = directory_->load_all();
  if (!records) return records.error();
  std::vector<Provider> out;
  for (const ProviderRecord& record : *records) out.push_back(providers::view_of(record));
  return out;
}

Result<Provider> ProviderRegistry::update(const Actor& actor, const ProviderId& id, const ProviderUpdate& update,
                                          const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  const auto request = providers::call_request(*directory_, actor, call, "update provider", id, update);
  if (!request) return request.error();
  return providers::land_decision(*directory_, actor, *request,
                                  [&](ProviderCommit& commit) -> Result<ProviderAnswer> {
                                    const auto current = directory_->load(id);
                                    if (!current) return current.error();
                                    return change_provider(*directory_, actor, *current, update, commit);
                                  })
      .transform(as_readers_see);
}

Result<Provider> ProviderRegistry::grant(const Actor& actor, const ProviderId& id, const std::string& user,
                                         const AccessSet& access, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  const auto request = providers::call_request(*directory_, actor, call, "grant", id, user, access);
  if (!request) return request.error();
  return providers::land_decision(*directory_, actor, *request,
                                  [&](ProviderCommit& commit) -> Result<ProviderAnswer> {
                                    auto current = directory_->load(id);
                                    if (!current) return current.error();
                                    if (auto allowed = providers::may_grant(actor, *current); !allowed) {
                                      return allowed.error();
                                    }
                                    auto change = providers::decide_grant(*current, user, access);
                                    if (!change) return change.error();
                                    ProviderDraft draft = ProviderDraft::of(std::move(change->record));
                                    draft.concerns_runs = false;
                                    draft.note("admin.ai_provider_updated", std::move(change->changes));
                                    commit.write(draft);
                                    return ProviderAnswer{draft.record};
                                  })
      .transform(as_readers_see);
}

Result<ProviderUse> ProviderRegistry::use(const ProviderId& id) {
  if (auto known = directory_->load(id); !known) return known.error();
  return providers::use_of(directory_->options.storage, id);
}

Result<ProviderUse> ProviderRegistry::remove(const Actor& actor, const ProviderId& id, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  const auto request = providers::call_request(*directory_, actor, call, "remove provider", id);
  if (!request) return request.error();
  return providers::remove_provider(*directory_, actor, *request, [&] { return directory_->load(id); });
}

Result<Resealed> ProviderRegistry::reseal(const Actor& actor) {
  if (auto allowed = providers::may_administer(actor); !allowed) return allowed.error();
  auto all = directory_->load_all();
  if (!all) return all.error();
  Resealed out;
  for (const ProviderRecord& provider : *all) {
    auto done = reseal_one(*directory_, actor, provider.id);
    if (!done && done.error().code() == errc::contention) {
      out.broken.push_back(done.error().with("provider", provider.id.str()));
      continue;
    }
    if (!done) return done.error();
    out.secrets += done->secrets;
    out.broken.insert(out.broken.end(), done->broken.begin(), done->broken.end());
  }
  if (auto done = directory_->request_key.reseal(*directory_); !done) return done.error();
  return out;
}

Result<ProviderTest> ProviderRegistry::test(const Actor& actor, const ProviderId& id) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  const auto record = directory_->load(id);
  if (!record) return record.error();
  if (auto allowed = providers::may_do(actor, *record, Access::EXECUTE); !allowed) return allowed.error();
  const auto known = directory_->find_type(record->type);
  if (!known) return known.error();
  const ProviderType* type = find_provider_type(record->type);
  if (type == nullptr && *known) return providers::not_configured(no_test(record->type));
  if (type == nullptr) return providers::not_configured(Error(errc::unknown_provider_type).with("type", record->type));
  const Duration start = directory_->options.clock.steady();
  auto test =
      type->family ? providers::test_model(*directory_, *record) : providers::test_service(*directory_, *record, *type);
  if (!test && is_about_provider(test.error().code())) return providers::not_configured(test.error());
  if (!test) return test;
  test->latency = directory_->options.clock.steady() - start;
  return test;
}

}  // namespace v0
}  // namespace openindex
