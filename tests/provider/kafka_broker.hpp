// A Kafka broker that a test plays: it keeps the order of the questions, and checks the credential.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "provider/protocols/wire.hpp"
#include "provider/scram_server.hpp"

namespace openindex::test {

struct KafkaBroker {
  enum Key : std::uint32_t { metadata = 3, handshake = 17, versions = 18, authenticate = 36 };

  std::vector<std::string> mechanisms = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
  std::string user = "mia", password = {};
  bool wants_login = true;
  std::uint32_t brokers = 2;
  std::uint32_t metadata_max = 12;
  ScramServer scram = {};

  /// The questions of the connection, without their heads.
  std::vector<std::pair<std::uint32_t, std::string>> asked = {};
  /// Changes what a question is answered with, which has no head yet; the first argument is its key.
  std::function<std::string(std::uint32_t, std::string)> twist = {};
  /// Changes the bytes that are sent for it.
  std::function<std::string(std::uint32_t, std::string)> twist_bytes = {};
  /// The key of a question at which the broker hangs up.
  std::uint32_t hangs_up_at = 0;
  // Of the connection, too.
  std::string mechanism = {};
  int steps = 0;
  bool logged_in = false;

  static std::string number(std::uint32_t value, std::size_t bytes) { return providers::big_endian(value, bytes); }
  static std::string text(const std::string& value) {
    return number(static_cast<std::uint32_t>(value.size()), 2) + value;
  }
  static std::string bytes(const std::string& value) {
    return number(static_cast<std::uint32_t>(value.size()), 4) + value;
  }
  static std::string refusal(std::uint32_t code) { return number(code, 2) + text("MARKER says no") + bytes({}); }

  /// Every question comes in one piece.
  std::string answer(std::string_view question) {
    using providers::big_endian;
    if (question.size() < 23 || big_endian(question, 0, 4) != question.size() - 4) return {};
    const std::uint32_t key = big_endian(question, 4, 2), version = big_endian(question, 6, 2);
    if (key == versions) asked.clear(), mechanism.clear(), steps = 0, logged_in = false;
    const std::string arguments(question.substr(23));
    asked.emplace_back(key, arguments);
    if (key == hangs_up_at) return {};
    std::string body = answer_to(key, version, arguments);
    if (body.empty()) return {};
    if (twist) body = twist(key, std::move(body));
    std::string out = bytes(std::string(question.substr(8, 4)) + body);
    return twist_bytes ? twist_bytes(key, std::move(out)) : out;
  }

 private:
  std::string answer_to(std::uint32_t key, std::uint32_t version, const std::string& arguments) {
    if (key == versions && version == 0) {
      const std::uint32_t rows[5][3] = {{0, 3, 11}, {3, 0, metadata_max}, {17, 0, 1}, {18, 0, 3}, {36, 0, 2}};
      std::string out = number(0, 2) + number(5, 4);
      for (const auto& row : rows) out += number(row[0], 2) + number(row[1], 2) + number(row[2], 2);
      return out;
    }
    if (key == handshake && version == 1) return shake(arguments.substr(2));
    if (key == authenticate && version == 0) return log_in(arguments.substr(4));
    if (key != metadata || version > 4 || version > metadata_max) return {};
    if (wants_login && !logged_in) return {};  // a broker hangs up
    if (arguments != number(0, 4) + std::string(version < 4 ? 0 : 1, '\0')) return {};
    std::string out = (version < 3 ? "" : number(0, 4)) + number(brokers, 4);
    for (std::uint32_t i = 0; i < brokers; ++i) {
      out += number(i, 4) + text("MARKER.example.com") + number(9092, 4) + (i == 0 ? number(0xFFFF, 2) : text("rack"));
    }
    return out + (version < 2 ? "" : text("cluster")) + number(0, 4) + number(0, 4);
  }

  std::string shake(const std::string& name) {
    const bool known = std::find(mechanisms.begin(), mechanisms.end(), name) != mechanisms.end();
    mechanism = known ? name : "";
    std::string out = number(!wants_login ? 34 : known ? 0 : 33, 2);
    out += number(static_cast<std::uint32_t>(mechanisms.size()), 4);
    for (const auto& one : mechanisms) out += text(one);
    return out;
  }

  std::string log_in(const std::string& said) {
    if (mechanism == "PLAIN") {
      logged_in = said == '\0' + user + '\0' + password;
      return logged_in ? accepted({}) : refusal(58);
    }
    scram.digest = mechanism == "SCRAM-SHA-256" ? EVP_sha256() : EVP_sha512();
    scram.user = user;
    scram.password = password;
    const std::string reply = steps++ == 0 ? scram.first(said) : scram.last(said);
    logged_in = steps == 2 && !reply.empty();
    return reply.empty() ? refusal(58) : accepted(reply);
  }

  static std::string accepted(const std::string& reply) { return number(0, 2) + number(0xFFFF, 2) + bytes(reply); }
};

}  // namespace openindex::test
