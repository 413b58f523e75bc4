#include "provider/protocols/protocol_probe.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/utf8.hpp"
#include "provider/probe_result.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

// What JDBC URLs have in common: `jdbc:<database>://host[:port]…`, and Oracle's `jdbc:oracle:thin:@host:port:name`.
Result<Place> jdbc_place(std::string_view url) {
  struct Port {
    std::string_view database;
    std::uint16_t port;
  };
  constexpr Port ports[] = {{"postgresql", 5432}, {"mysql", 3306},  {"mariadb", 3306},
                            {"sqlserver", 1433},  {"oracle", 1521}, {"db2", 50000}};
  const auto scheme = std::min(url.find(':') + 1, url.size());
  const std::string database = lower_ascii(url.substr(scheme, url.find(':', scheme) - scheme));
  const auto known =
      std::find_if(std::begin(ports), std::end(ports), [&](const Port& row) { return row.database == database; });
  const auto begin = url.find_first_of(database == "oracle" ? "@" : "/", scheme);
  if (begin == std::string_view::npos) return Error(errc::invalid_argument);
  auto server = url.substr(begin + 1);
  if (const auto nested = server.find("://"); nested != std::string_view::npos) server.remove_prefix(nested + 3);
  server.remove_prefix(std::min(server.find_first_not_of('/'), server.size()));
  server = server.substr(0, server.find_first_of("/;?,\\"));
  if (server.starts_with('(')) return Error(errc::invalid_argument);
  if (database == "oracle") {  // a name may follow the port
    const auto port = server.find(':');
    if (port != std::string_view::npos) server = server.substr(0, server.find(':', port + 1));
  }
  return first_place(server, known == std::end(ports) ? 0 : known->port);
}

// Of `Endpoint=sb://host/;…`, or the namespace alone.
Result<Place> service_bus_place(const Values& values) {
  const auto name = values["namespace"];
  if (values["endpoint"].empty()) return first_place(std::string(name) + ".servicebus.windows.net", 5671);
  const auto text = values["endpoint"];
  const auto begin = text.find("sb://");
  if (begin == std::string_view::npos)
    return Error(errc::invalid_argument, "The connection string names no sb:// endpoint");
  const auto host = text.substr(begin + 5);
  return first_place(host.substr(0, host.find_first_of("/;")), 5671);
}

struct Target {
  Result<Place> place;
  bool tls = false;
};

Target target_of(std::string_view type, const Values& values) {
  if (type == "azure_service_bus") return {service_bus_place(values), true};
  if (type == "ibm_mq")
    return {first_place(values["endpoint"], read_port(values["port"]).value_or(1414)), !is_same(values["tls"], "NONE")};
  return {jdbc_place(values["datasourceURL"]), false};
}

constexpr std::string_view types[] = {"amqp", "azure_service_bus", "ibm_mq",       "kafka", "mongovectordb",
                                      "nats", "pgvectordb",        "relational_db"};

}  // namespace

bool is_probed_by_protocol(std::string_view type) noexcept {
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

std::optional<std::uint16_t> read_port(std::string_view digits) noexcept {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

Result<Place> first_place(std::string_view servers, std::uint16_t default_port) {
  std::string_view server = servers.substr(0, servers.find(','));
  Place place{.host = {}, .port = default_port};
  if (const auto scheme = server.find("://"); scheme != std::string_view::npos) {
    place.scheme = lower_ascii(server.substr(0, scheme));
    server.remove_prefix(scheme + 3);
  }
  if (server.ends_with('/')) server.remove_suffix(1);
  const auto bracket = server.rfind(']');
  const auto colon = server.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    place.port = read_port(server.substr(colon + 1)).value_or(0);
    server = server.substr(0, colon);
  }
  if (server.starts_with('[') && server.ends_with(']')) server = server.substr(1, server.size() - 2);
  if (server.empty() || place.port == 0) return Error(errc::invalid_argument, "The endpoint names no server");
  place.host = server;
  return place;
}

ProviderTest only_reached(std::string_view why) {
  return answered(false, true, std::nullopt,
                  "A server is there; the credential is not proved, since " + std::string(why) + ".");
}

ProviderTest unproved() {
  return answered(false, false, errc::provider_malformed_reply,
                  "A server is there, but does not prove that it knows the password; check endpoint.");
}

ProviderTest talk_failed(const Error& error) {
  if (error.code() == errc::http_no_start_tls) {
    return only_reached("the connector that the registry was given cannot begin TLS on an open connection");
  }
  if (error.code() == errc::provider_malformed_reply || error.code() == errc::http_interrupted) {
    return answered(false, false, errc::provider_malformed_reply,
                    "A server is there, but breaks off or answers as another kind of server; check endpoint.");
  }
  ProviderTest test = unreached(error.code());
  test.reachable = true;
  return test;
}

Result<ProviderTest> probe_by_protocol(std::string_view type, const Values& values, Connector& connector,
                                       RandomSource& random) {
  if (type == "nats") return probe_nats(values, connector);
  if (type == "amqp") return probe_amqp(values, connector);
  if (type == "kafka") return probe_kafka(values, connector, random);
  if (type == "mongovectordb") return probe_mongo(values, connector, random);
  const Target target = target_of(type, values);
  if (!target.place) return untried("a test does not find the server in this configuration");
  if (values["datasourceURL"].starts_with("jdbc:postgresql:")) {
    return probe_postgres(values, *target.place, type == "pgvectordb", connector, random);
  }
  if (target.tls && is_same(values["authenticationType"], "JKS")) return untried(no_java_store);
  const auto connection = connector.open({.host = target.place->host, .port = target.place->port, .tls = target.tls});
  if (!connection) return unreached(connection.error().code());
  return only_reached(target.tls ? "only the connection and the server's certificate were tried"
                                 : "only the connection was tried");
}

}  // namespace openindex::providers
