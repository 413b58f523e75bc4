#include "provider/request_text.hpp"

namespace openindex::providers {

RequestText& RequestText::add(std::string_view part) {
  text_ += std::to_string(part.size());
  text_ += ':';
  text_ += part;
  return *this;
}

RequestText& RequestText::add(const ProviderConfig& config) {
  add(config.size());
  for (const auto& [key, value] : config) add(key).add(value);
  return *this;
}

RequestText& RequestText::add(const AccessSet& access) {
  add(access.size());
  for (const Access one : access) add(one);
  return *this;
}

RequestText& RequestText::add(const NewProvider& provider) {
  return add(provider.name)
      .add(provider.type)
      .add(provider.config)
      .add(provider.enabled)
      .add(provider.description)
      .add(provider.category);
}

RequestText& RequestText::add(const ProviderUpdate& update) {
  return add(update.name)
      .add(update.enabled)
      .add(update.type)
      .add(update.config)
      .add(update.description)
      .add(update.category);
}

RequestText& RequestText::add(const IntegrationUpdate& update) {
  return add(update.type).add(update.category).add(update.description).add(update.enabled).add(update.configuration);
}

RequestText& RequestText::add(const IntegrationModelUpdate& update) {
  return add(update.description).add(update.enabled).add(update.configuration).add(update.limit);
}

// What a save goes by: neither times nor counts.
RequestText& RequestText::add(const IntegrationModel& model) {
  return add(model.integration_name)
      .add(model.api)
      .add(model.description)
      .add(model.enabled)
      .add(model.configuration)
      .add(model.tags)
      .add(model.limit);
}

RequestText& RequestText::add(const Integration& integration) {
  return add(integration.name)
      .add(integration.type)
      .add(integration.category)
      .add(integration.description)
      .add(integration.enabled)
      .add(integration.configuration)
      .add(integration.tags)
      .add(integration.apis);
}

RequestText& RequestText::add(const IntegrationFormField::Condition& condition) {
  return add(condition.field_name).add(condition.values);
}

RequestText& RequestText::add(const IntegrationFormField& field) {
  return add(field.field_name)
      .add(static_cast<int>(field.field_type))
      .add(field.label)
      .add(field.description)
      .add(field.optional)
      .add(field.default_value)
      .add(field.value_options)
      .add(field.depends_on);
}

RequestText& RequestText::add(const IntegrationDefinition& definition) {
  return add(definition.name)
      .add(definition.type)
      .add(definition.category)
      .add(definition.category_label)
      .add(definition.description)
      .add(definition.icon_name)
      .add(definition.enabled)
      .add(definition.tags)
      .add(definition.configuration);
}

}  // namespace openindex::providers
