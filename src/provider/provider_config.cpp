#include "provider/provider_config.hpp"

#include <openindex/provider/integration.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"
#include "provider/key_form.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t key_bytes_max = 100;
constexpr std::size_t name_bytes_max = 100;
constexpr std::string_view env_prefix = "env:";
constexpr std::string_view file_prefix = "file:";

std::string choices_text(const ProviderKey& row) {
  std::string text = "must be one of ";
  for (const auto choice : row.choices) text += (choice == row.choices.front() ? "" : ", ") + std::string(choice);
  return text;
}

std::string plain_letters(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '_' || c == '-' || c == ' ' || c == '/') continue;
    out += lower_ascii(c);
  }
  return out;
}

bool is_choice(const ProviderKey& row, std::string_view value) {
  return row.open || row.choices.empty() ||
         std::any_of(row.choices.begin(), row.choices.end(), [&](auto choice) { return is_same(choice, value); });
}

std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

// Names that other tools give to the same thing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> other_names = {{
    {"url", "endpoint"},
    {"baseurl", "endpoint"},
    {"host", "endpoint"},
    {"key", "api_key"},
    {"token", "api_key"},
    {"organization", "organizationId"},
    {"modelname", "model"},
}};

/// Return the key that was probably meant; empty when none comes near.
std::string_view near_miss(const ProviderType& type, std::string_view key) {
  const std::string plain = plain_letters(key);
  for (const ProviderKey& row : type.keys) {
    if (edits_between(plain, plain_letters(row.name)) <= (plain.size() > 4 ? 2U : 1U)) return row.name;
  }
  for (const auto& [other, ours] : other_names) {
    if (plain == other && type.find_key(ours) != nullptr) return ours;
  }
  return {};
}

bool is_sound_key(std::string_view key) {
  return !key.empty() && key.size() <= key_bytes_max && is_utf8(key) && !has_control(key);
}

Problem unknown_key(const ProviderType& type, std::string_view key) {
  // A key may be as hostile as a value, and an error is read by people.
  if (!is_sound_key(key)) {
    return {"/config", "a key is not 1 to 100 bytes of printable text"};
  }
  std::string text = "is not a key of type " + std::string(type.name);
  if (const auto meant = near_miss(type, key); !meant.empty()) text += "; did you mean " + std::string(meant) + "?";
  return {"/config/" + json::escape_pointer(key), std::move(text)};
}

}  // namespace

bool is_same(std::string_view one, std::string_view other) { return plain_letters(one) == plain_letters(other); }

std::optional<std::string_view> env_reference(std::string_view value) {
  if (!value.starts_with(env_prefix)) return std::nullopt;
  return value.substr(env_prefix.size());
}

std::optional<std::string_view> file_reference(std::string_view value) {
  if (!value.starts_with(file_prefix)) return std::nullopt;
  return value.substr(file_prefix.size());
}

bool is_reference(std::string_view value) { return value.starts_with(env_prefix) || value.starts_with(file_prefix); }

bool is_allowed_env(std::string_view variable, std::span<const std::string> allowed_env) {
  return !variable.empty() && std::find(allowed_env.begin(), allowed_env.end(), variable) != allowed_env.end();
}

void check_values(const ProviderType& type, const ProviderConfig& given, const Allowed& allowed, Validation validation,
                  std::vector<Problem>& problems) {
  for (const auto& [key, value] : given) {
    const ProviderKey* row = type.find_key(key);
    if (row == nullptr && (validation != Validation::lenient || !is_sound_key(key))) {
      problems.push_back(unknown_key(type, key));
      continue;
    }
    std::string wrong;
    // The same answer whether it exists or not: that is not for the author of a configuration to find out.
    if (const auto variable = env_reference(value)) {
      if (!is_allowed_env(*variable, allowed.env)) wrong = "names an environment variable that the host does not allow";
    } else if (const auto path = file_reference(value)) {
      if (allowed.files == nullptr || !allowed.files->allows(*path))
        wrong = "names a file that the host does not allow";
    } else {
      wrong = value.empty() ? std::string_view() : value_problem(row == nullptr ? KeyForm::lines : row->form, value);
      if (value == secret_mask && (row == nullptr || row->secret)) wrong = mask_without_secret;
      if (wrong.empty() && row != nullptr && !value.empty() && !is_choice(*row, value)) wrong = choices_text(*row);
    }
    if (!wrong.empty()) problems.push_back({"/config/" + json::escape_pointer(key), std::move(wrong)});
  }
}

namespace {

// Whether all conditions hold; if so, in words.
std::optional<std::string> reason_of(const ProviderKey& row, const SetKeys& set) {
  std::string text;
  for (const KeyCondition& condition : row.when) {
    const auto held = set.find(condition.key);
    if (held == set.end()) return std::nullopt;
    const bool holds = std::any_of(condition.values.begin(), condition.values.end(),
                                   [&](auto value) { return !value.empty() && is_same(value, held->second); });
    if (!holds) return std::nullopt;
    text += (text.empty() ? " when " : " and ") + std::string(condition.key) + " is " + held->second;
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

// Why a key that is not set must be; nothing when it need not.
std::optional<std::string> demand_for(const ProviderType& type, const ProviderKey& row, const SetKeys& set,
                                      Validation validation) {
  const bool strict = validation == Validation::strict;
  if (!strict && !row.fallback.empty()) return std::nullopt;
  if (const auto reason = reason_of(row, set)) return "is required" + *reason;
  if (row.required && (strict || row.unless.empty() || !set.contains(row.unless))) {
    const bool excusable = !strict && !row.unless.empty();
    return "is required" + (excusable ? " unless " + std::string(row.unless) + " is set" : std::string());
  }
  for (const ProviderKey& other : type.keys) {
    if (other.needs == row.name && set.contains(other.name)) {
      return "is required when " + std::string(other.name) + " is set";
    }
  }
  return std::nullopt;
}

}  // namespace

void check_presence(const ProviderType& type, const SetKeys& set, Validation validation,
                    std::vector<Problem>& problems) {
  if (validation == Validation::lenient) return;
  for (const ProviderKey& row : type.keys) {
    if (set.contains(row.name)) continue;
    if (auto demand = demand_for(type, row, set, validation)) {
      problems.push_back({"/config/" + std::string(row.name), std::move(*demand)});
    }
  }
}

void check_name(std::string_view name, std::vector<Problem>& problems) {
  if (name.empty() || name.size() > name_bytes_max) {
    problems.push_back({"/name", "must have 1 to 100 bytes"});
  } else if (!is_utf8(name) || has_control(name)) {
    problems.push_back({"/name", "must be UTF-8 without control characters"});
  } else if (name.find_first_of(":/") != std::string_view::npos) {
    problems.push_back({"/name", "must not have a colon or a slash"});
  } else if (name == "." || name == "..") {
    problems.push_back({"/name", "must not be a dot or two, which no URL can name"});
  }
}

}  // namespace openindex::providers
