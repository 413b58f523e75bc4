// Models of integrations, and tags of both.
#include <optional>
#include <utility>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider_registry.hpp>

#include "provider/catalog/offered_models.hpp"
#include "provider/integration_draft.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_directory.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::ModelAnswer;
using providers::ModelRecord;
using providers::ProviderCommit;
using providers::ProviderDraft;

using ChangeTags = bool (*)(std::vector<ProviderTag>& held, std::span<const ProviderTag> tags);

/// Change the tags of an integration or, when one is named, of its model.
Result<void> change_tags(ProviderRegistry::Directory& directory, const Actor& actor, const CallOptions& call,
                         const std::string& name, const std::string* model, std::span<const ProviderTag> tags,
                         ChangeTags change) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  std::vector<Problem> problems;
  providers::check_tags(tags, problems);
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The integration is not valid").with_problems(std::move(problems));
  }
  const auto request =
      providers::call_request(directory, actor, call, change == providers::add_tags ? "put tags" : "remove tags", name,
                              model == nullptr ? std::nullopt : std::optional(*model), tags);
  if (!request) return request.error();
  const auto decide = [&](ProviderDraft& draft, Time now) -> Result<void> {
    std::optional<ModelRecord> held;
    if (model != nullptr) {
      auto known = providers::load_model_of(directory, draft.record, *model);
      if (!known) return known.error();
      held = std::move(*known);
    }
    auto all = held ? held->tags : draft.record.tags;
    if (!change(all, tags)) return {};
    draft.concerns_runs = false;
    if (auto set = providers::set_tags(draft, held ? &*held : nullptr, std::move(all)); !set) return set;
    if (!held) return {};
    held->updated_at = now;
    held->updated_by = actor.id();
    draft.puts.push_back(providers::write_model(*held));
    return {};
  };
  return providers::change_integration(directory, actor, *request, name, Access::UPDATE, decide);
}

}  // namespace

// Whoever may only register models can do that much.
Result<IntegrationModel> Integrations::save_model(const Actor& actor, const std::string& name, const std::string& model,
                                                  const IntegrationModelUpdate& update, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "save model", name, model, update);
  if (!request) return request.error();
  const auto done =
      providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<ModelAnswer> {
        auto provider = providers::load_integration(directory, name);
        if (!provider) return provider.error();
        const auto known = providers::load_model_of(directory, *provider, model);
        const bool is_new = !known && known.error().code() == errc::not_found;
        auto allowed = providers::may_do(actor, *provider, Access::UPDATE);
        if (!allowed && is_new) allowed = providers::may_do(actor, *provider, Access::CREATE);
        if (!allowed) return allowed.error();
        ProviderDraft draft = ProviderDraft::of(std::move(*provider));
        auto saved = providers::draft_model(directory, actor, draft, model, update, {});
        if (!saved) return saved.error();
        commit.write(draft);
        return ModelAnswer{std::move(*saved), draft.record.name};
      });
  if (!done) return done.error();
  return providers::view_of(done->record, done->integration);
}

Result<IntegrationModel> Integrations::model(const std::string& name, const std::string& model) {
  auto& directory = registry_.directory();
  const auto provider = providers::load_integration(directory, name);
  if (!provider) return provider.error();
  const auto record = providers::load_model_of(directory, *provider, model);
  if (!record) return record.error();
  return providers::view_of(*record, provider->name);
}

Result<std::vector<IntegrationModel>> Integrations::models(const std::string& name, bool active_only) {
  auto& directory = registry_.directory();
  const auto provider = providers::load_integration(directory, name);
  if (!provider) return provider.error();
  const auto records = providers::load_models(directory.options.storage, *provider);
  if (!records) return records.error();
  std::vector<IntegrationModel> out;
  for (const ModelRecord& record : *records) {
    if (record.enabled || !active_only) out.push_back(providers::view_of(record, provider->name));
  }
  return out;
}

Result<std::vector<std::string>> Integrations::offered_models(const std::string& name) {
  const auto provider = providers::load_integration(registry_.directory(), name);
  if (!provider) return provider.error();
  std::vector<std::string> out;
  for (const auto& offered : providers::catalog::offered_models) {
    if (offered.type == provider->type) out.emplace_back(offered.model);
  }
  return out;
}

Result<void> Integrations::remove_model(const Actor& actor, const std::string& name, const std::string& model,
                                        const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "remove model", name, model);
  if (!request) return request.error();
  const auto decide = [&](ProviderDraft& draft, Time) -> Result<void> {
    const auto record = providers::load_model_of(directory, draft.record, model);
    if (!record) return record.error();
    --draft.record.models;
    draft.erases.push_back(record->id());
    draft.note("admin.ai_provider_updated", {{"models." + record->name, "set", ""}});
    return {};
  };
  return providers::change_integration(directory, actor, *request, name, Access::DELETE, decide);
}

Result<void> Integrations::put_tags(const Actor& actor, const std::string& name, std::span<const ProviderTag> tags,
                                    const CallOptions& call) {
  return change_tags(registry_.directory(), actor, call, name, nullptr, tags, providers::add_tags);
}

Result<void> Integrations::put_tags(const Actor& actor, const std::string& name, const std::string& model,
                                    std::span<const ProviderTag> tags, const CallOptions& call) {
  return change_tags(registry_.directory(), actor, call, name, &model, tags, providers::add_tags);
}

Result<std::vector<ProviderTag>> Integrations::tags(const std::string& name) {
  return get(name).transform([](const Integration& found) { return found.tags; });
}

Result<std::vector<ProviderTag>> Integrations::tags(const std::string& name, const std::string& model) {
  return this->model(name, model).transform([](const IntegrationModel& found) { return found.tags; });
}

Result<void> Integrations::remove_tags(const Actor& actor, const std::string& name, std::span<const ProviderTag> tags,
                                       const CallOptions& call) {
  return change_tags(registry_.directory(), actor, call, name, nullptr, tags, providers::take_tags);
}

Result<void> Integrations::remove_tags(const Actor& actor, const std::string& name, const std::string& model,
                                       std::span<const ProviderTag> tags, const CallOptions& call) {
  return change_tags(registry_.directory(), actor, call, name, &model, tags, providers::take_tags);
}

}  // namespace v0
}  // namespace openindex
