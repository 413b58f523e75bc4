// Trying out MongoDB with a server that the test plays.
#include <doctest/doctest.h>

#include "provider/mongo_server.hpp"
#include "provider/protocol_fixture.hpp"
#include "provider/protocols/mongo_address.hpp"

using namespace openindex;
using namespace openindex::test;
using providers::little_endian;
using providers::mongo_address;

namespace {

const std::string secret = "MARKER:1/2@3%4 ?#";
const std::string sealed = "MARKER%3A1%2f2%403%254%20%3F%23";

ProviderConfig at(const std::string& url) {
  return {{"endpoint", url}, {"namespace", "n"}, {"dimensions", "3"}, {"distance_metric", "Cosine"}};
}

const ProviderConfig mongo = at("mongodb://mia:" + sealed + "@m1.example.com,m2.example.com:27018/");

struct MongoFixture : ProtocolFixture {
  MongoServer server{.password = secret, .password_digest = "97d817fc4a1360f1a90ca48b575e6c0d"};

  MongoFixture() {
    connector.played.answer = [this](std::string_view question) { return server.answer(question); };
    connector.played.cut = 100;
  }
};

using Asked = std::vector<std::string>;
const Asked whole_login = {"hello admin", "saslStart admin", "saslContinue admin", "ping admin"};

}  // namespace

TEST_CASE_FIXTURE(MongoFixture, "a MongoDB server that takes the credential and answers a ping proves everything") {
  for (const std::size_t cut : {1u, 7u, 1000u}) {
    connector.played.cut = cut;
    check(tested("mongovectordb", mongo), true, true, true, std::nullopt);
  }
  CHECK(server.asked == whole_login);
  CHECK(connector.sent.find("SCRAM-SHA-256") != std::string::npos);
  CHECK(connector.sent.find("MARKER") == std::string::npos);
  CHECK(connector.requests.back().host == "m1.example.com");
  CHECK(connector.requests.back().port == 27017);
  CHECK_FALSE(connector.requests.back().tls);
  server.skips_empty_exchange = false;
  check(tested("mongovectordb", mongo), true, true, true, std::nullopt);
  CHECK(server.asked.size() == 5);
}

TEST_CASE_FIXTURE(MongoFixture, "a MongoDB user without SCRAM-SHA-256 logs in with SCRAM-SHA-1") {
  server.knows_sha256 = false;
  for (const bool lists : {true, false}) {
    server.lists_mechanisms = lists;
    check(tested("mongovectordb", mongo), true, true, true, std::nullopt);
    CHECK(connector.sent.find("SCRAM-SHA-1") != std::string::npos);
    CHECK(connector.sent.find("MARKER") == std::string::npos);
  }
  server = {.password = secret, .password_digest = server.password_digest};
  check(tested("mongovectordb", at(mongo.at("endpoint") + "?authMechanism=SCRAM-SHA-1")), true, true, true,
        std::nullopt);
  CHECK(connector.sent.find("SCRAM-SHA-256") == std::string::npos);
}

TEST_CASE_FIXTURE(MongoFixture, "a MongoDB server's refusals are told apart") {
  const std::string behind = "@m1.example.com/";
  for (const std::string& url : {"mongodb://mia:MARKER-2" + behind, "mongodb://noah:" + sealed + behind,
                                 mongo.at("endpoint") + "?authSource=other"}) {
    check(tested("mongovectordb", at(url)), true, false, true, errc::provider_unauthorized);
    CHECK(server.asked.back() != "ping admin");
  }
  server.knows_sha256 = false;
  check(tested("mongovectordb", at(mongo.at("endpoint") + "?authMechanism=SCRAM-SHA-256")), true, false, false,
        errc::provider_rejected_request);
  server.knows_sha256 = true;
  const struct {
    std::int32_t code;
    bool configured;
    errc told;
  } table[] = {{11, true, errc::provider_unauthorized},     {8000, true, errc::provider_unauthorized},
               {2, false, errc::provider_rejected_request}, {91, true, errc::provider_overloaded},
               {11600, true, errc::provider_overloaded},    {1, false, errc::provider_rejected_request}};
  for (const auto& row : table) {
    for (const char* at_command : {"hello", "saslStart", "saslContinue", "ping"}) {
      server.twist = [&](const std::string& command, std::string document) {
        return command == at_command ? MongoServer::failure(row.code) : document;
      };
      check(tested("mongovectordb", mongo), true, false, row.configured, row.told);
    }
  }
}

TEST_CASE_FIXTURE(MongoFixture, "without a credential in the endpoint MongoDB is asked nothing that needs one") {
  const auto test = tested("mongovectordb", at("mongodb://m1.example.com:27018/shop?tls=true"));
  check(test, true, false, true, std::nullopt);
  CHECK(test.message.find("no credential was tried") != std::string::npos);
  CHECK(server.asked == Asked{"hello admin", "ping admin"});
  CHECK(connector.requests.back().port == 27018);
  CHECK(connector.requests.back().tls);
}

TEST_CASE_FIXTURE(MongoFixture, "an answer that is no MongoDB server's is malformed wherever it is cut") {
  for (const std::string row : {"hello", "saslStart", "saslContinue", "ping"}) {
    CAPTURE(row);
    std::string whole;
    server.twist = {};
    server.twist_bytes = [&](const std::string& command, std::string message) {
      if (command == row) whole = message;
      return message;
    };
    REQUIRE(tested("mongovectordb", mongo).ok());
    const auto answered_with = [&](const std::function<std::string(std::string)>& change) {
      server.twist_bytes = [&](const std::string& command, std::string message) {
        return command == row ? change(std::move(message)) : message;
      };
      check(tested("mongovectordb", mongo), true, false, false, errc::provider_malformed_reply);
    };
    for (std::size_t kept = 0; kept < whole.size(); ++kept) {
      answered_with([&](const std::string& message) { return message.substr(0, kept); });
      if (kept < 4) continue;
      answered_with([&](const std::string& message) {  // and says so
        return little_endian(static_cast<std::uint32_t>(kept), 4) + message.substr(4, kept - 4);
      });
    }
    connector.played.hangs = true;  // none of these is waited for
    for (const std::uint32_t size : {0u, 20u, 262'145u, 0xFFFF'FFFFu}) {
      answered_with([&](std::string message) { return message.replace(0, 4, little_endian(size, 4)); });
    }
    connector.played.hangs = false;
    for (const std::size_t changed : {8u, 12u, 16u, 18u, 20u}) {  // question, kind, flags, section
      answered_with([&](std::string message) {
        message[changed] = static_cast<char>(message[changed] ^ 0x42);
        return message;
      });
    }
    answered_with([](const std::string&) { return std::string("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  }
  server.twist_bytes = {};
  server.twist = [](const std::string&, const std::string&) { return MongoServer::Document().number("ok", 1).str(); };
  check(tested("mongovectordb", mongo), true, false, false,
        errc::provider_malformed_reply);  // it does not say what it is
}

TEST_CASE_FIXTURE(MongoFixture, "an answer of MongoDB's may have a checksum") {
  server.twist_bytes = [](const std::string&, const std::string& message) {
    return MongoServer::message(little_endian(message, 8, 4), message.substr(21), 1, "\1\2\3\4");
  };
  check(tested("mongovectordb", mongo), true, true, true, std::nullopt);
}

TEST_CASE_FIXTURE(MongoFixture, "a MongoDB server that proves nothing by SCRAM is not believed, and gets no proof") {
  const auto tried = [&](auto change) {
    server.scram = {};
    change(server.scram);
    check(tested("mongovectordb", mongo), true, false, false, errc::provider_malformed_reply);
    CHECK(server.asked.back() != "ping admin");
    return connector.sent.find(",p=") != std::string::npos;
  };
  for (const char* rounds : {"1", "4095", "1000001", "2147483647", "4096x"}) {
    CHECK_FALSE(tried([&](ScramServer& scram) { scram.rounds = rounds; }));
  }
  CHECK_FALSE(tried([](ScramServer& scram) { scram.salt = ""; }));
  CHECK_FALSE(tried([](ScramServer& scram) { scram.nonce_more = ""; }));
  CHECK_FALSE(tried([](ScramServer& scram) { scram.nonce_before = "x"; }));
  CHECK(tried([](ScramServer& scram) { scram.signs = false; }));
  server.scram = {};
  server.skips_empty_exchange = false;
  server.twist = [this](const std::string& command, std::string document) {  // it never is done
    return command == "saslContinue" && server.asked.size() == 4
               ? MongoServer::Document().boolean("done", false).number("ok", 1).str()
               : document;
  };
  check(tested("mongovectordb", mongo), true, false, false, errc::provider_malformed_reply);
}

TEST_CASE_FIXTURE(MongoFixture, "a MongoDB server that does not answer, or is not there, is told apart") {
  for (const char* command : {"hello", "saslStart", "saslContinue", "ping"}) {
    server.hangs_up_at = command;
    check(tested("mongovectordb", mongo), true, false, false, errc::provider_malformed_reply);
    connector.played.hangs = true;
    check(tested("mongovectordb", mongo), true, false, true, errc::http_timeout);
    connector.played.hangs = false;
  }
  connector.refuses = errc::http_tls;
  check(tested("mongovectordb", mongo), false, false, true, errc::http_tls);
}

TEST_CASE_FIXTURE(MongoFixture, "what a test of MongoDB does not try is said, and nothing secret is sent") {
  const auto elsewhere = tested("mongovectordb", at("mongodb+srv://mia:MARKER@m.example.com/"));
  check(elsewhere, false, false, true, std::nullopt);
  CHECK(elsewhere.message.find("SRV") != std::string::npos);
  check(tested("mongovectordb", at(mongo.at("endpoint") + "?tls=true&tlsCAFile=/etc/ssl/MARKER.pem")), false, false,
        true, std::nullopt);
  for (const char* url : {"mongodb://mia:MA%ZZRKER@h/", "mongodb://mia@h/", "mongodb://mia:@h/", "mongodb://:MARKER@h/",
                          "mongodb://mia:1/MARKER@h/", "mongodb://mia:1?MARKER@h/", "mongodb://mia:MARKER%00@h/"}) {
    CAPTURE(url);
    check(tested("mongovectordb", at(url)), false, false, false, errc::invalid_argument);
  }
  CHECK(connector.requests.empty());
  const auto other = tested("mongovectordb", at("mongodb://mia:MARKER@h/?authMechanism=PLAIN"));
  check(other, true, false, true, std::nullopt);
  CHECK(other.message.find("not proved") != std::string::npos);
  CHECK(connector.sent.find("MARKER") == std::string::npos);
}

TEST_CASE("a connection string of MongoDB is read as its drivers read it") {
  const auto full = mongo_address("mongodb://m%69a:p%40%3a@[::1]:27018,other/my%20db?SSL=true&authsource=a%2Fb&w=1");
  REQUIRE(full);
  CHECK(full->place.host == "::1");
  CHECK(full->place.port == 27018);
  CHECK(full->tls);
  CHECK(full->has_user);
  CHECK(full->user == "mia");
  CHECK(full->password == "p@:");
  CHECK(full->source == "a/b");
  CHECK(full->mechanism.empty());
  CHECK(mongo_address("mongodb://u:p@h/my%20db")->source == "my db");
  CHECK(mongo_address("mongodb://u:p@h/?tls=false")->source == "admin");
  CHECK(mongo_address("mongodb://u:p@h?authMechanism=SCRAM-SHA-256")->mechanism == "SCRAM-SHA-256");
  CHECK_FALSE(mongo_address("mongodb://u:p@h")->tls);
  CHECK_FALSE(mongo_address("mongodb://h")->has_user);
  for (const char* url :
       {"h", "mongodb://", "mongodb://h:0", "mongodb://h:99999", "mongodb://u:p@", "mongodb://u@v:p@h", "mongodb://h/%",
        "mongodb://h/?tls=yes", "mongodb://h/?authSource=", "mongodb://h/?authSource=%4", "mongodb://h/?tls"}) {
    CAPTURE(url);
    const auto wrong = mongo_address(url);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code() == errc::invalid_argument);
  }
}
