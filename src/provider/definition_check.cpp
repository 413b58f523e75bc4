#include "provider/definition_check.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "provider/custom_type.hpp"
#include "provider/definition_record.hpp"
#include "provider/key_form.hpp"
#include "provider/provider_change.hpp"

namespace openindex::providers {
namespace {

using FormField = IntegrationFormField;

constexpr std::size_t fields_max = 100;
constexpr std::size_t texts_max = 100;
constexpr std::size_t label_max = 200;
constexpr std::size_t default_max = 4000;
constexpr std::size_t values_max = 4;  // as in a row of the catalog

/// Notes what is wrong below one place.
class Notes {
 public:
  Notes(std::string place, std::vector<Problem>& problems) : place_(std::move(place)), problems_(problems) {}

  void add(const std::string& where, std::string text) { problems_.push_back({place_ + where, std::move(text)}); }

  void label(const std::string& where, std::string_view text, std::size_t bytes_max = label_max) {
    if (text.size() > bytes_max || !is_utf8(text) || has_control(text)) {
      add(where, fmt::format("must be at most {} bytes of UTF-8 without control characters", bytes_max));
    }
  }
  void labels(const std::string& where, std::span<const std::string> texts) {
    if (texts.size() > texts_max) return add(where, "must be at most 100");
    for (std::size_t i = 0; i < texts.size(); ++i) label(fmt::format("{}/{}", where, i), texts[i]);
  }
  void description(const std::string& where, std::string_view text) {
    std::vector<Problem> found;
    check_description(text, found);
    for (Problem& one : found) add(where, std::move(one.text));
  }
  [[nodiscard]] Notes below(const std::string& where) const { return {place_ + where, problems_}; }

 private:
  std::string place_;
  std::vector<Problem>& problems_;
};

const FormField* find_field(std::span<const FormField> fields, std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return one.field_name == name; });
  return found == fields.end() ? nullptr : &*found;
}

bool is_key(std::string_view name) {
  return !name.empty() && name.size() <= 100 && is_utf8(name) && !has_control(name);
}

void check_words(const IntegrationDefinition& wanted, Notes notes) {
  notes.label("/name", wanted.name);
  notes.label("/categoryLabel", wanted.category_label);
  notes.description("/description", wanted.description);
  notes.label("/iconName", wanted.icon_name);
  notes.labels("/tags", wanted.tags);
  if (wanted.configuration.size() > fields_max) notes.add("/configuration", "must have at most 100 fields");
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < wanted.configuration.size(); ++i) {
    const FormField& field = wanted.configuration[i];
    Notes at = notes.below(fmt::format("/configuration/{}", i));
    if (!is_key(field.field_name)) {
      at.add("/fieldName", "must be 1 to 100 bytes of printable text");
    } else if (!names.insert(field.field_name).second) {
      at.add("/fieldName", "is there twice");
    }
    at.label("/label", field.label);
    at.description("/description", field.description);
  }
}

void check_catalog_field(const FormField& wanted, const FormField* own, Notes notes) {
  if (own == nullptr) return notes.add("/fieldName", "is not a key of this type, which the catalog has");
  const auto fixed = [&](const char* where, bool is_same) {
    if (!is_same) notes.add(where, "cannot be changed of a type of the catalog");
  };
  const auto same_conditions =
      std::equal(wanted.depends_on.begin(), wanted.depends_on.end(), own->depends_on.begin(), own->depends_on.end(),
                 [](const auto& a, const auto& b) { return a.field_name == b.field_name && a.values == b.values; });
  fixed("/fieldType", wanted.field_type == own->field_type);
  fixed("/optional", wanted.optional == own->optional);
  fixed("/defaultValue", wanted.default_value == own->default_value);
  fixed("/valueOptions", wanted.value_options == own->value_options);
  fixed("/dependsOn", same_conditions);
}

void check_conditions(const FormField& field, std::span<const FormField> all, Notes notes) {
  if (field.depends_on.size() > texts_max) return notes.add("/dependsOn", "must be at most 100");
  for (std::size_t i = 0; i < field.depends_on.size(); ++i) {
    const auto& condition = field.depends_on[i];
    Notes at = notes.below(fmt::format("/dependsOn/{}", i));
    const FormField* other = find_field(all, condition.field_name);
    if (other == nullptr || other == &field) {
      at.add("/fieldName", "must be another field of this definition");
    } else if (is_secret(other->field_type)) {
      at.add("/fieldName", "must not be a secret, whose value is not known");
    }
    if (condition.values.empty() || condition.values.size() > values_max) at.add("/values", "must be 1 to 4");
    at.labels("/values", condition.values);
    if (std::find(condition.values.begin(), condition.values.end(), "") != condition.values.end()) {
      at.add("/values", "must not be empty texts");
    }
  }
}

void check_custom_field(const FormField& field, std::span<const FormField> all, Notes notes) {
  const bool is_choice = field.field_type == FormField::Type::DROPDOWN;
  if (field.field_type > FormField::Type::FILE) return notes.add("/fieldType", "is not a type of fields");
  if (!is_secret(field.field_type) && is_always_secret(field.field_name)) {
    notes.add("/fieldType", "must be PASSWORD or FILE: keys of this name are secrets");
  }
  notes.label("/defaultValue", field.default_value, default_max);
  if (is_secret(field.field_type) && !field.default_value.empty()) {
    notes.add("/defaultValue", "must be empty: everybody could read a secret there");
  }
  if (is_choice == field.value_options.empty()) {
    notes.add("/valueOptions", is_choice ? "must name at least one" : "is for a DROPDOWN only");
  }
  notes.labels("/valueOptions", field.value_options);
  const auto& options = field.value_options;
  const bool is_option = std::find(options.begin(), options.end(), field.default_value) != options.end();
  if (is_choice && !field.default_value.empty() && !is_option) notes.add("/defaultValue", "must be one of the options");
  check_conditions(field, all, notes);
}

void check_kept(const IntegrationDefinition& wanted, const IntegrationDefinition& former, Notes notes) {
  for (const FormField& before : former.configuration) {
    const FormField* now = find_field(wanted.configuration, before.field_name);
    if (now == nullptr) {
      notes.add("/configuration", before.field_name + " must stay: integrations may have it set");
    } else if (is_secret(now->field_type) != is_secret(before.field_type)) {
      const auto place = static_cast<std::size_t>(now - wanted.configuration.data());
      notes.add(fmt::format("/configuration/{}/fieldType", place),
                is_secret(before.field_type) ? "must stay PASSWORD or FILE" : "must not become a secret");
    }
  }
}

void check_custom_category(std::string_view category, Notes notes) {
  const auto known = provider_categories();
  if (std::find(known.begin(), known.end(), category) != known.end()) return;
  notes.add("/category", fmt::format("must be one of {}", fmt::join(known, ", ")));
}

}  // namespace

void check_definition(const IntegrationDefinition& wanted, const IntegrationDefinition* former,
                      const std::string& place, std::vector<Problem>& problems) {
  Notes notes(place, problems);
  check_words(wanted, notes);
  const auto& fields = wanted.configuration;
  const auto at = [&](std::size_t i) { return notes.below(fmt::format("/configuration/{}", i)); };
  if (const ProviderType* type = find_provider_type(wanted.type)) {
    const IntegrationDefinition own = catalog_definition(*type);
    if (!wanted.category.empty() && wanted.category != own.category) {
      notes.add("/category", "cannot be changed of a type of the catalog");
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      check_catalog_field(fields[i], find_field(own.configuration, fields[i].field_name), at(i));
    }
    return;
  }
  if (!is_type_name(wanted.type)) notes.add("/type", "must be 1 to 100 letters, digits, - or _");
  check_custom_category(wanted.category, notes);
  for (std::size_t i = 0; i < fields.size(); ++i) check_custom_field(fields[i], fields, at(i));
  if (former != nullptr) check_kept(wanted, *former, notes);
}

}  // namespace openindex::providers
