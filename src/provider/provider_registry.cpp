#include <openindex/provider_registry.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "engine/audit_chain.hpp"
#include "engine/commit.hpp"
#include "engine/settings_marker.hpp"
#include "provider/probe_result.hpp"
#include "provider/provider_change.hpp"
#include "provider/provider_config.hpp"
#include "provider/provider_directory.hpp"
#include "provider/provider_record.hpp"
#include "provider/provider_test.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using providers::ProviderChange;
using providers::ProviderRecord;

constexpr int attempts_max = 8;

/// Commit one change set. False: somebody else was first, or nothing was written; decide again.
Result<bool> land(Storage& storage, const ChangeSet& changes) {
  const auto committed = engine::commit(storage, changes);
  if (committed) return true;
  if (committed.error().code() == errc::conflict) return false;
  return committed.error();
}

/// Start a change set that is about one provider: its record is as it was read, and dispatchers take notice.
ChangeSet change_of(const ProviderRecord& record, RandomSource& random) {
  ChangeSet changes;
  changes.id = mint_id(random, "com");
  changes.expectations.push_back({providers::provider_record(record.id), record.version});
  changes.puts.push_back(engine::touch_settings());
  return changes;
}

void append_audit(ChangeSet& changes, ProviderRecord& record, const Actor& actor, Time now, AuditDraft draft) {
  const std::string stream = record.stream();
  const engine::AuditFrame frame{stream, {}, actor, now, changes.id.str(), {}, {}, 0};
  engine::append_audit(changes, record.chain, frame, {&draft, 1});
}

/// Put the given secrets away; done again for each attempt, since an update may have found another provider record.
Result<void> seal(ProviderRegistry::Directory& directory, ProviderChange& change, const ProviderConfig& given) {
  for (const std::string& key : change.to_seal) {
    auto handle = directory.seal({change.record.id.str(), key}, given.at(key));
    if (!handle) return handle.error();
    change.record.secrets.at(key).handle = std::move(*handle);
  }
  return {};
}

void take_name(ChangeSet& changes, const ProviderRecord& record) {
  changes.expectations.push_back({providers::name_record(record.name), 0});
  changes.puts.push_back(providers::write_name(record.name, record.id));
}

Error contention(const ProviderId& id) { return Error(errc::contention).with("provider", id.str()); }

/// Seal anew what one provider keeps, while others may be changing it.
Result<void> reseal_one(ProviderRegistry::Directory& directory, const Actor& actor, const ProviderId& id,
                        Resealed& out) {
  auto& options = directory.options;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto record = directory.load(id);
    if (!record && record.error().code() == errc::not_found) return {};  // removed meanwhile
    if (!record) return record.error();
    std::vector<AuditChange> changes;
    std::vector<Error> broken;
    for (const auto& [key, secret] : record->secrets) {
      const auto sealed = directory.reseal(*record, key);
      if (!sealed && sealed.error().code() != errc::secret_unreadable) return sealed.error();
      if (!sealed) broken.push_back(sealed.error());
      if (sealed && *sealed) changes.push_back({"config." + key, "set", "sealed anew"});
    }
    const std::uint64_t count = changes.size();
    bool landed = count == 0;
    if (count > 0) {
      ChangeSet set = change_of(*record, options.random);
      append_audit(set, *record, actor, options.clock.now(), {"admin.ai_provider_updated", std::move(changes), {}});
      set.puts.push_back(providers::write_provider(*record));
      const auto written = land(options.storage, set);
      if (!written) return written.error();
      landed = *written;
    }
    if (!landed) continue;
    out.secrets += count;
    out.broken.insert(out.broken.end(), broken.begin(), broken.end());
    return {};
  }
  return contention(id);
}

bool is_sound_name(const std::string& name) {
  std::vector<Problem> problems;
  providers::check_name(name, problems);
  return problems.empty();
}

Result<providers::Surroundings> look_around(ProviderRegistry::Directory& directory,
                                            const std::optional<std::string>& name) {
  providers::Surroundings around;
  around.allowed = {directory.options.allowed_env, directory.options.files};
  around.validation = directory.options.validation;
  around.now = directory.options.clock.now();
  if (name && is_sound_name(*name)) {
    auto owner = directory.owner_of(*name);
    if (!owner) return owner.error();
    around.name_owner = std::move(*owner);
  }
  return around;
}

}  // namespace

ProviderRegistry::ProviderRegistry(Options options) : directory_(std::make_unique<Directory>(std::move(options))) {}
ProviderRegistry::~ProviderRegistry() = default;

Result<Provider> ProviderRegistry::create(const Actor& actor, const NewProvider& provider) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  auto& options = directory_->options;
  // One id for all attempts: an earlier one whose answer was lost cannot lead to a second provider.
  const ProviderId id = mint_id(options.random, "prov");
  const std::string salt = mint_id(options.random, "salt");
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const auto around = look_around(*directory_, provider.name);
    if (!around) return around.error();
    if (around->name_owner == id) return get(id);  // an attempt whose answer was lost has landed after all
    auto change = providers::decide_create(provider, id, salt, *around);
    if (!change) return change.error();
    if (auto sealed = seal(*directory_, *change, provider.config); !sealed) return sealed.error();
    ProviderRecord& record = change->record;
    ChangeSet changes = change_of(record, options.random);
    take_name(changes, record);
    append_audit(changes, record, actor, around->now, {"admin.ai_provider_created", std::move(change->changes), {}});
    changes.puts.push_back(providers::write_provider(record));
    const auto landed = land(options.storage, changes);
    if (!landed) return landed.error();
    if (!*landed) continue;
    record.version = 1;
    return providers::view_of(record);
  }
  return contention(id);
}

std::vector<Problem> ProviderRegistry::check(const NewProvider& provider, Validation validation) const {
  return providers::problems_of(provider, {.name_owner = {},
                                           .allowed = {directory_->options.allowed_env, directory_->options.files},
                                           .validation = validation});
}

Result<Provider> ProviderRegistry::save(const Actor& actor, const NewProvider& provider) {
  auto known = find(provider.name);
  if (!known && known.error().code() == errc::not_found) {
    auto created = create(actor, provider);
    if (created || created.error().code() != errc::already_exists) return created;
    known = find(provider.name);  // somebody was faster
  }
  if (!known) return known.error();
  return update(actor, known->id,
                {.name = {}, .enabled = provider.enabled, .type = provider.type, .config = provider.config});
}

Result<Provider> ProviderRegistry::get(const ProviderId& id) {
  return directory_->load(id).transform(providers::view_of);
}

Result<Provider> ProviderRegistry::find(const std::string& name) {
  if (!is_sound_name(name)) return errc::not_found;
  const Error none = Error(errc::not_found).with("name", name);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const auto owner = directory_->owner_of(name);
    if (!owner) return owner.error();
    if (!*owner) return none;
    auto record = directory_->load(**owner);
    if (record && record->name == name) return providers::view_of(*record);
    if (!record && record.error().code() != errc::not_found) return record.error();
    // Renamed or removed between the two reads: who has the name now?
  }
  return Error(errc::contention).with("name", name);
}

Result<std::vector<Provider>> ProviderRegistry::list() {
  std::vector<Provider> out;
  ScanRequest request;
  request.prefix = {"provider"};
  do {
    auto page = directory_->options.storage.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto record = providers::read_provider(row);
      if (!record) return record.error();
      out.push_back(providers::view_of(*record));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  std::sort(out.begin(), out.end(), [](const Provider& a, const Provider& b) { return a.name < b.name; });
  return out;
}

Result<Provider> ProviderRegistry::update(const Actor& actor, const ProviderId& id, const ProviderUpdate& update) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  auto& options = directory_->options;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const auto current = directory_->load(id);
    if (!current) return current.error();
    auto around = look_around(*directory_, update.name);
    if (!around) return around.error();
    for (const auto& [key, value] : update.config) {
      if (directory_->is_sealed(*current, key, value)) around->known_secrets.insert(key);
    }
    auto change = providers::decide_update(*current, update, *around);
    if (!change) return change.error();
    if (change->changes.empty()) return providers::view_of(*current);
    if (auto sealed = seal(*directory_, *change, update.config); !sealed) return sealed.error();
    ProviderRecord& record = change->record;
    ChangeSet changes = change_of(record, options.random);
    if (record.name != current->name) {
      take_name(changes, record);
      changes.erases.push_back(providers::name_record(current->name));
    }
    append_audit(changes, record, actor, around->now, {"admin.ai_provider_updated", std::move(change->changes), {}});
    changes.puts.push_back(providers::write_provider(record));
    const auto landed = land(options.storage, changes);
    if (!landed) return landed.error();
    if (!*landed) continue;
    ++record.version;
    return providers::view_of(record);
  }
  return contention(id);
}

Result<void> ProviderRegistry::remove(const Actor& actor, const ProviderId& id) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed;
  auto& options = directory_->options;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto record = directory_->load(id);
    if (!record) return record.error();
    ChangeSet changes = change_of(*record, options.random);
    changes.erases = {providers::provider_record(id), providers::name_record(record->name)};
    append_audit(changes, *record, actor, options.clock.now(),
                 {"admin.ai_provider_deleted", providers::removal_of(*record), {}});
    const auto landed = land(options.storage, changes);
    if (!landed) return landed.error();
    if (*landed) return {};
  }
  return contention(id);
}

Result<Resealed> ProviderRegistry::reseal(const Actor& actor) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  auto all = list();
  if (!all) return all.error();
  Resealed out;
  for (const Provider& provider : *all) {
    if (auto done = reseal_one(*directory_, actor, provider.id, out); !done) return done.error();
  }
  return out;
}

Result<ProviderTest> ProviderRegistry::test(const Actor& actor, const ProviderId& id) {
  if (auto allowed = providers::may_manage(actor); !allowed) return allowed.error();
  const auto record = directory_->load(id);
  if (!record) return record.error();
  const ProviderType* type = find_provider_type(record->type);
  if (type == nullptr) return providers::not_configured(Error(errc::unknown_provider_type).with("type", record->type));
  const Duration start = directory_->options.clock.steady();
  auto test =
      type->family ? providers::test_model(*directory_, *record) : providers::test_service(*directory_, *record, *type);
  if (!test && test.error().code() == errc::invalid_argument) return providers::not_configured(test.error());
  if (!test) return test;
  test->latency = directory_->options.clock.steady() - start;
  return test;
}

}  // namespace v0
}  // namespace openindex
