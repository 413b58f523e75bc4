// The registry that keeps the schemas of Kafka's messages: asked over HTTP for the names of what it has, once the
// broker has answered. Pure functions. (conductor-integrations.md 9.1, 10)
#pragma once

#include <optional>

#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>
#include <openindex/provider/provider.hpp>

#include "provider/service_probe.hpp"

namespace openindex::providers {

/// Tell whether a configuration of Kafka names a registry.
bool has_schema_registry(const Values& values);

/// Build the request; nullopt: its login is of a kind that a test does not try. @pre has_schema_registry(values)
std::optional<HttpRequest> encode_registry_probe(const Values& values);

/// Add its outcome to what a test of the broker said. `outcome` is nullopt when nothing was asked.
/// @pre broker.ok()
ProviderTest with_registry(ProviderTest broker, const std::optional<Result<HttpResponse>>& outcome);

}  // namespace openindex::providers
