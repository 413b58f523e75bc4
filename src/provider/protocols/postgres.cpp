// PostgreSQL, protocol 3.0: SSLRequest where the URL asks for TLS, StartupMessage, an authentication, ReadyForQuery.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/utf8.hpp"
#include "provider/probe_result.hpp"
#include "provider/protocols/md5_hex.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/protocols/scram.hpp"
#include "provider/protocols/wire.hpp"

namespace openindex::providers {
namespace {

constexpr std::uint32_t message_bytes_max = 65'536;
constexpr std::string_view farewell("X\0\0\0\4", 5);

std::string text_message(char type, std::string_view payload) {
  return type + big_endian(static_cast<std::uint32_t>(payload.size() + 4), 4) + std::string(payload);
}

std::string terminated(std::string_view text) { return std::string(text) + '\0'; }

struct Message {
  char type = 0;
  std::string payload = {};
};

Result<Message> read_message(Wire& wire) {
  for (int messages = 0; messages < 200; ++messages) {
    const auto head = wire.read(5);
    if (!head) return head.error();
    const std::uint32_t size = big_endian(*head, 1, 4);
    if (size < 4 || size > message_bytes_max) break;
    auto payload = wire.read(size - 4);
    if (!payload) return payload.error();
    const char type = (*head)[0];
    if (type == 'S' || type == 'K' || type == 'N') continue;  // settings, a key to cancel with, a notice
    return Message{type, std::move(*payload)};
  }
  return Error(errc::provider_malformed_reply);
}

// Of an ErrorResponse: a field is a letter and a text, and a text ends with a zero.
std::string_view sqlstate_of(std::string_view fields) {
  while (!fields.empty() && fields[0] != '\0') {
    const auto end = std::min(fields.find('\0'), fields.size());
    if (fields[0] == 'C') return fields.substr(1, end - 1);
    fields.remove_prefix(std::min(end + 1, fields.size()));
  }
  return {};
}

ProviderTest no_postgres() {
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as PostgreSQL does; check datasourceURL.");
}

ProviderTest refused_with(std::string_view sqlstate) {
  if (sqlstate == "28P01") {
    return answered(false, true, errc::provider_unauthorized,
                    "The database refuses the credential; set user and password anew.");
  }
  if (sqlstate == "28000") {
    return answered(false, true, errc::provider_unauthorized,
                    "The database does not let this user in from here; check user, and add sslmode=verify-full to "
                    "datasourceURL if it wants TLS.");
  }
  if (sqlstate == "3D000") {
    return answered(true, false, errc::provider_rejected_request,
                    "The server accepts the credential, but has no such database; check datasourceURL.");
  }
  if (sqlstate.starts_with("53") || sqlstate.starts_with("57")) {
    return answered(false, true, errc::provider_overloaded,
                    "The database takes no connections at the moment; try again later.");
  }
  return answered(false, false, errc::provider_rejected_request,
                  "The database refuses the connection; check user and datasourceURL.");
}

class Login {
 public:
  Login(Wire& wire, const Values& values, RandomSource& random)
      : wire_(wire),
        user_(values["user"]),
        password_(values["password"]),
        scram_(ScramHash::sha256, {}, password_, scram_nonce(random), {.min = 1}) {}

  ProviderTest run(std::string_view database, bool wants_vectors) {
    const std::string names =
        terminated("user") + terminated(user_) + terminated("database") + terminated(database) + '\0';
    if (auto sent =
            wire_.write(big_endian(static_cast<std::uint32_t>(names.size() + 8), 4) + big_endian(196'608, 4) + names);
        !sent) {
      return talk_failed(sent.error());
    }
    for (int steps = 0; steps < 10; ++steps) {
      const auto message = read_message(wire_);
      if (!message) return talk_failed(message.error());
      if (message->type == 'Z' && admitted_) return wants_vectors ? look_for_vectors() : leave(welcome());
      if (message->type == 'E') return refused_with(sqlstate_of(message->payload));
      if (message->type != 'R' || message->payload.size() < 4) return no_postgres();
      const auto kind = big_endian(message->payload, 0, 4);
      const auto reply = answer(kind, std::string_view(message->payload).substr(4));
      if (!reply) return kind == 0 ? unproved() : no_postgres();
      if (reply->empty()) continue;
      if (auto sent = wire_.write(text_message('p', *reply)); !sent) return talk_failed(sent.error());
    }
    return no_postgres();
  }

 private:
  // What to answer to a request for authentication; empty: nothing. Nothing when it is none that we know.
  std::optional<std::string> answer(std::uint32_t kind, std::string_view rest) {
    switch (kind) {
      case 0:
        // Who let itself be asked for a proof and gives none may be anybody.
        if (scram_begun_ && !proved_) return std::nullopt;
        admitted_ = true;
        return std::string();
      case 3:
        asked_ = true;
        return terminated(password_);
      case 5:
        asked_ = true;
        if (rest.size() != 4) return std::nullopt;
        return terminated("md5" + md5_hex(md5_hex(std::string(password_) + std::string(user_)) + std::string(rest)));
      case 10:
        asked_ = scram_begun_ = true;
        if (rest.find(terminated("SCRAM-SHA-256")) == std::string_view::npos) return std::nullopt;
        return terminated("SCRAM-SHA-256") + big_endian(static_cast<std::uint32_t>(scram_.first().size()), 4) +
               scram_.first();
      case 11:
        return scram_.answer(rest);
      case 12:
        proved_ = scram_.proves(rest);
        return proved_ ? std::optional(std::string()) : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  ProviderTest welcome() const {
    return asked_ ? accepted() : accepted("The server answers, and asks nobody for a credential.");
  }

  ProviderTest leave(ProviderTest test) {
    static_cast<void>(wire_.write(farewell).has_value());
    return test;
  }

  ProviderTest look_for_vectors() {
    const std::string query = terminated("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'vector'");
    if (auto sent = wire_.write(text_message('Q', query)); !sent) return talk_failed(sent.error());
    bool found = false;
    std::optional<std::string> failed;  // with what SQLSTATE
    for (int messages = 0; messages < 10; ++messages) {
      const auto message = read_message(wire_);
      if (!message) return failed ? unseen(*failed) : talk_failed(message.error());  // it may go without a goodbye
      found = found || message->type == 'D';
      if (message->type == 'E') failed = sqlstate_of(message->payload);
      if (message->type != 'Z') continue;
      if (failed) return leave(unseen(*failed));
      if (found) return leave(welcome());
      return leave(answered(true, false, errc::provider_rejected_request,
                            "The database accepts the credential, but lacks the extension vector; create it there."));
    }
    return no_postgres();
  }

  // An error is no absence.
  static ProviderTest unseen(std::string_view sqlstate) {
    if (sqlstate.starts_with("53") || sqlstate.starts_with("57")) {
      return answered(true, true, errc::provider_overloaded,
                      "The database accepts the credential, but answers no question at the moment; try again later.");
    }
    return answered(true, true, std::nullopt,
                    "The database accepts the credential, but does not let it look for the extension vector, which is "
                    "not proved.");
  }

  Wire& wire_;
  bool asked_ = false;        ///< For a credential.
  bool scram_begun_ = false;  ///< In which both sides prove that they know the password.
  bool proved_ = false;
  bool admitted_ = false;
  std::string_view user_, password_;
  Scram scram_;
};

enum class TlsWish { never, if_offered, always };

// Of `sslmode`; nothing when it is none.
std::optional<TlsWish> wish_of(std::string_view mode) {
  if (mode == "disable" || mode == "allow") return TlsWish::never;
  if (mode == "prefer") return TlsWish::if_offered;
  if (mode == "require" || mode == "verify-ca" || mode == "verify-full") return TlsWish::always;
  return std::nullopt;
}

// What follows the server in the URL: `/database?name=value&…`.
struct Address {
  std::string_view database;
  std::optional<TlsWish> tls = TlsWish::never;  ///< Nothing: it says something that is none.
};

Address address_of(std::string_view url) {
  Address out;
  const auto path = url.find('/', std::min(url.find("//"), url.size() - 1) + 2);
  if (path == std::string_view::npos) return out;
  const auto query = std::min(url.find('?', path), url.size());
  out.database = url.substr(path + 1, query - path - 1);
  const std::string parameters = lower_ascii(url.substr(std::min(query + 1, url.size())));
  bool has_mode = false;
  for (std::string_view left = parameters; !left.empty();) {
    const auto end = std::min(left.find('&'), left.size());
    const std::string_view one = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (one.starts_with("sslmode=")) {
      has_mode = true;
      out.tls = wish_of(one.substr(8));
    } else if (!has_mode && (one == "ssl" || one == "ssl=" || one == "ssl=true")) {
      out.tls = TlsWish::always;
    }
  }
  return out;
}

// Nothing: go on, with TLS or, where that is enough, without.
std::optional<ProviderTest> ask_for_tls(Wire& wire, TlsWish wish, Connector& connector, const ConnectRequest& request) {
  if (wish == TlsWish::never) return std::nullopt;
  if (auto sent = wire.write(big_endian(8, 4) + big_endian(80'877'103, 4)); !sent) return talk_failed(sent.error());
  const auto answer = wire.read(1);
  if (!answer) return talk_failed(answer.error());
  if (*answer == "S") {
    const auto started = wire.start_tls(connector, request);
    return started ? std::nullopt : std::optional(talk_failed(started.error()));
  }
  if (*answer == "N" && wish == TlsWish::if_offered) return std::nullopt;
  if (*answer == "N") {
    return answered(false, false, errc::http_tls,
                    "The server offers no TLS, which datasourceURL asks for; switch it on there, or take sslmode away "
                    "where nobody can listen.");
  }
  if (*answer == "E") {  // what it says was never under TLS: it is not looked at
    return answered(false, false, errc::provider_rejected_request,
                    "The server answers the question for TLS with an error; check it, and datasourceURL.");
  }
  return no_postgres();
}

}  // namespace

Result<ProviderTest> probe_postgres(const Values& values, const Place& place, bool wants_vectors, Connector& connector,
                                    RandomSource& random) {
  const Address address = address_of(values["datasourceURL"]);
  for (const std::string_view text : {values["user"], values["password"], address.database}) {
    if (text.find('\0') != std::string_view::npos) return Error(errc::invalid_argument, "A name holds a zero byte");
  }
  if (!address.tls) {
    return Error(errc::invalid_argument,
                 "The sslmode in datasourceURL is none of disable, allow, prefer, require, verify-ca and verify-full");
  }
  const ConnectRequest request{.host = place.host, .port = place.port, .tls_later = *address.tls == TlsWish::always};
  auto connection = connector.open(request);
  if (!connection) return unreached(connection.error().code());
  Wire wire(std::move(*connection));
  if (auto stopped = ask_for_tls(wire, *address.tls, connector, request)) return *stopped;
  return Login(wire, values, random).run(address.database.empty() ? values["user"] : address.database, wants_vectors);
}

}  // namespace openindex::providers
