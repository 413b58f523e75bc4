#include "provider/definition_record.hpp"

#include <algorithm>
#include <utility>

#include "json/stored.hpp"
#include "json/writer.hpp"

namespace openindex::providers {
namespace {

using FormField = IntegrationFormField;

constexpr std::pair<FormField::Type, std::string_view> field_types[] = {{FormField::Type::DROPDOWN, "DROPDOWN"},
                                                                        {FormField::Type::TEXT, "TEXT"},
                                                                        {FormField::Type::PASSWORD, "PASSWORD"},
                                                                        {FormField::Type::FILE, "FILE"}};

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out.key(name).begin_array();
  for (const std::string& text : texts) out.string(text);
  out.end_array();
}

void write_field(json::Writer& out, const FormField& field) {
  out.begin_object().key("name").string(field.field_name);
  out.key("type").string(field_types[static_cast<std::size_t>(field.field_type)].second);
  out.member("label", field.label).member("description", field.description);
  out.key("optional").boolean(field.optional).member("default", field.default_value);
  write_texts(out, "options", field.value_options);
  if (!field.depends_on.empty()) {
    out.key("dependsOn").begin_array();
    for (const auto& one : field.depends_on) {
      out.begin_object().key("name").string(one.field_name);
      write_texts(out, "values", one.values);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

// A type of fields that a newer version knows is a secret to this one.
FormField read_field(json::Stored& in) {
  FormField field{.field_name = in.text("name"), .field_type = FormField::Type::PASSWORD};
  const std::string type = in.text("type");
  for (const auto& [known, text] : field_types) {
    if (text == type) field.field_type = known;
  }
  field.label = in.text("label");
  field.description = in.text("description");
  field.optional = in.boolean("optional");
  field.default_value = in.text("default");
  field.value_options = in.texts("options");
  for (json::Stored& one : in.objects("dependsOn")) field.depends_on.push_back({one.text("name"), one.texts("values")});
  return field;
}

void overlay(std::string& text, const std::string& other) {
  if (!other.empty()) text = other;
}

}  // namespace

bool is_type_name(std::string_view name) noexcept {
  const auto is_sound = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), is_sound);
}

RecordId definition_record(std::string_view type) { return {"provider_type", std::string(type)}; }

Put write_definition(const DefinitionRecord& record) {
  const IntegrationDefinition& definition = record.definition;
  json::Writer out;
  out.begin_object().member("name", definition.name).member("category", definition.category);
  out.member("categoryLabel", definition.category_label).member("description", definition.description);
  out.member("iconName", definition.icon_name).key("enabled").boolean(definition.enabled);
  write_texts(out, "tags", definition.tags);
  out.key("configuration").begin_array();
  for (const FormField& field : definition.configuration) write_field(out, field);
  out.end_array().key("auditCount").number(record.chain.count).key("auditHead").string(record.chain.digest);
  out.rest(record.extra).end_object();
  return {definition_record(definition.type), std::move(out).str(), {}};
}

Result<DefinitionRecord> read_definition(const Record& record) {
  auto in = json::Stored::read(record.body, "definition of type " + record.id.key);
  if (!in) return in.error();
  DefinitionRecord out;
  out.version = record.version;
  IntegrationDefinition& definition = out.definition;
  definition.type = record.id.key;
  definition.name = in->text("name");
  definition.category = in->text("category");
  definition.category_label = in->text("categoryLabel");
  definition.description = in->text("description");
  definition.icon_name = in->text("iconName");
  definition.enabled = in->boolean("enabled");
  definition.tags = in->texts("tags");
  for (json::Stored& field : in->objects("configuration")) definition.configuration.push_back(read_field(field));
  out.chain = {in->natural("auditCount"), in->text("auditHead")};
  out.extra = in->rest();
  return out;
}

Result<std::optional<DefinitionRecord>> load_definition(Storage& storage, std::string_view type) {
  if (!is_type_name(type)) return std::optional<DefinitionRecord>();
  const RecordId id = definition_record(type);
  const auto found = storage.get_bodies({&id, 1});
  if (!found) return found.error();
  if (!found->front()) return std::optional<DefinitionRecord>();
  return read_definition(*found->front()).transform([](DefinitionRecord record) {
    return std::optional(std::move(record));
  });
}

Result<std::vector<DefinitionRecord>> load_definitions(Storage& storage) {
  std::vector<DefinitionRecord> out;
  ScanRequest request{.prefix = {std::string("provider_type")}};
  do {
    auto page = storage.scan(request);
    if (!page) return page.error();
    for (const Record& row : page->rows) {
      auto record = read_definition(row);
      if (!record) return record.error();
      out.push_back(std::move(*record));
    }
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return out;
}

IntegrationDefinition shown_definition(const IntegrationDefinition& registered) {
  const ProviderType* type = find_provider_type(registered.type);
  if (type == nullptr) {
    IntegrationDefinition out = registered;
    if (out.name.empty()) out.name = words_of(out.type);
    if (out.category_label.empty()) out.category_label = category_label(out.category);
    for (FormField& field : out.configuration) {
      if (field.label.empty()) field.label = words_of(field.field_name);
    }
    return out;
  }
  IntegrationDefinition out = catalog_definition(*type);
  overlay(out.name, registered.name);
  overlay(out.category_label, registered.category_label);
  overlay(out.description, registered.description);
  overlay(out.icon_name, registered.icon_name);
  out.enabled = registered.enabled;
  if (!registered.tags.empty()) out.tags = registered.tags;
  for (const FormField& other : registered.configuration) {
    for (FormField& field : out.configuration) {
      if (field.field_name != other.field_name) continue;
      overlay(field.label, other.label);
      overlay(field.description, other.description);
    }
  }
  return out;
}

}  // namespace openindex::providers
