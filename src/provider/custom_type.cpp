#include "provider/custom_type.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "provider/key_form.hpp"

namespace openindex::providers {
namespace {

/// Owns what the views of a type look at.
struct CustomType {
  IntegrationDefinition definition;
  std::vector<std::vector<KeyCondition>> conditions;
  std::vector<std::vector<std::string_view>> choices;
  std::vector<ProviderKey> keys;
  ProviderType type;
};

template <class Holds>
bool any_row(std::string_view key, Holds holds) {
  const auto types = provider_catalog();
  return std::any_of(types.begin(), types.end(), [&](const ProviderType& type) {
    const ProviderKey* row = type.find_key(key);
    return row != nullptr && holds(*row);
  });
}

KeyForm form_of(const IntegrationFormField& field) {
  if (field.field_type == IntegrationFormField::Type::FILE) return KeyForm::lines;
  const bool is_place = any_row(field.field_name, [](const ProviderKey& row) { return names_server(row.form); });
  return is_place ? KeyForm::transport : KeyForm::text;
}

KeyCondition condition_of(const IntegrationFormField::Condition& given) {
  KeyCondition out{given.field_name, {}};
  for (std::size_t i = 0; i < std::min(given.values.size(), out.values.size()); ++i) out.values[i] = given.values[i];
  return out;
}

}  // namespace

TypePtr catalog_type(std::string_view name) {
  return TypePtr(std::shared_ptr<void>(), find_provider_type(name));  // constant data, owned by nobody
}

TypePtr custom_type(IntegrationDefinition definition) {
  const auto made = std::make_shared<CustomType>();
  made->definition = std::move(definition);
  const auto& fields = made->definition.configuration;
  made->conditions.resize(fields.size());
  made->choices.resize(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const IntegrationFormField& field = fields[i];
    const bool is_conditional = !field.depends_on.empty();
    for (const auto& one : field.depends_on) made->conditions[i].push_back(condition_of(one));
    if (field.field_type == IntegrationFormField::Type::DROPDOWN) {
      made->choices[i].assign(field.value_options.begin(), field.value_options.end());
    }
    ProviderKey row{.name = field.field_name,
                    .required = !field.optional && !is_conditional,
                    .secret = is_secret(field.field_type),
                    .fallback = field.default_value,
                    .form = form_of(field)};
    if (!field.optional) row.when = made->conditions[i];
    row.choices = made->choices[i];
    made->keys.push_back(row);
  }
  made->type.name = made->definition.type;
  made->type.category = made->definition.category;
  made->type.keys = made->keys;
  return {made, &made->type};
}

bool is_secret(IntegrationFormField::Type type) noexcept {
  return type == IntegrationFormField::Type::PASSWORD || type == IntegrationFormField::Type::FILE;
}

bool is_always_secret(std::string_view key) noexcept {
  return any_row(key, [](const ProviderKey& row) { return row.secret; }) &&
         !any_row(key, [](const ProviderKey& row) { return !row.secret; });
}

}  // namespace openindex::providers
