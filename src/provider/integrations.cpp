#include <openindex/provider/integrations.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <openindex/provider_registry.hpp>

#include "provider/integration_draft.hpp"
#include "provider/model_change.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_directory.hpp"
#include "provider/provider_draft.hpp"
#include "provider/provider_removal.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::ModelRecord;
using providers::ProviderCommit;
using providers::ProviderDraft;
using providers::ProviderRecord;

constexpr std::size_t integrations_max = 100;
constexpr std::size_t models_at_once_max = 1000;

Error not_valid(std::vector<Problem> problems) {
  return Error(errc::invalid_argument, "The integration is not valid").with_problems(std::move(problems));
}

/// A type is needed to create one.
Error no_type() { return not_valid({{"/type", "is required to create an integration"}}); }

IntegrationUpdate update_of(const Integration& wanted) {
  return {.type = wanted.type.empty() ? std::nullopt : std::optional(wanted.type),
          .category = wanted.category,
          .description = wanted.description,
          .enabled = wanted.enabled,
          .configuration = wanted.configuration};
}

IntegrationModelUpdate update_of(const IntegrationModel& wanted) {
  return {.description = wanted.description,
          .enabled = wanted.enabled,
          .configuration = wanted.configuration,
          .limit = wanted.limit};
}

NewProvider new_provider(const std::string& name, const IntegrationUpdate& update) {
  return {.name = name,
          .type = update.type.value_or(""),
          .config = update.configuration.value_or(ProviderConfig()),
          .enabled = update.enabled.value_or(true),
          .description = update.description.value_or(""),
          .category = update.category.value_or("")};
}

ProviderUpdate provider_update(const ProviderRecord& current, const IntegrationUpdate& update) {
  ProviderUpdate out{.name = {}, .enabled = update.enabled, .type = update.type, .config = {}};
  if (update.configuration)
    out.config = providers::config_between(current.config, current.secrets, *update.configuration);
  out.description = update.description;
  out.category = update.category;
  return out;
}

/// Draft what a save makes of a name, whoever had it before.
Result<ProviderDraft> draft_save(ProviderRegistry::Directory& directory, const Actor& actor, const std::string& name,
                                 const IntegrationUpdate& update, const providers::NewIds& ids) {
  const auto current = directory.load_named(name);
  if (current) return providers::draft_update(directory, actor, *current, provider_update(*current, update));
  if (current.error().code() != errc::not_found) return current.error();
  if (auto allowed = providers::may_administer(actor); !allowed) return allowed.error();
  if (!update.type) return no_type();
  return providers::draft_creation(directory, actor, new_provider(name, update), ids);
}

/// Put the place of a member of a list in front of all that is said of it.
Error at_place(const Error& error, const std::string& place) {
  std::vector<Problem> problems = error.problems();
  if (problems.empty()) return error.with("place", place);
  for (Problem& problem : problems) problem.pointer.insert(0, place);
  return Error(error.code(), error.message()).with("place", place).with_problems(std::move(problems));
}

Result<void> draft_whole(ProviderRegistry::Directory& directory, const Actor& actor, const Integration& wanted,
                         const std::string& place, ProviderDraft& draft) {
  std::vector<Problem> problems;
  providers::check_tags(wanted.tags, problems);
  if (!problems.empty()) return at_place(not_valid(std::move(problems)), place);
  auto tags = draft.record.tags;
  if (providers::add_tags(tags, wanted.tags)) {
    if (auto set = providers::set_tags(draft, nullptr, std::move(tags)); !set) return at_place(set.error(), place);
  }
  for (std::size_t i = 0; i < wanted.apis.size(); ++i) {
    const IntegrationModel& model = wanted.apis[i];
    const std::string model_place = fmt::format("{}/apis/{}", place, i);
    if (!model.integration_name.empty() && model.integration_name != wanted.name) {
      return at_place(not_valid({{"/integrationName", "must be the name of the integration it stands in"}}),
                      model_place);
    }
    auto saved = providers::draft_model(directory, actor, draft, model.api, update_of(model), model.tags);
    if (!saved) return at_place(saved.error(), model_place);
  }
  return {};
}

Result<void> check_upload(std::span<const Integration> integrations) {
  std::vector<Problem> problems;
  std::set<std::string_view> names;
  std::size_t models = 0;
  for (std::size_t i = 0; i < integrations.size(); ++i) {
    std::set<std::string_view> apis;
    models += integrations[i].apis.size();
    if (!names.insert(integrations[i].name).second) problems.push_back({fmt::format("/{}/name", i), "is there twice"});
    for (std::size_t k = 0; k < integrations[i].apis.size(); ++k) {
      if (apis.insert(integrations[i].apis[k].api).second) continue;
      problems.push_back({fmt::format("/{}/apis/{}/api", i, k), "is there twice"});
    }
  }
  if (integrations.size() > integrations_max) problems.push_back({"", "must be at most 100 integrations"});
  if (models > models_at_once_max) problems.push_back({"", "must be at most 1,000 models"});
  if (problems.empty()) return {};
  return not_valid(std::move(problems));
}

Result<void> check_filter(const IntegrationFilter& filter) {
  const auto known = provider_categories();
  if (filter.category.empty() || std::find(known.begin(), known.end(), filter.category) != known.end()) return {};
  return Error(errc::invalid_argument, "There is no such category")
      .with("category", filter.category.size() > 100 ? "(too long)" : filter.category)
      .with_allowed({known.begin(), known.end()});
}

}  // namespace

Result<Integration> Integrations::save(const Actor& actor, const std::string& name, const IntegrationUpdate& update,
                                       const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "save integration", name, update);
  if (!request) return request.error();
  const auto ids = providers::mint_ids(directory.options.random);
  auto saved = providers::land_decision(
      directory, actor, *request, [&](ProviderCommit& commit) -> Result<providers::ProviderAnswer> {
        auto draft = draft_save(directory, actor, name, update, ids);
        if (!draft) return draft.error();
        auto left_without = providers::left_without(directory.options.storage, *draft);
        if (!left_without) return left_without.error();
        commit.write(*draft);
        return providers::ProviderAnswer{draft->record, std::move(*left_without)};
      });
  if (!saved) return saved.error();
  Integration out = providers::integration_of(saved->record);
  out.left_without = std::move(saved->left_without);
  return out;
}

Result<void> Integrations::save_all(const Actor& actor, std::span<const Integration> integrations,
                                    const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  if (auto sound = check_upload(integrations); !sound) return sound.error();
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "save integrations", integrations);
  if (!request) return request.error();
  std::vector<providers::NewIds> ids;
  for (std::size_t i = 0; i < integrations.size(); ++i) ids.push_back(providers::mint_ids(directory.options.random));
  return providers::nothing(
      providers::land_decision(directory, actor, *request, [&](ProviderCommit& commit) -> Result<providers::Made> {
        for (std::size_t i = 0; i < integrations.size(); ++i) {
          const Integration& wanted = integrations[i];
          const std::string place = fmt::format("/{}", i);
          auto draft = draft_save(directory, actor, wanted.name, update_of(wanted), ids[i]);
          if (!draft) return at_place(draft.error(), place);
          if (auto whole = draft_whole(directory, actor, wanted, place, *draft); !whole) return whole.error();
          commit.write(*draft);
        }
        return providers::Made();
      }));
}

Result<Integration> Integrations::get(const std::string& name) {
  const auto record = providers::load_integration(registry_.directory(), name);
  if (!record) return record.error();
  return providers::integration_of(*record);
}

Result<std::vector<Integration>> Integrations::list(const IntegrationFilter& filter) {
  if (auto sound = check_filter(filter); !sound) return sound.error();
  auto& directory = registry_.directory();
  const auto records = directory.load_all();
  if (!records) return records.error();
  std::vector<Integration> out;
  for (const ProviderRecord& record : *records) {
    Integration one = providers::integration_of(record);
    if (filter.active_only && !one.enabled) continue;
    if (!filter.category.empty() && one.category != filter.category) continue;
    if (filter.with_models) {
      const auto models = providers::load_models(directory.options.storage, record);
      if (!models) return models.error();
      for (const ModelRecord& model : *models) {
        if (model.enabled || !filter.active_only) one.apis.push_back(providers::view_of(model, record.name));
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<std::string>> Integrations::names(const IntegrationFilter& filter) {
  IntegrationFilter whole = filter;
  whole.with_models = true;
  const auto all = list(whole);
  if (!all) return all.error();
  std::vector<std::string> out;
  for (const Integration& one : *all) {
    const std::size_t before = out.size();
    for (const IntegrationModel& model : one.apis) out.push_back(one.name + ":" + model.api);
    if (out.size() == before) out.push_back(one.name);
  }
  return out;
}

Result<ProviderUse> Integrations::remove(const Actor& actor, const std::string& name, const CallOptions& call) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  auto& directory = registry_.directory();
  const auto request = providers::call_request(directory, actor, call, "remove integration", name);
  if (!request) return request.error();
  return providers::remove_provider(directory, actor, *request,
                                    [&] { return providers::load_integration(directory, name); });
}

}  // namespace v0
}  // namespace openindex
