// All that was asked in one call, as one text: two requests have the same one if and only if they ask for the same.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/provider/integration.hpp>
#include <openindex/provider/provider.hpp>

namespace openindex::providers {

/// Every part says how long it is, so that no two rows of parts look alike, whatever bytes they hold.
class RequestText {
 public:
  RequestText& add(std::string_view part);
  RequestText& add(const char* part) { return add(std::string_view(part)); }
  RequestText& add(const std::string& part) { return add(std::string_view(part)); }
  RequestText& add(const ProviderId& id) { return add(id.str()); }
  template <std::integral Number>
  RequestText& add(Number number) {
    return add(std::string_view(std::to_string(number)));
  }
  RequestText& add(Time time) { return add(time.time_since_epoch().count()); }
  RequestText& add(Access access) { return add(static_cast<int>(access)); }

  RequestText& add(const ProviderConfig& config);
  RequestText& add(const ProviderTag& tag) { return add(tag.key).add(tag.value); }
  RequestText& add(const TokenLimit& limit) { return add(limit.tokens_max).add(static_cast<int>(limit.period)); }
  RequestText& add(const TokenUse& use) { return add(use.model).add(use.input).add(use.output).add(use.period_start); }
  RequestText& add(const IntegrationEvent& event) {
    return add(event.event).add(static_cast<int>(event.event_type)).add(event.created_at);
  }
  RequestText& add(const NewProvider& provider);
  RequestText& add(const ProviderUpdate& update);
  RequestText& add(const IntegrationUpdate& update);
  RequestText& add(const IntegrationModelUpdate& update);
  RequestText& add(const IntegrationModel& model);
  RequestText& add(const Integration& integration);
  RequestText& add(const AccessSet& access);
  RequestText& add(const IntegrationFormField::Condition& condition);
  RequestText& add(const IntegrationFormField& field);
  RequestText& add(const IntegrationDefinition& definition);

  template <class Part>
  RequestText& add(const std::optional<Part>& part) {
    add(part.has_value());
    return part ? add(*part) : *this;
  }
  template <class Part>
  RequestText& add(std::span<const Part> parts) {
    add(parts.size());
    for (const Part& part : parts) add(part);
    return *this;
  }
  template <class Part>
  RequestText& add(const std::vector<Part>& parts) {
    return add(std::span<const Part>(parts));
  }

  [[nodiscard]] const std::string& str() const { return text_; }

 private:
  std::string text_;
};

template <class... Parts>
std::string request_text(const Parts&... parts) {
  RequestText text;
  (text.add(parts), ...);
  return text.str();
}

}  // namespace openindex::providers
