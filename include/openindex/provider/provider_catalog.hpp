// The provider catalog: which types there are and what each needs. Data: a new type is a new row.
// (conductor-integrations.md section 8; provider-wire-apis.md section 1)
//
// Thread safety: constant data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <openindex/agent/chat.hpp>
#include <openindex/core/api.hpp>

namespace openindex {
inline namespace v0 {

/// What a key's value must look like.
enum class KeyForm : std::uint8_t {
  text,         ///< Anything without control characters.
  url,          ///< `http(s)://host[:port][/path]`; secrets are bound to it.
  header_name,  ///< The name of an HTTP header.
  region,       ///< A region of AWS, such as `eu-central-1`.
  path,         ///< The path of a URL, from its first slash on, without query.
};

struct ProviderKey {
  std::string_view name;
  bool required = false;
  bool secret = false;
  std::string_view fallback = {};  ///< Used when the key is not set; empty: none.
  KeyForm form = KeyForm::text;
  std::string_view unless = {};  ///< A required key may be left out when this other key is set.
  std::string_view needs = {};   ///< When this key is set, the other one must be too.
  std::string_view when = {};    ///< Required when this other key has the value `when_value`.
  std::string_view when_value = {};
  std::span<const std::string_view> choices = {};  ///< The values there are; empty: any of the form.
};

struct ProviderType {
  std::string_view name;      ///< Such as `openai`.
  std::string_view category;  ///< Such as `AI_MODEL`.
  std::span<const ProviderKey> keys;
  std::optional<WireFamily> family;  ///< Set when it can serve stages.
  WireDialect dialect = WireDialect::plain;

  /// Find a key of this type; null when it has none of that name.
  [[nodiscard]] const ProviderKey* find_key(std::string_view key) const noexcept {
    for (const ProviderKey& row : keys) {
      if (row.name == key) return &row;
    }
    return nullptr;
  }
};

/// Return every type.
OPENINDEX_API std::span<const ProviderType> provider_catalog();

/// Find a type; null when there is none of that name.
OPENINDEX_API const ProviderType* find_provider_type(std::string_view name);

}  // namespace v0
}  // namespace openindex
