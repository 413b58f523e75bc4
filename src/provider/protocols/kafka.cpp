// Kafka: ApiVersions, SaslHandshake, SaslAuthenticate, Metadata. Questions and answers are a size and that many bytes;
// the versions are those that every broker since 1.0 has (without a login: since 0.10), and none of them counts in
// varints.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/utf8.hpp"
#include "provider/probe_result.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/protocols/scram.hpp"
#include "provider/protocols/wire.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

constexpr std::uint32_t kafka_answer_bytes_max = 262'144;

struct KafkaCall {
  std::uint32_t key;
  std::uint32_t version;
};
constexpr KafkaCall sasl_handshake{17, 1}, api_versions{18, 0}, sasl_authenticate{36, 0};
constexpr KafkaCall oldest_metadata{3, 1}, newest_metadata{3, 4};

enum KafkaCode : std::uint32_t {
  unsupported_mechanism = 33,
  illegal_sasl_state = 34,
  authentication_failed = 58,
};

std::string kafka_text(std::string_view text) {
  return big_endian(static_cast<std::uint32_t>(text.size()), 2) + std::string(text);
}

// The fields of an answer, one after the other; past its end they are empty, and it is not whole.
class KafkaFields {
 public:
  explicit KafkaFields(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t number(std::size_t size) {
    const auto bytes = take(size);
    return bytes.empty() ? 0 : big_endian(bytes, 0, size);
  }
  std::string_view text() {
    const std::uint32_t size = number(2);
    return size == 0xFFFF ? std::string_view() : take(size);
  }
  std::string_view bytes() {
    const std::uint32_t size = number(4);
    return size == 0xFFFF'FFFF ? std::string_view() : take(size);
  }
  [[nodiscard]] bool is_whole() const { return has_all_ && rest_.empty(); }
  [[nodiscard]] bool has_all() const { return has_all_; }

 private:
  std::string_view take(std::size_t size) {
    has_all_ = has_all_ && size <= rest_.size();
    if (!has_all_) return {};
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

  std::string_view rest_;
  bool has_all_ = true;
};

enum class KafkaLogin { none, plain, sha256, sha512, unnamed, other };

// What the configuration asks for.
struct KafkaWay {
  bool tls = false;
  bool is_known = true;  ///< The connectionType is.
  KafkaLogin login = KafkaLogin::none;
};

// In lower case, without what is passed over when values are compared.
std::string bare_form(std::string_view value) {
  std::string out = lower_ascii(value);
  std::erase_if(out, [](char c) { return c == ' ' || c == '/' || c == '-' || c == '_'; });
  return out;
}

KafkaLogin login_in(std::string_view bare) {
  if (bare.find("scramsha256") != std::string_view::npos) return KafkaLogin::sha256;
  if (bare.find("scramsha512") != std::string_view::npos) return KafkaLogin::sha512;
  return bare.ends_with("plain") ? KafkaLogin::plain : KafkaLogin::other;
}

KafkaWay way_of(const Values& values) {
  const std::string connection = bare_form(values["connectionType"]);
  const bool has_login = connection.find("sasl") != std::string::npos;
  KafkaWay way;
  way.tls = connection.find("ssl") != std::string::npos;
  way.is_known = has_login || connection == "ssl" || connection == "plaintext";
  if (!has_login) return way;
  way.login = login_in(connection);
  if (way.login != KafkaLogin::other) return way;
  const std::string mechanism = bare_form(values["mechanism"]);
  way.login = mechanism.empty() ? KafkaLogin::unnamed : login_in(mechanism);
  return way;
}

// `SASL_SSL / SCRAM-SHA-256 / JKS` says it in another place than the others.
bool has_java_store(const Values& values) {
  if (is_same(values["authenticationType"], "JKS")) return true;
  return !values["file"].empty() && !is_same(values["authenticationType"], "PEM") &&
         bare_form(values["connectionType"]).ends_with("jks");
}

ProviderTest no_kafka() {
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as a Kafka broker does; check endpoint and connectionType.");
}

ProviderTest kafka_failed(const Error& error, bool under_tls) {
  if (error.code() == errc::provider_malformed_reply) return no_kafka();
  if (error.code() != errc::http_interrupted) return talk_failed(error);
  if (under_tls) {
    return answered(false, false, errc::provider_malformed_reply,
                    "A server is there and begins TLS, but then hangs up, as a broker does that wants a certificate of "
                    "the client; check endpoint and connectionType.");
  }
  return answered(false, false, errc::provider_malformed_reply,
                  "A server is there, but hangs up, as a broker does that wants TLS; check endpoint and "
                  "connectionType.");
}

ProviderTest kafka_refused() {
  return answered(false, true, errc::provider_unauthorized,
                  "The broker refuses the credential; set user and password anew.");
}

class KafkaTalk {
 public:
  KafkaTalk(Wire& wire, const Values& values, bool under_tls, RandomSource& random)
      : wire_(wire), user_(values["user"]), password_(values["password"]), under_tls_(under_tls), random_(random) {}

  ProviderTest run(KafkaLogin login) {
    const bool logs_in = login != KafkaLogin::none;
    if (auto failed = check_versions(logs_in)) return *failed;
    if (login == KafkaLogin::other) return only_reached("a login of this mechanism is not tried by a test");
    if (logs_in) {
      if (auto failed = log_in(login)) return *failed;
    }
    return read_cluster(logs_in);
  }

 private:
  // What follows the number of the question, which is checked.
  Result<std::string> ask(KafkaCall call, const std::string& arguments) {
    const std::string question = big_endian(call.key, 2) + big_endian(call.version, 2) + big_endian(++asked_, 4) +
                                 kafka_text("openindex") + arguments;
    if (auto sent = wire_.write(big_endian(static_cast<std::uint32_t>(question.size()), 4) + question); !sent) {
      return sent.error();
    }
    const auto head = wire_.read(4);
    if (!head) return head.error();
    const std::uint32_t size = big_endian(*head, 0, 4);
    if (size < 4 || size > kafka_answer_bytes_max) return Error(errc::provider_malformed_reply);
    auto answer = wire_.read(size);
    // Who hangs up in place of an answer says something by it; in the midst of one, nothing.
    if (!answer && answer.error().code() == errc::http_interrupted) return Error(errc::provider_malformed_reply);
    if (!answer) return answer.error();
    if (big_endian(*answer, 0, 4) != asked_) return Error(errc::provider_malformed_reply);
    return answer->substr(4);
  }

  // Each of these returns what went wrong.
  std::optional<ProviderTest> check_versions(bool logs_in) {
    const auto answer = ask(api_versions, {});
    if (!answer) return kafka_failed(answer.error(), under_tls_);
    KafkaFields fields(*answer);
    const std::uint32_t code = fields.number(2), count = fields.number(4);
    bool knows_handshake = false, knows_login = false;
    for (std::uint32_t i = 0; i < count && fields.has_all(); ++i) {
      const std::uint32_t key = fields.number(2), from = fields.number(2), to = fields.number(2);
      const auto is = [&](KafkaCall call) { return call.key == key && call.version >= from && call.version <= to; };
      if (key == newest_metadata.key && from <= newest_metadata.version && to >= oldest_metadata.version) {
        metadata_version_ = std::min(to, newest_metadata.version);
      }
      knows_handshake = knows_handshake || is(sasl_handshake);
      knows_login = knows_login || is(sasl_authenticate);
    }
    if (code != 0 || !fields.is_whole()) return no_kafka();
    if (metadata_version_ != 0 && (!logs_in || (knows_handshake && knows_login))) return std::nullopt;
    return only_reached("the broker speaks other versions of the protocol than a test does");
  }

  std::optional<ProviderTest> log_in(KafkaLogin login) {
    if (login == KafkaLogin::plain) {
      if (auto failed = shake_hands("PLAIN")) return failed;
      std::string answer;
      return authenticate('\0' + std::string(user_) + '\0' + std::string(password_), answer);
    }
    const ScramHash hash = login == KafkaLogin::sha256 ? ScramHash::sha256 : ScramHash::sha512;
    if (auto failed = shake_hands(mechanism_name(hash))) return failed;
    Scram scram(hash, user_, password_, scram_nonce(random_));
    std::string answer;
    if (auto failed = authenticate(scram.first(), answer)) return failed;
    const auto proof = scram.answer(answer);
    if (!proof) return unproved();
    if (auto failed = authenticate(*proof, answer)) return failed;
    return scram.proves(answer) ? std::nullopt : std::optional(unproved());
  }

  std::optional<ProviderTest> shake_hands(std::string_view mechanism) {
    const auto answer = ask(sasl_handshake, kafka_text(mechanism));
    if (!answer) return kafka_failed(answer.error(), under_tls_);
    KafkaFields fields(*answer);
    const std::uint32_t code = fields.number(2), count = fields.number(4);
    for (std::uint32_t i = 0; i < count && fields.has_all(); ++i) fields.text();
    if (!fields.is_whole()) return no_kafka();
    if (code == unsupported_mechanism) {
      return answered(
          false, false, errc::provider_rejected_request,
          "The broker offers no login by " + std::string(mechanism) + "; check connectionType and mechanism.");
    }
    if (code == illegal_sasl_state) {
      return answered(false, false, errc::provider_rejected_request,
                      "The broker takes no login at this port; check endpoint and connectionType.");
    }
    return code == 0 ? std::nullopt : std::optional(no_kafka());
  }

  std::optional<ProviderTest> authenticate(const std::string& said, std::string& answer) {
    const auto reply = ask(sasl_authenticate, big_endian(static_cast<std::uint32_t>(said.size()), 4) + said);
    if (!reply && reply.error().code() == errc::http_interrupted) return kafka_refused();
    if (!reply) return kafka_failed(reply.error(), under_tls_);
    KafkaFields fields(*reply);
    const std::uint32_t code = fields.number(2);
    fields.text();  // the broker's own words, which may repeat anything
    answer = fields.bytes();
    if (!fields.is_whole()) return no_kafka();
    if (code == authentication_failed) return kafka_refused();
    if (code == 0) return std::nullopt;
    return answered(false, false, errc::provider_rejected_request,
                    "The broker breaks the login off; check connectionType and mechanism.");
  }

  // Asks for the brokers, and for none of the topics.
  ProviderTest read_cluster(bool logged_in) {
    const std::string creates_none(metadata_version_ >= 4 ? 1 : 0, '\0');
    const auto answer = ask({newest_metadata.key, metadata_version_}, big_endian(0, 4) + creates_none);
    if (!answer && answer.error().code() == errc::http_interrupted && !logged_in) {
      return answered(false, false, errc::provider_unauthorized,
                      "The broker hangs up on who has not logged in; check connectionType, and set user and password.");
    }
    if (!answer) return kafka_failed(answer.error(), under_tls_);
    KafkaFields fields(*answer);
    if (metadata_version_ >= 3) fields.number(4);  // how long it asks to wait
    const std::uint32_t brokers = fields.number(4);
    for (std::uint32_t i = 0; i < brokers && fields.has_all(); ++i) {
      fields.number(4), fields.text(), fields.number(4), fields.text();  // number, host, port, rack
    }
    if (metadata_version_ >= 2) fields.text();  // the cluster
    fields.number(4);                           // its controller
    const std::uint32_t topics = fields.number(4);
    if (!fields.is_whole() || topics != 0) return no_kafka();
    if (brokers == 0) {
      return answered(logged_in, false, errc::provider_overloaded,
                      "The broker answers, but belongs to no cluster at the moment; try again later.");
    }
    return logged_in ? accepted() : accepted("The broker answers, and asks nobody for a credential.");
  }

  Wire& wire_;
  std::string_view user_, password_;
  bool under_tls_;
  RandomSource& random_;
  std::uint32_t asked_ = 0;
  std::uint32_t metadata_version_ = 0;
};

}  // namespace

Result<ProviderTest> probe_kafka(const Values& values, Connector& connector, RandomSource& random) {
  const KafkaWay way = way_of(values);
  const auto place = first_place(values["endpoint"], 9092);
  if (!place) return place.error();
  if (way.login == KafkaLogin::unnamed) return Error(errc::invalid_argument, "A login with SASL needs a mechanism");
  const bool sends_password = way.login != KafkaLogin::none && way.login != KafkaLogin::other;
  if (sends_password && (values["user"].empty() || values["password"].empty())) {
    return Error(errc::invalid_argument, "A login with SASL needs user and password");
  }
  for (const auto text : {values["user"], values["password"]}) {
    if (text.find('\0') != std::string_view::npos) return Error(errc::invalid_argument, "A name holds a zero byte");
  }
  if (way.tls && has_java_store(values)) return untried(no_java_store);
  const auto roots = is_same(values["authenticationType"], "PEM") ? values["file"] : std::string_view();
  auto connection = connector.open(
      {.host = place->host, .port = place->port, .tls = way.tls, .ca_pem = std::string(way.tls ? roots : "")});
  if (!connection) return unreached(connection.error().code());
  if (!way.is_known) return only_reached("a test does not know this connectionType");
  Wire wire(std::move(*connection));
  return KafkaTalk(wire, values, way.tls, random).run(way.login);
}

}  // namespace openindex::providers
