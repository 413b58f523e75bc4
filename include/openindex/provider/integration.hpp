// Integration: a provider in Conductor's words, with its models, prompts, tokens and events.
// (seed: Create or Update Integration Provider; conductor-integrations.md 3)
//
// An integration is a provider record: `Integrations` shows it so. Members are named as on Conductor's wire, in the
// spelling of this library; docs/providers.md has the table.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/provider/provider.hpp>

namespace openindex {
inline namespace v0 {

/// Stands in a configuration that is read for each secret that is set. A save that sends it back keeps the secret.
inline constexpr std::string_view secret_mask = "**********";

/// A model, index or table of an integration. Conductor calls it an integration API, or an integration resource.
struct IntegrationModel {
  std::string integration_name = {};  ///< Whose it is.
  std::string api = {};               ///< Its name: 1 to 200 bytes, no control characters, neither `.` nor `..`.
  std::string description = {};
  bool enabled = true;                ///< False: runs that would ask it wait with `provider_disabled`.
  ProviderConfig configuration = {};  ///< Kept for who reads it; calls go by the integration's own. Secrets are masked.
  std::vector<ProviderTag> tags = {};
  std::optional<TokenLimit> limit = {};  ///< `maxTokens` and `frequency`.
  Time create_time{};
  Time update_time{};
  std::string created_by = {};
  std::string updated_by = {};
};

/// What to save of a model; absent members stay as they are, of a new one they are empty.
struct IntegrationModelUpdate {
  std::optional<std::string> description = {};
  std::optional<bool> enabled = {};
  std::optional<ProviderConfig> configuration = {};  ///< All of it: keys that are not named are removed, but secrets
                                                     ///< stay until their key is named with an empty value.
  std::optional<TokenLimit> limit = {};              ///< `tokens_max` 0: none.
};

struct Integration {
  std::string name = {};
  std::string type = {};
  std::string category = {};
  std::string description = {};
  bool enabled = true;
  ProviderConfig configuration = {};  ///< Secrets are masked: `secret_mask`.
  std::vector<ProviderTag> tags = {};
  std::uint64_t models_count = 0;
  std::vector<IntegrationModel> apis = {};  ///< Only where a call says so.
  Time create_time{};
  Time update_time{};
  std::string created_by = {};
  std::string updated_by = {};
  std::optional<ProviderUse> left_without = {};  ///< Only in the answer to a save that disables it: whom it served.
};

/// What to save of an integration; absent members stay as they are, of a new one they have their defaults.
struct IntegrationUpdate {
  std::optional<std::string> type = {};      ///< Needed to create one; later it may only be the same.
  std::optional<std::string> category = {};  ///< Default: that of the type.
  std::optional<std::string> description = {};
  std::optional<bool> enabled = {};                  ///< Default: true.
  std::optional<ProviderConfig> configuration = {};  ///< As that of a model.
};

/// Which integrations a list shall have.
struct IntegrationFilter {
  std::string category = {};  ///< Empty: any.
  bool active_only = true;    ///< Leaves out what is disabled.
  bool with_models = false;   ///< Fills `Integration::apis`.
};

/// One field of the form in which an integration of a type is set up.
struct IntegrationFormField {
  enum class Type : std::uint8_t { DROPDOWN, TEXT, PASSWORD, FILE };
  struct Condition {
    std::string field_name = {};
    std::vector<std::string> values = {};  ///< One of these.

    friend bool operator==(const Condition&, const Condition&) = default;
  };
  std::string field_name = {};  ///< The key of the configuration.
  Type field_type = Type::TEXT;
  std::string label = {};
  std::string description = {};
  bool optional = true;
  std::string default_value = {};
  std::vector<std::string> value_options = {};  ///< Of a DROPDOWN.
  std::vector<Condition> depends_on = {};       ///< Asked for when all of them hold.

  friend bool operator==(const IntegrationFormField&, const IntegrationFormField&) = default;
};

/// What Conductor's clients call the definition of a type: generated from the catalog, or registered by the host.
struct IntegrationDefinition {
  std::string name = {};      ///< For people, such as `Azure OpenAI`.
  std::string type = {};      ///< Of the catalog, or the host's own: 1 to 100 letters, digits, `-` or `_`.
  std::string category = {};  ///< One of `provider_categories`.
  std::string category_label = {};
  std::string description = {};
  std::string icon_name = {};  ///< As the product's pages call it.
  bool enabled = true;
  std::vector<std::string> tags = {};
  std::vector<IntegrationFormField> configuration = {};  ///< At most 100.

  friend bool operator==(const IntegrationDefinition&, const IntegrationDefinition&) = default;
};

/// A prompt that models can be associated with. Conductor calls it a message template.
struct Prompt {
  std::string name = {};                       ///< 1 to 200 bytes, no control characters.
  std::string text = {};                       ///< Up to 256 KiB; `${name}` stands for a variable.
  std::string description = {};                ///< Up to 4,000 bytes.
  std::vector<std::string> variables = {};     ///< In the text, each once, in order; at most 1,000.
  std::vector<std::string> integrations = {};  ///< `integration:model` of each that it is associated with.
  std::uint32_t version = 0;                   ///< Rises by one with each save that changes it; former texts are gone.
  Time create_time{};
  Time update_time{};
  std::string created_by = {};
  std::string updated_by = {};
};

/// Tokens of one model on one day (UTC).
struct TokenUse {
  std::string model = {};
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  Time period_start{};

  friend bool operator==(const TokenUse&, const TokenUse&) = default;
};

/// Something that an integration of events has sent or received, as workers report it.
struct IntegrationEvent {
  enum class Type : std::uint8_t { SEND, RECEIVE };
  std::string event = {};  ///< Which queue or topic; 1 to 200 bytes.
  Type event_type = Type::SEND;
  Time created_at{};
};

/// How often that was.
struct EventCount {
  std::string event = {};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  Time last_at{};

  friend bool operator==(const EventCount&, const EventCount&) = default;
};

}  // namespace v0
}  // namespace openindex
