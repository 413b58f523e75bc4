#include "provider/provider_config.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"
#include "provider/endpoint_url.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t value_bytes_max = 65'536;
constexpr std::size_t key_bytes_max = 100;
constexpr std::size_t name_bytes_max = 100;
constexpr std::string_view env_prefix = "env:";

// A header's name is a token (RFC 9110, 5.6.2).
bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// It becomes part of a host's name.
bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_choice(const ProviderKey& row, std::string_view value) {
  return row.choices.empty() || std::find(row.choices.begin(), row.choices.end(), value) != row.choices.end();
}

std::string choices_text(const ProviderKey& row) {
  std::string text = "must be one of ";
  for (const auto choice : row.choices) text += (choice == row.choices.front() ? "" : ", ") + std::string(choice);
  return text;
}

std::string plain_letters(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '_' || c == '-' || c == ' ') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
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

Problem unknown_key(const ProviderType& type, std::string_view key) {
  // A key may be as hostile as a value, and an error is read by people.
  if (key.size() > key_bytes_max || !is_utf8(key) || has_control(key)) {
    return {"/config", "a key is not 1 to 100 bytes of printable text"};
  }
  std::string text = "is not a key of type " + std::string(type.name);
  if (const auto meant = near_miss(type, key); !meant.empty()) text += "; did you mean " + std::string(meant) + "?";
  return {"/config/" + json::escape_pointer(key), std::move(text)};
}

}  // namespace

std::optional<std::string_view> env_reference(std::string_view value) {
  if (!value.starts_with(env_prefix)) return std::nullopt;
  return value.substr(env_prefix.size());
}

bool is_allowed_env(std::string_view variable, std::span<const std::string> allowed_env) {
  return !variable.empty() && std::find(allowed_env.begin(), allowed_env.end(), variable) != allowed_env.end();
}

std::string_view value_problem(KeyForm form, std::string_view value) {
  if (value.size() > value_bytes_max) return "is longer than 65536 bytes";
  if (!is_utf8(value)) return "is not UTF-8";
  if (has_control(value)) return "holds control characters, such as a line break";
  if (value.starts_with(' ') || value.ends_with(' ')) return "begins or ends with a space";
  if (form == KeyForm::url) return endpoint_problem(value);
  if (form == KeyForm::header_name && !is_token(value)) return "is not the name of an HTTP header";
  if (form == KeyForm::region && !is_region(value)) return "is not a region, such as eu-central-1";
  if (form == KeyForm::path && (!value.starts_with('/') || value.find_first_of("?# \\{}") != std::string_view::npos)) {
    return "is not a path, such as /v1/messages";
  }
  return {};
}

void check_values(const ProviderType& type, const ProviderConfig& given, std::span<const std::string> allowed_env,
                  std::vector<Problem>& problems) {
  for (const auto& [key, value] : given) {
    const ProviderKey* row = type.find_key(key);
    if (row == nullptr) {
      problems.push_back(unknown_key(type, key));
      continue;
    }
    std::string wrong;
    if (const auto variable = env_reference(value)) {
      // The same answer whether the variable exists or not: it is not for the author of a configuration to find out.
      if (!is_allowed_env(*variable, allowed_env)) wrong = "names an environment variable that the host does not allow";
    } else {
      wrong = value.empty() ? std::string_view() : value_problem(row->form, value);
      if (wrong.empty() && !value.empty() && !is_choice(*row, value)) wrong = choices_text(*row);
    }
    if (!wrong.empty()) problems.push_back({"/config/" + key, std::move(wrong)});
  }
}

void check_presence(const ProviderType& type, const SetKeys& set, std::vector<Problem>& problems) {
  for (const ProviderKey& row : type.keys) {
    const auto condition = row.when.empty() ? set.end() : set.find(row.when);
    if (condition != set.end() && condition->second == row.when_value && !set.contains(row.name)) {
      problems.push_back({"/config/" + std::string(row.name),
                          "is required when " + std::string(row.when) + " is " + std::string(row.when_value)});
    }
    const bool excused = !row.unless.empty() && set.contains(row.unless);
    if (row.required && !excused && !set.contains(row.name)) {
      std::string text = "is required";
      if (!row.unless.empty()) text += " unless " + std::string(row.unless) + " is set";
      problems.push_back({"/config/" + std::string(row.name), std::move(text)});
    }
    if (!row.needs.empty() && set.contains(row.name) && !set.contains(row.needs)) {
      problems.push_back(
          {"/config/" + std::string(row.needs), "is required when " + std::string(row.name) + " is set"});
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
  }
}

}  // namespace openindex::providers
