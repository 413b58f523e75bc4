// How services that are no models are tried out over HTTP: one cheap request with the credential, which changes
// nothing. Pure functions. (conductor-integrations.md 10)
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>
#include <openindex/provider/provider.hpp>

#include "provider/provider_login.hpp"

namespace openindex::providers {

/// A configuration with its secrets opened and its defaults filled in.
class Values {
 public:
  void set(std::string_view key, std::string value) { values_.insert_or_assign(std::string(key), std::move(value)); }

  /// Return the value of a key; empty when it is not set.
  [[nodiscard]] std::string_view operator[](std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string_view() : std::string_view(found->second);
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// Tell whether a type is tried out like this.
bool is_probed_by_http(std::string_view type) noexcept;

/// Build the request. `grant`: what the configuration's credential was exchanged for, of types that do so.
/// @pre is_probed_by_http(type) @par Errors invalid_argument
Result<HttpRequest> encode_service_probe(std::string_view type, const Values& values, const Grant& grant, Time now);

/// Read its outcome. @pre is_probed_by_http(type)
ProviderTest read_service_probe(std::string_view type, const Values& values, const Result<HttpResponse>& outcome);

}  // namespace openindex::providers
