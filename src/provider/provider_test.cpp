#include "provider/provider_test.hpp"

#include <utility>

#include "provider/model_choice.hpp"
#include "provider/probe_result.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/provider_probe.hpp"
#include "provider/schema_registry_probe.hpp"
#include "provider/service_probe.hpp"

namespace openindex::providers {
namespace {

bool is_granted(const ProviderRegistry::Directory::Endpoint& endpoint) { return endpoint.is_granted; }
bool is_granted(const ProviderRegistry::Directory::Settings& settings) { return settings.grant.has_value(); }

// Resolve, and once more when a grant has to be fetched first. One that is due and not given is no failure yet.
template <class Resolved, class Resolve>
Result<Resolved> log_in(ProviderRegistry::Directory& directory, const Resolve& resolve,
                        std::optional<ProviderTest>& failed) {
  Result<Resolved> resolved = resolve();
  if (!resolved || !resolved->login) return resolved;
  const auto answer = send_and_wait(directory.options.http, resolved->login->request);
  if (auto kept = directory.keep_grant(*resolved->login, answer); !kept) {
    if (!is_granted(*resolved)) failed = login_failed(kept.error());
    return resolved;
  }
  return resolve();
}

// A server that is not there, or answers with something else, says nothing of the credential.
bool is_refusal(const ProviderTest& test) { return !test.authenticated && test.code == errc::provider_unauthorized; }

Result<ProviderTest> test_by_protocol(ProviderRegistry::Directory& directory, std::string_view type,
                                      const Values& values) {
  auto test = probe_by_protocol(type, values, *directory.options.connector, directory.options.random);
  if (type != "kafka" || !test || !test->ok() || !has_schema_registry(values)) return test;
  auto request = encode_registry_probe(values);
  if (!request) return with_registry(std::move(*test), std::nullopt);
  return with_registry(std::move(*test), send_and_wait(directory.options.http, std::move(*request)));
}

}  // namespace

Result<ProviderTest> test_model(ProviderRegistry::Directory& directory, const ProviderRecord& record) {
  std::optional<ProviderTest> failed;
  const auto endpoint = log_in<ProviderRegistry::Directory::Endpoint>(
      directory, [&] { return directory.resolve(record); }, failed);
  if (failed) return *failed;
  if (!endpoint) return endpoint.error();
  // Vertex is asked about a model, and about nothing else.
  if (endpoint->model.empty() && endpoint->dialect == WireDialect::vertex) return not_configured(no_model(record));
  auto request = codecs::encode_probe(*endpoint, directory.options.clock.now());
  if (!request) return request.error();
  ProviderTest test =
      read_probe(*endpoint, send_and_wait(directory.options.http, std::move(*request)), endpoint->is_granted);
  if (endpoint->is_granted && is_refusal(test)) {
    directory.refused(record.id, endpoint->access_key, endpoint->api_key);
  }
  return test;
}

Result<ProviderTest> test_service(ProviderRegistry::Directory& directory, const ProviderRecord& record,
                                  const ProviderType& type) {
  std::optional<ProviderTest> failed;
  const auto settings = log_in<ProviderRegistry::Directory::Settings>(
      directory, [&] { return directory.settings(record, type); }, failed);
  if (failed) return *failed;
  if (!settings) return settings.error();
  if (is_probed_by_protocol(type.name)) {
    if (directory.options.connector != nullptr) {
      return test_by_protocol(directory, type.name, settings->values);
    }
    return untried("the host gives tests no connector, which brokers and databases need");
  }
  const Grant grant = settings->grant.value_or(Grant());
  auto request = encode_service_probe(type.name, settings->values, grant, directory.options.clock.now());
  if (!request) return request.error();
  ProviderTest test =
      read_service_probe(type.name, settings->values, send_and_wait(directory.options.http, std::move(*request)));
  if (settings->grant && is_refusal(test)) directory.refused(record.id, grant.access_key, grant.secret);
  return test;
}

}  // namespace openindex::providers
