#include "provider/integration_draft.hpp"

#include <algorithm>
#include <utility>

#include "core/utf8.hpp"
#include "provider/provider_access.hpp"

namespace openindex::providers {
namespace {

constexpr std::uint64_t models_max = 1000;
constexpr std::size_t tags_held_max = 100;
constexpr std::size_t shown_bytes = 200;

// A name may be anything; an error is read by people.
std::string shown(std::string_view name) {
  return is_utf8(name) && !has_control(name) ? std::string(cut_utf8(name, shown_bytes)) : std::string("(not text)");
}

Error no_such(std::string name) {
  std::string sentence = "No such integration: " + name;
  return Error(errc::not_found, std::move(sentence)).with("name", std::move(name));
}

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && is_utf8(name) && !has_control(name);
}

}  // namespace

Result<ProviderRecord> load_integration(ProviderRegistry::Directory& directory, const std::string& name) {
  auto record = directory.load_named(name);
  if (!record && record.error().code() == errc::not_found) return no_such(shown(name));
  return record;
}

Result<ModelRecord> load_model_of(ProviderRegistry::Directory& directory, const ProviderRecord& provider,
                                  const std::string& model) {
  const std::string full_name = provider.name + ":" + shown(model);
  if (provider.models == 0 || !is_model_name(model)) return no_such(full_name);
  auto record = load_model(directory.options.storage, provider.id, model);
  if (!record) return record.error();
  if (!*record) return no_such(full_name);
  return std::move(**record);
}

Integration integration_of(const ProviderRecord& record) {
  Provider view = view_of(record);
  Integration out{.name = std::move(view.name),
                  .type = std::move(view.type),
                  .category = std::move(view.category),
                  .description = std::move(view.description),
                  .enabled = view.enabled,
                  .configuration = std::move(view.config),
                  .tags = std::move(view.tags),
                  .models_count = view.models_count,
                  .create_time = view.created_at,
                  .update_time = view.updated_at,
                  .created_by = std::move(view.created_by),
                  .updated_by = std::move(view.updated_by)};
  for (const auto& [key, secret] : view.secrets) out.configuration.insert_or_assign(key, std::string(secret_mask));
  return out;
}

Result<void> set_tags(ProviderDraft& draft, ModelRecord* model, std::vector<ProviderTag> tags) {
  std::vector<ProviderTag>& held = model != nullptr ? model->tags : draft.record.tags;
  if (tags.size() > tags_held_max) {
    return Error(errc::invalid_argument, "The integration is not valid")
        .with_problems({{"/tags", "must be at most 100"}});
  }
  const std::string what = model != nullptr ? "models." + model->name + ".tags" : "tags";
  draft.note("admin.ai_provider_updated", {{what, display(held), display(tags)}});
  held = std::move(tags);
  return {};
}

Result<ModelRecord> draft_model(ProviderRegistry::Directory& directory, const Actor& actor, ProviderDraft& draft,
                                const std::string& model, const IntegrationModelUpdate& update,
                                std::span<const ProviderTag> tags) {
  ProviderRecord& provider = draft.record;
  ModelRecord current;
  current.provider = provider.id;
  current.name = model;
  // Saved in the same commit already, as what a configuration names is registered by itself.
  const auto drafted = std::find_if(draft.puts.begin(), draft.puts.end(),
                                    [&](const Put& put) { return put.id == model_record(provider.id, model); });
  const bool is_new_row = drafted == draft.puts.end();
  if (!is_new_row) {
    auto known = read_model({drafted->id, 1, drafted->body, {}});
    if (!known) return known.error();
    current = std::move(*known);
  } else if (provider.models > 0 && is_model_name(model)) {
    auto known = load_model(directory.options.storage, provider.id, model);
    if (!known) return known.error();
    if (*known) current = std::move(**known);
  }
  auto around = look_around(directory, actor, provider.type, std::nullopt);
  if (!around) return around.error();
  if (update.configuration) {
    for (const auto& [key, value] : *update.configuration) {
      if (directory.is_sealed(provider, current.secrets, current.secret_scope(), key, value)) {
        around->known_secrets.insert(key);
      }
    }
  }
  auto change = decide_model(current, provider, update, *around);
  if (!change) return change.error();
  ModelRecord& record = change->record;
  std::vector<Problem> problems;
  check_tags(tags, problems);
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The integration is not valid").with_problems(std::move(problems));
  }
  auto all_tags = record.tags;
  const bool tagged = add_tags(all_tags, tags);
  if (change->changes.empty() && !tagged) return record;
  if (current.version == 0 && ++provider.models > models_max) {
    return Error(errc::invalid_argument, "An integration has at most 1,000 models").with("name", provider.name);
  }
  const ProviderConfig given = update.configuration.value_or(ProviderConfig());
  if (auto sealed = seal(directory, provider.id, record.secret_scope(), record.secrets, change->to_seal, given);
      !sealed) {
    return sealed.error();
  }
  draft.note("admin.ai_provider_updated", std::move(change->changes));
  if (tagged) {
    if (auto set = set_tags(draft, &record, std::move(all_tags)); !set) return set.error();
  }
  if (is_new_row) {
    draft.puts.push_back(write_model(record));
  } else {
    *drafted = write_model(record);
  }
  return record;
}

Result<void> change_integration(ProviderRegistry::Directory& directory, const Actor& actor, const CallRequest& request,
                                const std::string& name, Access access,
                                const std::function<Result<void>(ProviderDraft&, Time now)>& decide) {
  return nothing(land_decision(directory, actor, request, [&](ProviderCommit& commit) -> Result<Made> {
    auto record = load_integration(directory, name);
    if (!record) return record.error();
    if (auto allowed = may_do(actor, *record, access); !allowed) return allowed.error();
    ProviderDraft draft = ProviderDraft::of(std::move(*record));
    if (auto decided = decide(draft, commit.now()); !decided) return decided.error();
    draft.record.updated_at = commit.now();
    draft.record.updated_by = actor.id();
    commit.write(draft);
    return Made();
  }));
}

}  // namespace openindex::providers
