#include "provider/schema_registry_probe.hpp"

#include <string>
#include <utility>

#include "codecs/reply_limits.hpp"
#include "core/base64.hpp"
#include "json/read.hpp"
#include "provider/probe_result.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

constexpr Duration registry_timeout{15'000};
constexpr std::size_t registry_bytes_max = std::size_t{4} << 20;

ProviderTest registry_failed(errc code, const std::string& text) {
  return answered(true, false, code, "The broker is fine; the schema registry is not: " + text);
}

std::string basic_login(std::string_view user, std::string_view secret) {
  const std::string pair = std::string(user) + ":" + std::string(secret);
  return "Basic " + to_base64({reinterpret_cast<const unsigned char*>(pair.data()), pair.size()});
}

}  // namespace

bool has_schema_registry(const Values& values) {
  return is_same(values["protocol"], "AVRO") && !values["schemaRegistryUrl"].empty();
}

std::optional<HttpRequest> encode_registry_probe(const Values& values) {
  auto base = values["schemaRegistryUrl"];
  if (base.ends_with('/')) base.remove_suffix(1);
  HttpRequest request{.url = std::string(base) + "/subjects",
                      .headers = {{"Accept", "application/json"}},
                      .timeout = registry_timeout,
                      .response_bytes_max = registry_bytes_max};
  const auto login = values["schemaRegistryAuthType"];
  if (login.empty() || is_same(login, "NONE")) return request;
  if (!is_same(login, "Schema Registry User Info (Key/Password)")) return std::nullopt;
  request.headers.emplace_back("Authorization",
                               basic_login(values["schemaRegistryApiKey"], values["schemaRegistryApiSecret"]));
  return request;
}

ProviderTest with_registry(ProviderTest broker, const std::optional<Result<HttpResponse>>& outcome) {
  if (!outcome) {
    broker.message += " The schema registry is not proved, since a login of its kind is not tried by a test.";
    return broker;
  }
  if (!*outcome) {
    const errc code = outcome->error().code();
    return registry_failed(code, std::string(message(code)) + ". " + std::string(remedy(code)) + ".");
  }
  const HttpResponse& response = **outcome;
  if (response.status == 401 || response.status == 403) {
    return registry_failed(errc::provider_unauthorized,
                           "it refuses the credential; check schemaRegistryAuthType, schemaRegistryApiKey and "
                           "schemaRegistryApiSecret.");
  }
  if (response.status == 429 || response.status >= 500) {
    return registry_failed(errc::provider_overloaded, "it is overloaded or failing; try again later.");
  }
  const auto answer = json::parse(response.body, codecs::reply_limits);
  if (response.status != 200 || !answer || !answer->is_array()) {
    return registry_failed(errc::provider_malformed_reply,
                           "something answers, but not with a list of subjects; check schemaRegistryUrl.");
  }
  broker.message += " The schema registry answers, too.";
  return broker;
}

}  // namespace openindex::providers
