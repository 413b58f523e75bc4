// Definitions of types for forms: generated from the catalog, and as they were registered.
#include <algorithm>
#include <string>
#include <string_view>

#include <openindex/provider/integration.hpp>
#include <openindex/provider/provider_catalog.hpp>

#include "provider/catalog/labels.hpp"
#include "provider/definition_record.hpp"

namespace openindex::providers {
namespace {

using FormField = IntegrationFormField;

bool is_upper(char letter) { return letter >= 'A' && letter <= 'Z'; }

std::string label_of(std::string_view key) {
  for (const auto& [name, label] : catalog::key_labels) {
    if (name == key) return std::string(label);
  }
  return words_of(key);
}

const catalog::TypeLabel* find_label(std::string_view type) {
  for (const auto& label : catalog::type_labels) {
    if (label.type == type) return &label;
  }
  return nullptr;
}

FormField::Type type_of(const ProviderKey& row) {
  if (row.name == "file" || row.name == "tlsFile") return FormField::Type::FILE;
  if (row.secret) return FormField::Type::PASSWORD;
  return row.choices.empty() ? FormField::Type::TEXT : FormField::Type::DROPDOWN;
}

std::string describe(const ProviderKey& row) {
  if (!row.fallback.empty()) return "If not set: " + std::string(row.fallback);
  if (!row.unless.empty()) return "Not needed when " + std::string(row.unless) + " is set";
  if (!row.needs.empty()) return "Needs " + std::string(row.needs);
  return {};
}

FormField field_of(const ProviderKey& row) {
  FormField field{.field_name = std::string(row.name),
                  .field_type = type_of(row),
                  .label = label_of(row.name),
                  .description = describe(row),
                  // What depends on others is asked for when they hold, and then it is needed.
                  .optional = row.when.empty() && (!row.required || !row.fallback.empty() || !row.unless.empty()),
                  .default_value = std::string(row.fallback)};
  for (const auto choice : row.choices) field.value_options.emplace_back(choice);
  for (const KeyCondition& condition : row.when) {
    FormField::Condition& needed = field.depends_on.emplace_back();
    needed.field_name = condition.key;
    for (const auto value : condition.values) {
      if (!value.empty()) needed.values.emplace_back(value);
    }
  }
  return field;
}

}  // namespace

// `pullBatchWaitMillis` and `consumer_type` as words.
std::string words_of(std::string_view key) {
  std::string out;
  for (const char letter : key) {
    const bool splits = letter == '_' || (is_upper(letter) && !out.empty() && out.back() != ' ');
    if (splits) out += ' ';
    if (letter != '_') out += is_upper(letter) ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  return out;
}

std::string_view category_label(std::string_view category) noexcept {
  for (const auto& [name, text] : catalog::category_labels) {
    if (name == category) return text;
  }
  return {};
}

IntegrationDefinition catalog_definition(const ProviderType& type) {
  IntegrationDefinition out;
  out.type = type.name;
  out.category = type.category;
  const catalog::TypeLabel* label = find_label(type.name);
  out.name = label == nullptr ? words_of(type.name) : std::string(label->label);
  out.description = label == nullptr ? std::string() : std::string(label->description);
  out.icon_name = label == nullptr || label->icon.empty() ? type.name : label->icon;
  out.category_label = category_label(type.category);
  out.tags = {std::string(type.category)};
  if (type.family) out.tags.emplace_back("chat");
  for (const ProviderKey& row : type.keys) out.configuration.push_back(field_of(row));
  return out;
}

}  // namespace openindex::providers
