// MongoDB: OP_MSG with `hello`, a SCRAM login through `saslStart` and `saslContinue`, and `ping`.
#include <optional>
#include <utility>

#include "provider/probe_result.hpp"
#include "provider/protocols/bson.hpp"
#include "provider/protocols/md5_hex.hpp"
#include "provider/protocols/mongo_address.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/protocols/scram.hpp"
#include "provider/protocols/wire.hpp"

namespace openindex::providers {
namespace {

constexpr std::uint32_t mongo_message_bytes_max = 262'144;
constexpr std::size_t mongo_head_bytes = 16;  // size, number, number of the question, kind
constexpr std::uint32_t mongo_message_kind = 2013;
constexpr std::uint32_t with_checksum = 1;  // the one flag that an answer may have

ProviderTest no_mongo() {
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as MongoDB 4.4 or later does; check endpoint.");
}

ProviderTest mongo_failed(const Error& error) {
  return error.code() == errc::provider_malformed_reply ? no_mongo() : talk_failed(error);
}

ProviderTest mongo_refused(std::int64_t code) {
  switch (code) {
    case 11:    // UserNotFound
    case 18:    // AuthenticationFailed
    case 8000:  // what Atlas says for both
      return answered(false, true, errc::provider_unauthorized,
                      "The database refuses the credential; check user, password and authSource in endpoint.");
    case 2:    // BadValue
    case 334:  // MechanismUnavailable
      return answered(false, false, errc::provider_rejected_request,
                      "The database does not let this user log in like this; check authMechanism and authSource in "
                      "endpoint.");
    case 91:     // ShutdownInProgress
    case 11600:  // InterruptedAtShutdown
      return answered(false, true, errc::provider_overloaded,
                      "The database takes no logins at the moment; try again later.");
    default:
      return answered(false, false, errc::provider_rejected_request,
                      "The database refuses what a test asks; check endpoint.");
  }
}

class MongoTalk {
 public:
  MongoTalk(Wire& wire, const MongoAddress& address, RandomSource& random)
      : wire_(wire), address_(address), random_(random) {}

  ProviderTest run() {
    BsonWriter hello;
    hello.number("hello", 1);
    if (address_.has_user) hello.text("saslSupportedMechs", address_.source + "." + address_.user);
    const auto greeting = ask(hello, "admin");
    if (!greeting) return mongo_failed(greeting.error());
    if (!is_done(*greeting)) return mongo_refused(code_of(*greeting));
    if (!greeting->number("maxWireVersion")) return no_mongo();
    const auto hash = hash_for(*greeting);
    if (!hash) return only_reached("a login of this authMechanism is not tried by a test");
    if (address_.has_user) {
      if (auto failed = log_in(*hash)) return *failed;
    }
    return ping();
  }

 private:
  // The reader views the answer until the next question.
  Result<BsonReader> ask(BsonWriter command, std::string_view database) {
    const std::string body = command.text("$db", database).str();
    const auto size = static_cast<std::uint32_t>(mongo_head_bytes + 5 + body.size());
    const std::string message = little_endian(size, 4) + little_endian(++asked_, 4) + little_endian(0, 4) +
                                little_endian(mongo_message_kind, 4) + little_endian(0, 4) + '\0' + body;
    if (auto sent = wire_.write(message); !sent) return sent.error();
    return read_answer();
  }

  Result<BsonReader> read_answer() {
    const Error malformed = errc::provider_malformed_reply;
    const auto head = wire_.read(mongo_head_bytes);
    if (!head) return head.error();
    const std::uint32_t size = little_endian(*head, 0, 4);
    if (size < mongo_head_bytes + 5 || size > mongo_message_bytes_max || little_endian(*head, 8, 4) != asked_ ||
        little_endian(*head, 12, 4) != mongo_message_kind) {
      return malformed;
    }
    auto payload = wire_.read(size - mongo_head_bytes);
    if (!payload) return payload.error();
    answer_ = std::move(*payload);
    const std::uint32_t flags = little_endian(answer_, 0, 4);
    if ((flags & ~with_checksum) != 0 || answer_[4] != '\0') return malformed;
    std::string_view document = std::string_view(answer_).substr(5);
    if (flags == with_checksum) {
      if (document.size() < 4) return malformed;
      document.remove_suffix(4);
    }
    return BsonReader::read(document);
  }

  static bool is_done(const BsonReader& reply) { return reply.boolean("ok").value_or(false); }
  static std::int64_t code_of(const BsonReader& reply) { return reply.number("code").value_or(0); }

  // Nothing: the address asks for a login of another kind.
  [[nodiscard]] std::optional<ScramHash> hash_for(const BsonReader& greeting) const {
    if (address_.mechanism.empty()) {
      return greeting.lists("saslSupportedMechs", "SCRAM-SHA-256") ? ScramHash::sha256 : ScramHash::sha1;
    }
    for (const ScramHash hash : {ScramHash::sha1, ScramHash::sha256}) {
      if (address_.mechanism == mechanism_name(hash)) return hash;
    }
    return std::nullopt;
  }

  // What went wrong.
  std::optional<ProviderTest> log_in(ScramHash hash) {
    const bool by_digest = hash == ScramHash::sha1;
    const std::string password = by_digest ? md5_hex(address_.user + ":mongo:" + address_.password) : address_.password;
    if (password.empty()) return only_reached("this system has no MD5, which SCRAM-SHA-1 of MongoDB needs");
    Scram scram(hash, address_.user, password, scram_nonce(random_));
    BsonWriter begin, options;
    begin.number("saslStart", 1).text("mechanism", mechanism_name(hash)).bytes("payload", scram.first());
    begin.document("options", options.boolean("skipEmptyExchange", true));
    auto step = ask(begin, address_.source);
    if (!step) return mongo_failed(step.error());
    if (!is_done(*step)) return mongo_refused(code_of(*step));
    const auto conversation = static_cast<std::int32_t>(step->number("conversationId").value_or(0));
    const auto proof = scram.answer(step->bytes("payload").value_or(std::string_view()));
    if (!proof) return unproved();

    step = go_on(conversation, *proof);
    if (!step) return mongo_failed(step.error());
    if (!is_done(*step)) return mongo_refused(code_of(*step));
    if (!scram.proves(step->bytes("payload").value_or(std::string_view()))) return unproved();
    if (step->boolean("done").value_or(false)) return std::nullopt;
    step = go_on(conversation, {});  // servers that know no skipEmptyExchange
    if (!step) return mongo_failed(step.error());
    if (!is_done(*step)) return mongo_refused(code_of(*step));
    return step->boolean("done").value_or(false) ? std::nullopt : std::optional(no_mongo());
  }

  Result<BsonReader> go_on(std::int32_t conversation, std::string_view payload) {
    BsonWriter more;
    more.number("saslContinue", 1).number("conversationId", conversation).bytes("payload", payload);
    return ask(more, address_.source);
  }

  ProviderTest ping() {
    BsonWriter command;
    const auto reply = ask(command.number("ping", 1), "admin");
    if (!reply) return mongo_failed(reply.error());
    if (!is_done(*reply)) return mongo_refused(code_of(*reply));
    if (address_.has_user) return accepted();
    return answered(false, true, std::nullopt,
                    "The database answers; no credential was tried, since the endpoint holds none.");
  }

  Wire& wire_;
  const MongoAddress& address_;
  RandomSource& random_;
  std::uint32_t asked_ = 0;
  std::string answer_;
};

}  // namespace

Result<ProviderTest> probe_mongo(const Values& values, Connector& connector, RandomSource& random) {
  const auto url = values["endpoint"];
  if (url.starts_with("mongodb+srv:")) return untried("a test looks up no SRV records, which mongodb+srv needs");
  const auto address = mongo_address(url);
  if (!address) return address.error();
  const bool has_scram = address->mechanism.empty() || address->mechanism.starts_with("SCRAM-");
  if (address->has_user && has_scram && address->password.empty()) {
    return Error(errc::invalid_argument, "The endpoint names a user without a password");
  }
  if (address->has_files) return untried("a test reads no certificates from files that a connection string names");
  auto connection = connector.open({.host = address->place.host, .port = address->place.port, .tls = address->tls});
  if (!connection) return unreached(connection.error().code());
  Wire wire(std::move(*connection));
  return MongoTalk(wire, *address, random).run();
}

}  // namespace openindex::providers
