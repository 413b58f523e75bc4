// NATS: INFO, CONNECT, PING -> PONG, in lines of text.
#include <utility>

#include <boost/json/object.hpp>

#include "core/utf8.hpp"
#include "json/read.hpp"
#include "json/writer.hpp"
#include "provider/probe_result.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/protocols/wire.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t line_bytes_max = 65'536;

std::string connect_line(const Values& values) {
  json::Writer out;
  out.begin_object().key("verbose").boolean(false).key("pedantic").boolean(false).key("lang").string("openindex");
  out.key("version").string("1").key("protocol").number(std::int64_t{1});
  const bool logs_in = !is_same(values["authenticationType"], "Without Credentials");
  if (logs_in && !values["user"].empty()) out.key("user").string(values["user"]).key("pass").string(values["password"]);
  if (!values["api_key"].empty()) out.key("auth_token").string(values["api_key"]);
  return "CONNECT " + std::string(std::move(out.end_object()).str()) + "\r\nPING\r\n";
}

bool is_true(const boost::json::object& info, std::string_view member) {
  const auto* value = info.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

ProviderTest no_nats() {
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as a NATS server does; check endpoint.");
}

// Whatever comes before the answer to our PING: INFO again, a PING of its own, +OK.
ProviderTest read_answer(Wire& wire, bool asks) {
  for (int lines = 0; lines < 20; ++lines) {
    const auto line = wire.read_line(line_bytes_max);
    if (!line) return talk_failed(line.error());
    if (line->starts_with("PONG")) {
      return asks ? accepted() : accepted("The server answers, and asks nobody for a credential.");
    }
    const std::string words = lower_ascii(*line);
    if (words.starts_with("-err")) {
      if (words.find("authori") != std::string::npos || words.find("authenti") != std::string::npos) {
        return answered(false, true, errc::provider_unauthorized,
                        "The server refuses the credential; set user and password, or api_key, anew.");
      }
      if (words.find("maximum") != std::string::npos) {
        return answered(false, true, errc::provider_overloaded,
                        "The server takes no connections at the moment; try again later.");
      }
      return answered(false, false, errc::provider_rejected_request,
                      "The server refuses the connection; check connectionType and authenticationType.");
    }
  }
  return no_nats();
}

}  // namespace

Result<ProviderTest> probe_nats(const Values& values, Connector& connector) {
  const auto place = first_place(values["endpoint"], 4222);
  if (!place) return place.error();
  auto connection = connector.open({.host = place->host, .port = place->port});
  if (!connection) return unreached(connection.error().code());
  Wire wire(std::move(*connection));
  const auto first = wire.read_line(line_bytes_max);
  if (!first) return talk_failed(first.error());
  if (!first->starts_with("INFO ")) return no_nats();
  const auto parsed = json::parse(std::string_view(*first).substr(5));
  const auto* info = parsed ? parsed->if_object() : nullptr;
  if (info == nullptr) return no_nats();
  if (is_true(*info, "tls_required") || !is_same(values["tls"], "NONE") || place->scheme == "tls") {
    return only_reached("TLS, which NATS begins in the middle of a connection, is not spoken by a test");
  }
  if (is_same(values["protocol"], "JWT")) {
    return only_reached("a login with a credentials file is not tried by a test");
  }
  if (auto sent = wire.write(connect_line(values)); !sent) return talk_failed(sent.error());
  return read_answer(wire, is_true(*info, "auth_required"));
}

}  // namespace openindex::providers
