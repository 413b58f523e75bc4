#include "provider/provider_draft.hpp"

#include "engine/audit_chain.hpp"
#include "engine/commit.hpp"
#include "engine/settings_marker.hpp"
#include "provider/integration_draft.hpp"
#include "provider/provider_access.hpp"
#include "provider/provider_use.hpp"

namespace openindex::providers {
namespace {

bool is_sound_name(const std::string& name) {
  std::vector<Problem> problems;
  check_name(name, problems);
  return problems.empty();
}

// Models of Hugging Face that a configuration names are registered by themselves. (seed)
Result<void> register_found(ProviderRegistry::Directory& directory, const Actor& actor, const ProviderConfig& before,
                            ProviderDraft& draft) {
  if (draft.record.type != "huggingface") return {};
  const auto named = draft.record.config.find("model");
  if (named == draft.record.config.end() || is_reference(named->second)) return {};
  const auto was = before.find("model");
  if (was != before.end() && was->second == named->second) return {};
  const auto model = draft_model(directory, actor, draft, named->second, {}, {});
  if (!model) return model.error();
  return {};
}

}  // namespace

ProviderDraft ProviderDraft::of(ProviderRecord stored) {
  std::string name = stored.name;
  const bool enabled = stored.enabled;
  return {.record = std::move(stored), .audit = {}, .was_enabled = enabled, .former_name = std::move(name)};
}

NewIds mint_ids(RandomSource& random) { return {mint_id(random, "prov"), mint_id(random, "salt")}; }

Result<Surroundings> look_around(ProviderRegistry::Directory& directory, const Actor& actor, const std::string& type,
                                 const std::optional<std::string>& name) {
  Surroundings around;
  auto known = directory.find_type(type);
  if (!known) return known.error();
  around.type = std::move(*known);
  around.allowed = {directory.options.allowed_env, directory.options.files};
  around.validation = directory.options.validation;
  around.now = directory.options.clock.now();
  around.actor = actor.id();
  around.grants = grants_of_creator(actor);
  if (name && is_sound_name(*name)) {
    auto owner = directory.owner_of(*name);
    if (!owner) return owner.error();
    around.name_owner = std::move(*owner);
  }
  return around;
}

Result<void> seal(ProviderRegistry::Directory& directory, const ProviderId& provider, const std::string& scope,
                  SealedSecrets& secrets, const std::vector<std::string>& keys, const ProviderConfig& given) {
  for (const std::string& key : keys) {
    auto handle = directory.seal({provider.str(), scope + key}, given.at(key));
    if (!handle) return handle.error();
    secrets.at(key).handle = std::move(*handle);
  }
  return {};
}

Result<ProviderDraft> draft_creation(ProviderRegistry::Directory& directory, const Actor& actor,
                                     const NewProvider& wanted, const NewIds& ids) {
  const auto around = look_around(directory, actor, wanted.type, wanted.name);
  if (!around) return around.error();
  auto change = decide_create(wanted, ids.id, ids.salt, *around);
  if (!change) return change.error();
  ProviderDraft draft{.record = std::move(change->record), .audit = {}};
  if (auto sealed = seal(directory, ids.id, "", draft.record.secrets, change->to_seal, wanted.config); !sealed) {
    return sealed.error();
  }
  draft.note("admin.ai_provider_created", std::move(change->changes));
  if (auto found = register_found(directory, actor, {}, draft); !found) return found.error();
  return draft;
}

Result<ProviderDraft> draft_update(ProviderRegistry::Directory& directory, const Actor& actor,
                                   const ProviderRecord& current, const ProviderUpdate& update) {
  if (auto allowed = may_do(actor, current, Access::UPDATE); !allowed) return allowed.error();
  auto around = look_around(directory, actor, current.type, update.name);
  if (!around) return around.error();
  for (const auto& [key, value] : update.config) {
    if (directory.is_sealed(current, key, value)) around->known_secrets.insert(key);
  }
  auto change = decide_update(current, update, *around);
  if (!change) return change.error();
  ProviderDraft draft = ProviderDraft::of(std::move(change->record));
  draft.former_name = current.name;
  draft.was_enabled = current.enabled;
  if (auto sealed = seal(directory, current.id, "", draft.record.secrets, change->to_seal, update.config); !sealed) {
    return sealed.error();
  }
  draft.note("admin.ai_provider_updated", std::move(change->changes));
  if (auto found = register_found(directory, actor, current.config, draft); !found) return found.error();
  return draft;
}

Result<std::optional<ProviderUse>> left_without(Storage& storage, const ProviderDraft& draft) {
  if (!draft.was_enabled || draft.record.enabled) return std::optional<ProviderUse>();
  return use_of(storage, draft.record.id).transform([](ProviderUse use) { return std::optional(std::move(use)); });
}

ProviderCommit::ProviderCommit(ProviderRegistry::Directory& directory, const Actor& actor)
    : directory_(directory), actor_(actor), now_(directory.options.clock.now()) {
  changes_.id = mint_id(directory.options.random, "com");
}

void ProviderCommit::append_audit(std::string_view stream, engine::ChainHead& head,
                                  std::span<const AuditDraft> drafts) {
  const engine::AuditFrame frame{stream, {}, actor_, now_, changes_.id.str(), {}, {}, 0};
  engine::append_audit(changes_, head, frame, drafts);
}

void ProviderCommit::put(Put record, std::uint64_t version) {
  changes_.expectations.push_back({record.id, version});
  changes_.puts.push_back(std::move(record));
}

// By the marker of settings, which is written once for all.
void ProviderCommit::tell_dispatchers() {
  if (std::exchange(told_, true)) return;
  changes_.puts.push_back(engine::touch_settings());
}

void ProviderCommit::write(ProviderDraft& draft) {
  if (draft.audit.empty()) return;
  ProviderRecord& record = draft.record;
  if (draft.concerns_runs) tell_dispatchers();
  changes_.expectations.push_back({provider_record(record.id), record.version});
  if (record.name != draft.former_name) {
    changes_.expectations.push_back({name_record(record.name), 0});
    changes_.puts.push_back(write_name(record.name, record.id));
    if (!draft.former_name.empty()) changes_.erases.push_back(name_record(draft.former_name));
  }
  append_audit(record.stream(), record.chain, draft.audit);
  changes_.puts.push_back(write_provider(record));
  changes_.puts.insert(changes_.puts.end(), draft.puts.begin(), draft.puts.end());
  changes_.erases.insert(changes_.erases.end(), draft.erases.begin(), draft.erases.end());
  ++record.version;
}

void ProviderCommit::erase(ProviderDraft& draft) {
  ProviderRecord& record = draft.record;
  tell_dispatchers();
  changes_.expectations.push_back({provider_record(record.id), record.version});
  append_audit(record.stream(), record.chain, draft.audit);
  changes_.puts.push_back(write_gone(record));
  changes_.erases.push_back(provider_record(record.id));
  changes_.erases.push_back(name_record(record.name));
  changes_.erases.insert(changes_.erases.end(), draft.erases.begin(), draft.erases.end());
}

Result<std::optional<Record>> ProviderCommit::find_answer(const engine::Request& request) {
  auto found = engine::find_record(directory_.options.storage, request, now_);
  if (!found) return found.error();
  known_ = std::move(*found);
  return known_.record;
}

void ProviderCommit::remember(const engine::Request& request, const Record& answer) {
  remembers_ = true;
  engine::remember(changes_, request, known_, answer, now_);
  // Where no engine is at work, nobody else would forget them.
  constexpr std::uint64_t answers_between = 64;
  if (++directory_.answers_count % answers_between != 0) return;
  static_cast<void>(engine::forget_old_answers(directory_.options.storage, now_).has_value());
}

Result<bool> ProviderCommit::land() {
  const auto committed = engine::commit(directory_.options.storage, changes_);
  if (committed) return true;
  if (committed.error().code() == errc::conflict) return false;
  return committed.error();
}

}  // namespace openindex::providers
