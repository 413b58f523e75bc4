#include "provider/model_change.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"
#include "provider/key_form.hpp"
#include "provider/provider_config.hpp"
#include "provider/stored_parts.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t label_bytes_max = 200;
constexpr std::size_t keys_max = 100;
constexpr std::size_t config_bytes_max = std::size_t{1} << 20;
constexpr std::size_t tags_given_max = 100;
constexpr std::uint64_t tokens_limit_max = 1'000'000'000'000'000;

// The row of a key: of the own type, or else of any that has it, of one where it is a secret first.
const ProviderKey* find_row(const ProviderType* own, std::string_view key) {
  if (own != nullptr && own->find_key(key) != nullptr) return own->find_key(key);
  const ProviderKey* found = nullptr;
  for (const ProviderType& type : provider_catalog()) {
    const ProviderKey* row = type.find_key(key);
    if (row != nullptr && (found == nullptr || row->secret)) found = row;
  }
  return found;
}

// A key that no type has may be a misspelt one of a secret: what is not known to be none is sealed.
bool is_public_key(const ProviderType* own, std::string_view key) {
  const ProviderKey* row = find_row(own, key);
  return row != nullptr && !row->secret;
}

void check_model_name(std::string_view name, std::vector<Problem>& problems) {
  if (name.empty() || name.size() > label_bytes_max || !is_utf8(name) || has_control(name)) {
    problems.push_back({"/api", "must be 1 to 200 bytes of UTF-8 without control characters"});
  } else if (name == "." || name == "..") {
    problems.push_back({"/api", "must not be a dot or two, which no URL can name"});
  }
}

void check_model_config(const ModelRecord& current, const ProviderType* own, const ProviderConfig& config,
                        std::vector<Problem>& problems) {
  if (config.size() > keys_max) problems.push_back({"/configuration", "must have at most 100 keys"});
  for (const auto& [key, value] : config) {
    if (key.empty() || key.size() > keys_max || !is_utf8(key) || has_control(key)) {
      problems.push_back({"/configuration", "a key is not 1 to 100 bytes of printable text"});
      continue;
    }
    const std::string place = "/configuration/" + json::escape_pointer(key);
    const ProviderKey* row = find_row(own, key);
    const bool is_public = row != nullptr && !row->secret;
    // What readers see must hold no credentials, as an address can.
    const bool is_seen = is_public && !value.empty() && !is_reference(value);
    const auto wrong = value_problem(is_seen ? row->form : KeyForm::lines, value);
    if (!wrong.empty()) problems.push_back({place, std::string(wrong)});
    if (value == secret_mask && !current.secrets.contains(key) && !is_public) {
      problems.push_back({place, std::string(mask_without_secret)});
    }
  }
}

std::vector<Problem> problems_of(const ModelRecord& current, const ProviderType* own,
                                 const IntegrationModelUpdate& update) {
  std::vector<Problem> problems;
  check_model_name(current.name, problems);
  check_description(update.description.value_or(""), problems);
  if (update.configuration) check_model_config(current, own, *update.configuration, problems);
  if (update.limit) check_limit(*update.limit, problems);
  return problems;
}

void apply_key(ModelChange& change, const ProviderRecord& provider, const ProviderType* own, const std::string& key,
               const std::string& value, Time now) {
  ModelRecord& record = change.record;
  const bool was_secret = record.secrets.contains(key);
  const auto held = record.config.find(key);
  const std::string before = held != record.config.end() ? audit_text(held->second) : was_secret ? "set" : "";
  record.config.erase(key);
  if (value.empty()) {
    record.secrets.erase(key);
    change.changes.push_back({"config." + key, before, was_secret ? "removed" : ""});
  } else if (is_public_key(own, key)) {
    record.secrets.erase(key);
    record.config.emplace(key, value);
    change.changes.push_back({"config." + key, before, audit_text(value)});
  } else {
    record.secrets[key].info = {fingerprint(provider, value), now};
    change.to_seal.push_back(key);
    change.changes.push_back({"config." + key, before, before.empty() ? "set" : "changed"});
  }
}

std::size_t bytes_of(const ProviderConfig& config) {
  std::size_t sum = 0;
  for (const auto& [key, value] : config) sum += key.size() + value.size();
  return sum;
}

std::string plain_text(bool value) { return value ? "true" : "false"; }

}  // namespace

void check_limit(const TokenLimit& limit, std::vector<Problem>& problems) {
  if (limit.tokens_max > tokens_limit_max) problems.push_back({"/maxTokens", "must be at most 10^15"});
  if (limit.period > TokenLimit::Period::month) problems.push_back({"/frequency", "is not a period"});
}

void check_tags(std::span<const ProviderTag> tags, std::vector<Problem>& problems) {
  const auto is_sound = [](std::string_view text) {
    return text.size() <= label_bytes_max && is_utf8(text) && !has_control(text);
  };
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string place = fmt::format("/tags/{}", i);
    if (tags[i].key.empty() || !is_sound(tags[i].key)) {
      problems.push_back({place + "/key", "must be 1 to 200 bytes of UTF-8 without control characters"});
    }
    if (!is_sound(tags[i].value)) {
      problems.push_back({place + "/value", "must be at most 200 bytes of UTF-8 without control characters"});
    }
  }
  if (tags.size() > tags_given_max) problems.push_back({"/tags", "must be at most 100"});
}

bool add_tags(std::vector<ProviderTag>& held, std::span<const ProviderTag> tags) {
  const std::size_t before = held.size();
  held.insert(held.end(), tags.begin(), tags.end());
  std::sort(held.begin(), held.end());
  held.erase(std::unique(held.begin(), held.end()), held.end());
  return held.size() != before;
}

bool take_tags(std::vector<ProviderTag>& held, std::span<const ProviderTag> tags) {
  return std::erase_if(
             held, [&](const ProviderTag& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); }) > 0;
}

std::string display(std::span<const ProviderTag> tags) {
  std::string out;
  for (const ProviderTag& tag : tags) out += (out.empty() ? "" : ", ") + tag.key + ":" + tag.value;
  return audit_text(out);
}

std::string display(const std::optional<TokenLimit>& limit) {
  return limit ? fmt::format("{} a {}", limit->tokens_max, to_text(limit->period)) : std::string();
}

ProviderConfig config_between(const ProviderConfig& held, const SealedSecrets& secrets, const ProviderConfig& wanted) {
  ProviderConfig out;
  for (const auto& [key, value] : wanted) {
    if (value == secret_mask && secrets.contains(key)) continue;
    if (is_reference(value)) {  // it counts as given again, though nothing may change
      out.emplace(key, value);
      continue;
    }
    const auto before = held.find(key);
    if (before == held.end() ? value.empty() && !secrets.contains(key) : before->second == value) continue;
    out.emplace(key, value);
  }
  for (const auto& [key, value] : held) {
    if (!wanted.contains(key) && !is_reference(value)) out.emplace(key, std::string());
  }
  return out;
}

Result<ModelChange> decide_model(const ModelRecord& current, const ProviderRecord& provider,
                                 const IntegrationModelUpdate& update, const Surroundings& around) {
  const TypePtr own = type_of(around, provider.type);
  if (auto problems = problems_of(current, own.get(), update); !problems.empty()) {
    return Error(errc::invalid_argument, "The integration is not valid").with_problems(std::move(problems));
  }
  ModelChange change{.record = current, .to_seal = {}, .changes = {}};
  ModelRecord& record = change.record;
  if (current.version == 0) {
    record.created_at = around.now;
    record.created_by = around.actor;
    change.changes.push_back({"name", "", record.name});
  }
  if (update.description && *update.description != record.description) {
    change.changes.push_back({"description", audit_text(record.description), audit_text(*update.description)});
    record.description = *update.description;
  }
  if (update.enabled && *update.enabled != record.enabled) {
    change.changes.push_back({"enabled", plain_text(record.enabled), plain_text(*update.enabled)});
    record.enabled = *update.enabled;
  }
  if (update.configuration) {
    for (const auto& [key, value] : config_between(record.config, record.secrets, *update.configuration)) {
      if (around.known_secrets.contains(key)) continue;
      apply_key(change, provider, own.get(), key, value, around.now);
    }
    if (record.config.size() + record.secrets.size() > keys_max || bytes_of(record.config) > config_bytes_max) {
      return Error(errc::invalid_argument, "The integration is not valid")
          .with_problems({{"/configuration", "must have at most 100 keys and 1 MiB, those that are kept included"}});
    }
  }
  if (update.limit) {
    const auto limit = update.limit->tokens_max == 0 ? std::nullopt : update.limit;
    if (limit != record.limit) {
      change.changes.push_back({"limit", display(record.limit), display(limit)});
      record.limit = limit;
    }
  }
  for (AuditChange& one : change.changes) one.what.insert(0, "models." + record.name + ".");
  if (!change.changes.empty()) {
    record.updated_at = around.now;
    record.updated_by = around.actor;
  }
  return change;
}

}  // namespace openindex::providers
