// A MongoDB server that a test plays: it answers the commands of a login, and checks the credential.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "provider/protocols/bson.hpp"
#include "provider/protocols/wire.hpp"
#include "provider/scram_server.hpp"

namespace openindex::test {

struct MongoServer {
  using Document = providers::BsonWriter;

  bool knows_sha256 = true;
  bool lists_mechanisms = true;
  bool skips_empty_exchange = true;
  std::string source = "admin";
  std::string user = "mia", password = {};
  std::string password_digest = {};  ///< Of SCRAM-SHA-1: MD5 of `user:mongo:password`, in hexadecimal digits.
  ScramServer scram = {};

  /// `command database` of each question of the connection.
  std::vector<std::string> asked = {};
  /// What a command is answered with in place of the server's own answer.
  std::function<std::string(const std::string& command, std::string document)> twist = {};
  /// Changes the bytes that are sent for it.
  std::function<std::string(const std::string& command, std::string message)> twist_bytes = {};
  std::string hangs_up_at = {};
  // Of the connection, too.
  std::int32_t conversation = 0;
  bool logged_in = false;

  static std::string number(std::uint32_t value) { return providers::little_endian(value, 4); }
  static std::string failure(std::int32_t code) {
    return Document().number("ok", 0).text("errmsg", "MARKER says no").number("code", code).str();
  }
  static std::string message(std::uint32_t to, const std::string& document, std::uint32_t flags = 0,
                             const std::string& end = {}) {
    const std::string rest = number(77) + number(to) + number(2013) + number(flags) + '\0' + document + end;
    return number(static_cast<std::uint32_t>(rest.size() + 4)) + rest;
  }

  /// Every question comes in one piece.
  std::string answer(std::string_view question) {
    using providers::little_endian;
    if (question.size() < 26 || little_endian(question, 0, 4) != question.size() ||
        little_endian(question, 12, 4) != 2013 || little_endian(question, 16, 4) != 0 || question[20] != '\0') {
      return {};
    }
    const std::string_view document = question.substr(21);
    const auto read = providers::BsonReader::read(document);
    if (!read) return {};
    const std::string command(document.substr(5, document.find('\0', 5) - 5));  // the first name in it
    if (command == "hello") asked.clear(), conversation = 0, logged_in = false;
    asked.push_back(command + " " + std::string(read->text("$db").value_or("?")));
    if (command == hangs_up_at) return {};
    std::string reply = answer_to(command, *read);
    if (twist) reply = twist(command, std::move(reply));
    std::string out = message(little_endian(question, 4, 4), reply);
    return twist_bytes ? twist_bytes(command, std::move(out)) : out;
  }

 private:
  std::string answer_to(const std::string& command, const providers::BsonReader& said) {
    if (command == "hello") return greeting(said);
    if (command == "saslStart") return begin(said);
    if (command == "saslContinue") return go_on(said);
    return command == "ping" ? Document().number("ok", 1).str() : failure(59);
  }

  std::string greeting(const providers::BsonReader& said) {
    Document out, mechanisms;
    out.boolean("isWritablePrimary", true).number("maxWireVersion", 21);
    if (knows_sha256) mechanisms.text("0", "SCRAM-SHA-256");
    mechanisms.text("1", "SCRAM-SHA-1");
    std::string document = out.document("saslSupportedMechs", mechanisms).number("ok", 1).str();
    if (lists_mechanisms && said.text("saslSupportedMechs") == source + "." + user) {
      document[document.find("\3saslSupportedMechs")] = '\4';  // an array is a document of another kind
      return document;
    }
    return Document().number("maxWireVersion", 21).number("ok", 1).str();
  }

  std::string begin(const providers::BsonReader& said) {
    const auto mechanism = said.text("mechanism");
    const bool by_digest = mechanism == "SCRAM-SHA-1";
    if (!by_digest && (mechanism != "SCRAM-SHA-256" || !knows_sha256)) return failure(334);
    if (said.text("$db") != source) return failure(18);
    scram.digest = by_digest ? EVP_sha1() : EVP_sha256();
    scram.user = user;
    scram.password = by_digest ? password_digest : password;
    const std::string reply = scram.first(said.bytes("payload").value_or(""));
    if (reply.empty()) return failure(18);
    conversation = 5;
    return step(reply, false);
  }

  std::string go_on(const providers::BsonReader& said) {
    if (said.number("conversationId") != conversation || said.text("$db") != source) return failure(17);
    if (logged_in) return said.bytes("payload") == "" ? step({}, true) : failure(17);
    const std::string reply = scram.last(said.bytes("payload").value_or(""));
    logged_in = !reply.empty();
    return logged_in ? step(reply, skips_empty_exchange) : failure(18);
  }

  [[nodiscard]] std::string step(const std::string& payload, bool done) const {
    Document out;
    out.number("conversationId", conversation).boolean("done", done).bytes("payload", payload).number("ok", 1);
    return out.str();
  }
};

}  // namespace openindex::test
