// How brokers and databases are tried out: a connection, and a login where we speak the protocol. Nothing is published,
// consumed or stored. (conductor-integrations.md 9, 10)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/random.hpp>
#include <openindex/net/connector.hpp>
#include <openindex/provider/provider.hpp>

#include "provider/service_probe.hpp"

namespace openindex::providers {

/// Tell whether a type is tried out like this.
bool is_probed_by_protocol(std::string_view type) noexcept;

/// Try it out, on the calling thread. @pre is_probed_by_protocol(type) @par Errors invalid_argument
Result<ProviderTest> probe_by_protocol(std::string_view type, const Values& values, Connector& connector,
                                       RandomSource& random);

/// Where a server is.
struct Place {
  std::string host;
  std::uint16_t port = 0;
  std::string scheme = {};  ///< In lower case; empty: none is said.
};

/// Read 1 to 65535; nullopt: it is none.
std::optional<std::uint16_t> read_port(std::string_view digits) noexcept;

/// Split the first of `[scheme://]host[:port],…`. @par Errors invalid_argument
Result<Place> first_place(std::string_view servers, std::uint16_t default_port);

/// Why a server with a trust store of Java's own form is not tried out.
inline constexpr std::string_view no_java_store = "a test does not read trust stores of Java";

/// A server is there, and that is all that was proved.
ProviderTest only_reached(std::string_view why);

/// What a failure while talking to a server says.
ProviderTest talk_failed(const Error& error);

/// A server is there, but its side of a login by SCRAM is not one that can be believed.
ProviderTest unproved();

/// Log in to a NATS server. @par Errors invalid_argument
Result<ProviderTest> probe_nats(const Values& values, Connector& connector);

/// Log in to an AMQP 0-9-1 broker, and open its virtual host. @par Errors invalid_argument
Result<ProviderTest> probe_amqp(const Values& values, Connector& connector);

/// Log in to a PostgreSQL database. `wants_vectors`: and see whether it has the extension for them.
/// @par Errors invalid_argument
Result<ProviderTest> probe_postgres(const Values& values, const Place& place, bool wants_vectors, Connector& connector,
                                    RandomSource& random);

/// Log in to the first of a Kafka cluster's brokers, and ask it for the others. @par Errors invalid_argument
Result<ProviderTest> probe_kafka(const Values& values, Connector& connector, RandomSource& random);

/// Log in to the first of a MongoDB deployment's servers. @par Errors invalid_argument
Result<ProviderTest> probe_mongo(const Values& values, Connector& connector, RandomSource& random);

}  // namespace openindex::providers
