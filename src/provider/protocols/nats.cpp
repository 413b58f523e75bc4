// NATS: INFO, TLS where somebody wants it, CONNECT, PING -> PONG, in lines of text.
#include <optional>
#include <utility>

#include <boost/json/object.hpp>

#include "core/utf8.hpp"
#include "json/read.hpp"
#include "json/writer.hpp"
#include "provider/probe_result.hpp"
#include "provider/protocols/nats_credentials.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/protocols/wire.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t line_bytes_max = 65'536;

constexpr std::size_t nonce_bytes_max = 512;  // what a server has us sign; it takes fifteen

bool is_true(const boost::json::object& info, std::string_view member) {
  const auto* value = info.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string_view text_of(const boost::json::object& info, std::string_view member) {
  const auto* value = info.if_contains(member);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

// How the login is proved: with a JWT and a signature, or else with what the configuration says.
struct Proof {
  std::string_view jwt = {};
  std::string signature = {};
};

struct Greeting {
  std::string line;
  bool proves = false;  ///< It holds a credential.
};

Greeting connect_line(const Values& values, const Proof& proof) {
  json::Writer out;
  out.begin_object().key("verbose").boolean(false).key("pedantic").boolean(false).key("lang").string("openindex");
  out.key("version").string("1").key("protocol").number(std::int64_t{1});
  bool proves = !proof.jwt.empty();
  if (!is_same(values["protocol"], "JWT")) {
    const bool logs_in = !is_same(values["authenticationType"], "Without Credentials") && !values["user"].empty();
    proves = logs_in || !values["api_key"].empty();
    if (logs_in) out.key("user").string(values["user"]).key("pass").string(values["password"]);
    if (!values["api_key"].empty()) out.key("auth_token").string(values["api_key"]);
  } else if (!proof.jwt.empty()) {
    out.key("jwt").string(proof.jwt).key("sig").string(proof.signature);
  }
  return {"CONNECT " + std::string(std::move(out.end_object()).str()) + "\r\nPING\r\n", proves};
}

ProviderTest no_nats() {
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as a NATS server does; check endpoint.");
}

// Whatever comes before the answer to our PING: INFO again, a PING of its own, +OK.
ProviderTest read_answer(Wire& wire, bool asks, bool proves, std::string_view keys) {
  for (int lines = 0; lines < 20; ++lines) {
    const auto line = wire.read_line(line_bytes_max);
    if (!line) return talk_failed(line.error());
    if (line->starts_with("PONG")) {
      // As an account of its own choice (no_auth_user): that says nothing of a credential.
      if (asks && !proves) return only_reached("the server takes guests, and asks for a credential, but none was sent");
      return asks ? accepted() : accepted("The server answers, and asks nobody for a credential.");
    }
    const std::string words = lower_ascii(*line);
    if (words.starts_with("-err")) {
      if (words.find("authori") != std::string::npos || words.find("authenti") != std::string::npos) {
        return answered(false, true, errc::provider_unauthorized,
                        "The server refuses the credential; set " + std::string(keys) + " anew.");
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

// Of the configuration, before the server has said what it wants.
struct Wishes {
  bool tls = false;
  bool java_store = false;
  std::string_view roots = {};
};

Wishes wishes_of(const Values& values, const Place& place) {
  const bool named = !is_same(values["tls"], "NONE");
  return {.tls = named || place.scheme == "tls",
          .java_store = is_same(values["tls"], "JKS"),
          .roots = named ? values["tlsFile"] : std::string_view()};
}

// Nothing: go on, as the configuration and the server will have it.
std::optional<ProviderTest> agree_on_tls(Wire& wire, const Wishes& wishes, const boost::json::object& info,
                                         Connector& connector, const ConnectRequest& request) {
  if (wishes.java_store) return only_reached("a test does not read trust stores of Java, and TLS is asked for");
  const bool needed = is_true(info, "tls_required");
  if (wishes.tls && !needed && !is_true(info, "tls_available")) {
    return answered(false, false, errc::http_tls,
                    "The server offers no TLS, which the configuration asks for; set tls to NONE, or switch it on "
                    "there.");
  }
  if (!wishes.tls && !needed) return std::nullopt;
  if (is_true(info, "tls_verify"))
    return only_reached("the server wants a certificate of the client, and there is none");
  const auto started = wire.start_tls(connector, request);
  return started ? std::nullopt : std::optional(talk_failed(started.error()));
}

ProviderTest log_in(Wire& wire, const Values& values, const NatsCredentials& credentials,
                    const boost::json::object& info) {
  const auto nonce = text_of(info, "nonce");
  if (nonce.size() > nonce_bytes_max) return no_nats();
  Proof proof;
  if (!credentials.jwt.empty() && !nonce.empty()) {  // a server that asks with nothing knows no JWTs
    auto signature = sign_nats_nonce(credentials, nonce);
    if (!signature) return only_reached("the key of the credentials file cannot sign here");
    proof = {credentials.jwt, std::move(*signature)};
  }
  const Greeting greeting = connect_line(values, proof);
  if (auto sent = wire.write(greeting.line); !sent) return talk_failed(sent.error());
  return read_answer(wire, is_true(info, "auth_required"), greeting.proves,
                     credentials.jwt.empty() ? "user and password, or api_key," : "file");
}

}  // namespace

Result<ProviderTest> probe_nats(const Values& values, Connector& connector) {
  const auto place = first_place(values["endpoint"], 4222);
  if (!place) return place.error();
  NatsCredentials credentials;
  if (is_same(values["protocol"], "JWT")) {
    auto read = read_nats_credentials(values["file"]);
    if (!read) return read.error();
    credentials = std::move(*read);
  }
  const Wishes wishes = wishes_of(values, *place);
  const ConnectRequest request{
      .host = place->host, .port = place->port, .tls_later = wishes.tls, .ca_pem = std::string(wishes.roots)};
  auto connection = connector.open(request);
  if (!connection) return unreached(connection.error().code());
  Wire wire(std::move(*connection));
  const auto first = wire.read_line(line_bytes_max);
  if (!first) return talk_failed(first.error());
  if (!first->starts_with("INFO ")) return no_nats();
  const auto parsed = json::parse(std::string_view(*first).substr(5));
  const auto* info = parsed ? parsed->if_object() : nullptr;
  if (info == nullptr) return no_nats();
  if (auto stopped = agree_on_tls(wire, wishes, *info, connector, request)) return *stopped;
  return log_in(wire, values, credentials, *info);
}

}  // namespace openindex::providers
