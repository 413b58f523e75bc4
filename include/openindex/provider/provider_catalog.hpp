// The provider catalog: which types there are and what each needs. Data: a new type is a new row.
// (conductor-integrations.md section 8; provider-wire-apis.md section 1)
//
// Thread safety: constant data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <openindex/agent/chat.hpp>
#include <openindex/core/api.hpp>

namespace openindex {
inline namespace v0 {

/// What a key's value must look like. Secrets are bound to what names a server: see ProviderRegistry.
enum class KeyForm : std::uint8_t {
  text,         ///< Anything without control characters.
  lines,        ///< The same with line breaks and tabs, such as a file in PEM.
  trust_roots,  ///< Lines: the roots that vouch for a server, in PEM or as the server's kind has them.
  url,          ///< `http(s)://host[:port][/path]`.
  header_name,  ///< The name of an HTTP header.
  region,       ///< A region of AWS or Google, such as `eu-central-1` or `global`.
  path,         ///< The end of a URL's path, from a slash on, without query; it follows the endpoint.
  port,         ///< 1 to 65535.
  count,        ///< A whole number, 1 to 999,999,999.
  servers,      ///< `[scheme://]host[:port]`, several with commas between them, without credentials.
  jdbc_url,     ///< `jdbc:<database>:…`, without credentials.
  mongo_url,    ///< `mongodb://…` or `mongodb+srv://…`, with the credentials in it: a secret.
  role_arn,     ///< A role of AWS, `arn:aws:iam::123456789012:role/name`.
  account_id,   ///< 12 digits.
  transport,    ///< How a server is spoken to, with TLS or without.
  google_key,   ///< The JSON file of a Google service account, or base64 of it.
};

/// Holds while another key has one of these values, compared without regard to case, spaces, `/`, `-` and `_`.
struct KeyCondition {
  std::string_view key;
  std::array<std::string_view, 4> values;  ///< Empty ones are none.
};

struct ProviderKey {
  std::string_view name;
  bool required = false;
  bool secret = false;
  std::string_view fallback = {};  ///< Used when the key is not set; empty: none.
  KeyForm form = KeyForm::text;
  std::string_view unless = {};                    ///< A required key may be left out when this other key is set.
  std::string_view needs = {};                     ///< When this key is set, the other one must be too.
  std::span<const KeyCondition> when = {};         ///< Required when all of these hold; none: see `required`.
  std::span<const std::string_view> choices = {};  ///< The values there are; empty: any of the form.
  bool open = false;                               ///< There may be other choices, which we do not know.
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

/// Return every category that a provider may carry, in the order of the enumeration that Conductor's clients know.
OPENINDEX_API std::span<const std::string_view> provider_categories();

/// Return every type.
OPENINDEX_API std::span<const ProviderType> provider_catalog();

/// Find a type; null when there is none of that name.
OPENINDEX_API const ProviderType* find_provider_type(std::string_view name);

}  // namespace v0
}  // namespace openindex
