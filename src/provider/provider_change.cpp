#include "provider/provider_change.hpp"

#include <openindex/provider/provider_catalog.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "provider/key_form.hpp"
#include "work/actor_rules.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t audit_text_bytes_max = 200;
constexpr std::size_t description_bytes_max = 4000;
constexpr std::size_t grants_max = 1000;

Error unknown_type(std::string_view type) {
  std::vector<std::string> allowed;
  for (const ProviderType& known : provider_catalog()) allowed.emplace_back(known.name);
  Error error = Error(errc::unknown_provider_type).with_allowed(std::move(allowed));
  return is_utf8(type) ? std::move(error).with("type", cut_utf8(type, audit_text_bytes_max)) : error;
}

Error name_taken(const std::string& name) { return Error(errc::already_exists).with("name", name); }

Error not_valid(std::vector<Problem> problems) {
  return Error(errc::invalid_argument, "The provider is not valid").with_problems(std::move(problems));
}

// Which keys are set once the given ones are applied.
SetKeys keys_after(const ProviderRecord& current, const ProviderConfig& given) {
  SetKeys keys(current.config.begin(), current.config.end());
  for (const auto& [key, secret] : current.secrets) keys.emplace(key, std::string());
  for (const auto& [key, value] : given) {
    if (value.empty()) {
      keys.erase(key);
    } else {
      keys.insert_or_assign(key, value);
    }
  }
  return keys;
}

void check_config(const ProviderType& type, const ProviderRecord& current, const ProviderConfig& given,
                  const Surroundings& around, std::vector<Problem>& problems) {
  ProviderConfig set = given;
  std::erase_if(set, [&](const auto& entry) { return entry.second.empty() && current.has(entry.first); });  // removed
  check_values(type, set, around.allowed, around.validation, problems);
  check_presence(type, keys_after(current, given), around.validation, problems);
}

// What stands in the audit for the value of a key: of a sealed secret, only that it is set.
std::string shown(const ProviderRecord& record, std::string_view key) {
  if (const auto value = record.config.find(key); value != record.config.end()) return audit_text(value->second);
  return record.secrets.contains(key) ? "set" : std::string();
}

void clear_key(ProviderChange& change, const std::string& key) {
  if (!change.record.has(key)) return;
  const bool secret = change.record.secrets.contains(key);
  change.changes.push_back({"config." + key, shown(change.record, key), secret ? "removed" : ""});
  change.record.config.erase(key);
  change.record.secrets.erase(key);
}

void set_secret(ProviderChange& change, const std::string& key, const std::string& value, Time now) {
  const std::string before = shown(change.record, key);
  change.changes.push_back({"config." + key, before, change.record.has(key) ? "changed" : "set"});
  change.record.config.erase(key);
  SealedSecret& secret = change.record.secrets[key];
  secret.info = {fingerprint(change.record, value), now};
  change.to_seal.push_back(key);
}

void set_plain(ProviderChange& change, const std::string& key, const std::string& value) {
  const auto held = change.record.config.find(key);
  if (held != change.record.config.end() && held->second == value) return;
  change.changes.push_back({"config." + key, shown(change.record, key), audit_text(value)});
  change.record.secrets.erase(key);
  change.record.config.insert_or_assign(key, value);
}

void apply_config(ProviderChange& change, const ProviderType& type, const ProviderConfig& given,
                  const Surroundings& around) {
  for (const auto& [key, value] : given) {
    if (around.known_secrets.contains(key)) continue;
    const ProviderKey* row = type.find_key(key);
    if (value.empty()) {
      clear_key(change, key);
    } else if ((row == nullptr || row->secret) && !is_reference(value)) {
      set_secret(change, key, value, around.now);
    } else {
      set_plain(change, key, value);
    }
  }
}

void check_category(std::string_view category, std::vector<Problem>& problems) {
  const auto known = provider_categories();
  if (category.empty() || std::find(known.begin(), known.end(), category) != known.end()) return;
  std::string text = "must be one of";
  for (const auto one : known) text += (one == known.front() ? " " : ", ") + std::string(one);
  problems.push_back({"/category", std::move(text)});
}

// What stands in the record: nothing for the type's own, which readers find in the catalog; not so for other types.
std::string stored_category(const ProviderType* type, const std::string& wanted) {
  if (type == nullptr) return wanted;
  const std::string category(wanted.empty() ? type->category : std::string_view(wanted));
  return category == type->category && find_provider_type(type->name) != nullptr ? std::string() : category;
}

// One text of a record, and what the audit says of it.
void set_text(ProviderChange& change, std::string_view what, std::string ProviderRecord::*member,
              const std::string& value) {
  std::string& held = change.record.*member;
  if (held == value) return;
  change.changes.push_back({std::string(what), audit_text(held), audit_text(value)});
  held = value;
}

std::string display(const AccessSet& access) {
  std::string out;
  for (const Access one : access) out += (out.empty() ? "" : ", ") + std::string(to_text(one));
  return out;
}

// Where secrets go: the endpoint's one spelling, or the reference that it comes from. Of what is sealed itself, such as
// the roots that vouch for a server, the fingerprint.
std::string place_of(const ProviderRecord& record, const ProviderKey& row) {
  const auto sealed = record.secrets.find(row.name);
  if (sealed != record.secrets.end()) return sealed->second.info.fingerprint;
  const auto held = record.config.find(row.name);
  const std::string_view value = held == record.config.end() ? row.fallback : std::string_view(held->second);
  return canonical_value(row.form, value);
}

// Whoever may change the endpoint need not know the secret; sending it elsewhere would give it away. A role's owner
// sees the externalId that comes with a question for the role, so that goes to no other role.
Result<void> check_secrets_stay(const ProviderType& type, const ProviderRecord& before, const ProviderRecord& after,
                                const ProviderConfig& given) {
  bool moved = false, is_other_role = false;
  for (const ProviderKey& row : type.keys) {
    const bool differs = place_of(before, row) != place_of(after, row);
    moved = moved || (names_server(row.form) && differs);
    is_other_role = is_other_role || (row.form == KeyForm::role_arn && differs);
  }
  std::vector<std::string> missing;
  for (const ProviderKey& row : type.keys) {
    const bool goes_elsewhere = moved || (is_other_role && row.name == "externalId");
    if (row.secret && goes_elsewhere && before.has(row.name) && after.has(row.name) && !given.contains(row.name)) {
      missing.emplace_back(row.name);
    }
  }
  if (missing.empty()) return {};
  return Error(errc::secret_required_for_endpoint).with("provider", before.id.str()).with_missing(std::move(missing));
}

}  // namespace

std::string audit_text(std::string_view text) {
  if (text.size() <= audit_text_bytes_max) return std::string(text);
  return fmt::format("({} bytes)", text.size());
}

void check_description(std::string_view text, std::vector<Problem>& problems) {
  if (text.size() > description_bytes_max) {
    problems.push_back({"/description", "must have at most 4000 bytes"});
  } else if (const auto wrong = value_problem(KeyForm::lines, text); !wrong.empty()) {
    problems.push_back({"/description", std::string(wrong)});
  }
}

TypePtr type_of(const Surroundings& around, std::string_view name) {
  return around.type ? around.type : catalog_type(name);
}

std::vector<Problem> problems_of(const NewProvider& wanted, const Surroundings& around) {
  std::vector<Problem> problems;
  const TypePtr type = type_of(around, wanted.type);
  if (type == nullptr) problems.push_back({"/type", "is not a type of the catalog"});
  check_name(wanted.name, problems);
  check_description(wanted.description, problems);
  check_category(wanted.category, problems);
  if (type != nullptr) check_config(*type, {}, wanted.config, around, problems);
  return problems;
}

Result<ProviderChange> decide_create(const NewProvider& wanted, const ProviderId& id, std::string salt,
                                     const Surroundings& around) {
  const TypePtr type = type_of(around, wanted.type);
  if (type == nullptr) return unknown_type(wanted.type);
  auto problems = problems_of(wanted, around);
  if (!problems.empty()) return not_valid(std::move(problems));
  if (around.name_owner) return name_taken(wanted.name);

  ProviderChange change;
  change.record.id = id;
  change.record.name = wanted.name;
  change.record.type = wanted.type;
  change.record.enabled = wanted.enabled;
  change.record.salt = std::move(salt);
  change.record.created_at = change.record.updated_at = around.now;
  change.changes = {{"name", "", wanted.name}, {"type", "", wanted.type}};
  if (!wanted.enabled) change.changes.push_back({"enabled", "", "false"});
  set_text(change, "description", &ProviderRecord::description, wanted.description);
  set_text(change, "category", &ProviderRecord::category, stored_category(type.get(), wanted.category));
  change.record.created_by = change.record.updated_by = around.actor;
  change.record.grants = around.grants;
  apply_config(change, *type, wanted.config, around);
  return change;
}

Result<ProviderChange> decide_update(const ProviderRecord& current, const ProviderUpdate& update,
                                     const Surroundings& around) {
  if (update.type && *update.type != current.type) {
    return Error(errc::provider_type_fixed).with("type", current.type);
  }
  // A newer version may have stored a type that this one does not know: all but its configuration can change.
  const TypePtr type = type_of(around, current.type);
  if (type == nullptr && !update.config.empty()) return unknown_type(current.type);
  std::vector<Problem> problems;
  if (update.name) check_name(*update.name, problems);
  check_description(update.description.value_or(""), problems);
  check_category(update.category.value_or(""), problems);
  if (!update.config.empty()) check_config(*type, current, update.config, around, problems);
  if (!problems.empty()) return not_valid(std::move(problems));

  ProviderChange change;
  change.record = current;
  if (!update.config.empty()) {
    apply_config(change, *type, update.config, around);
    if (auto bound = check_secrets_stay(*type, current, change.record, update.config); !bound) return bound.error();
  }
  if (update.name && *update.name != current.name) {
    if (around.name_owner && *around.name_owner != current.id) return name_taken(*update.name);
    change.changes.push_back({"name", current.name, *update.name});
    change.record.name = *update.name;
  }
  if (update.enabled && *update.enabled != current.enabled) {
    change.changes.push_back({"enabled", current.enabled ? "true" : "false", *update.enabled ? "true" : "false"});
    change.record.enabled = *update.enabled;
  }
  if (update.description) set_text(change, "description", &ProviderRecord::description, *update.description);
  if (update.category) {
    set_text(change, "category", &ProviderRecord::category, stored_category(type.get(), *update.category));
  }
  if (!change.changes.empty()) {
    change.record.updated_at = around.now;
    change.record.updated_by = around.actor;
  }
  return change;
}

Result<ProviderChange> decide_grant(const ProviderRecord& current, const std::string& user, const AccessSet& access) {
  if (auto sound = work::check_actor_id(Actor::person(user)); !sound) return sound.error().with("field", "user");
  if (!access.empty() && *access.rbegin() > Access::EXECUTE) {
    return Error(errc::invalid_argument, "There is no such access").with("field", "access");
  }
  ProviderChange change{.record = current, .to_seal = {}, .changes = {}};
  Grants& grants = change.record.grants;
  const auto held = grants.find(user);
  const AccessSet before = held == grants.end() ? AccessSet() : held->second;
  if (before == access) return change;
  if (access.empty()) {
    grants.erase(user);
  } else {
    grants[user] = access;
  }
  if (grants.size() > grants_max) {
    return Error(errc::invalid_argument, "A provider has at most 1,000 grants").with("provider", current.id.str());
  }
  change.changes.push_back({"grants." + user, display(before), display(access)});
  return change;
}

std::vector<AuditChange> removal_of(const ProviderRecord& record) {
  return {{"name", record.name, ""}, {"type", record.type, ""}};
}

}  // namespace openindex::providers
