// Trying out Kafka with a broker that the test plays.
#include <doctest/doctest.h>

#include "provider/kafka_broker.hpp"
#include "provider/protocol_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using providers::big_endian;

namespace {

const ProviderConfig plain{{"endpoint", "k1.example.com:9093,k2.example.com:9093"},
                           {"connectionType", "SASL_SSL / PLAIN"},
                           {"protocol", "String"},
                           {"user", "mia"},
                           {"password", "MARKER-1"}};
const ProviderConfig scram = with(plain, "connectionType", "SASL_SSL / SCRAM-SHA-256 / JKS");
const ProviderConfig open{{"endpoint", "k1.example.com"}, {"connectionType", "PLAINTEXT"}, {"protocol", "String"}};

struct KafkaFixture : ProtocolFixture {
  KafkaBroker broker{.password = "MARKER-1"};

  KafkaFixture() {
    connector.played.answer = [this](std::string_view question) { return broker.answer(question); };
  }
  std::vector<std::uint32_t> keys() const {
    std::vector<std::uint32_t> out;
    for (const auto& [key, arguments] : broker.asked) out.push_back(key);
    return out;
  }
};

using Keys = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE_FIXTURE(KafkaFixture, "a Kafka broker that takes the credential and names its cluster proves everything") {
  for (const std::size_t cut : {1u, 7u, 1000u}) {
    connector.played.cut = cut;
    check(tested("kafka", plain), true, true, true, std::nullopt);
  }
  CHECK(keys() == Keys{18, 17, 36, 3});
  CHECK(broker.asked[2].second == std::string("\0\0\0\x0D\0mia\0MARKER-1", 17));
  CHECK(connector.requests.back().host == "k1.example.com");
  CHECK(connector.requests.back().port == 9093);
  CHECK(connector.requests.back().tls);
  CHECK(connector.requests.back().ca_pem.empty());
  // The first question as the protocol's guide has it: size, key, version, number, client.
  CHECK(connector.sent.starts_with(std::string("\0\0\0\x13\0\x12\0\0\0\0\0\1\0\x09openindex", 23)));
}

TEST_CASE_FIXTURE(KafkaFixture, "SCRAM proves a password to a Kafka broker without telling it") {
  const ProviderConfig in_the_clear = with(plain, "connectionType", "SASL_PLAINTEXT");
  const struct {
    ProviderConfig config;
    const char* mechanism;
    bool tls;
  } table[] = {{scram, "SCRAM-SHA-256", true},
               {with(plain, "connectionType", "SASL_SSL / SCRAM-SHA-512"), "SCRAM-SHA-512", true},
               {with(in_the_clear, "mechanism", "SCRAM-SHA-512"), "SCRAM-SHA-512", false},
               {with(in_the_clear, "mechanism", "scram_sha_256"), "SCRAM-SHA-256", false}};
  for (const auto& row : table) {
    check(tested("kafka", row.config), true, true, true, std::nullopt);
    CHECK(keys() == Keys{18, 17, 36, 36, 3});
    CHECK(broker.asked[1].second == KafkaBroker::text(row.mechanism));
    CHECK(connector.requests.back().tls == row.tls);
    CHECK(connector.sent.find("MARKER") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(KafkaFixture, "a wrong credential for Kafka is told, by whichever mechanism") {
  for (const ProviderConfig& config : {plain, scram, with(plain, "connectionType", "SASL_SSL / SCRAM-SHA-512")}) {
    check(tested("kafka", with(config, "password", "MARKER-2")), true, false, true, errc::provider_unauthorized);
    check(tested("kafka", with(config, "user", "noah")), true, false, true, errc::provider_unauthorized);
    CHECK(keys().back() == KafkaBroker::authenticate);
  }
  broker.hangs_up_at = KafkaBroker::authenticate;
  check(tested("kafka", plain), true, false, true, errc::provider_unauthorized);
}

TEST_CASE_FIXTURE(KafkaFixture, "a Kafka broker that asks nobody for a credential is told from one that does") {
  broker.wants_login = false;
  check(tested("kafka", open), true, true, true, std::nullopt);
  CHECK(keys() == Keys{18, 3});
  CHECK(connector.requests.back().port == 9092);
  CHECK_FALSE(connector.requests.back().tls);
  check(tested("kafka", plain), true, false, false, errc::provider_rejected_request);
  broker.wants_login = true;
  check(tested("kafka", open), true, false, false, errc::provider_unauthorized);
}

TEST_CASE_FIXTURE(KafkaFixture, "an older Kafka broker is asked for its cluster in its own version") {
  broker.wants_login = false;
  for (const std::uint32_t version : {1u, 2u, 3u, 4u, 5u}) {
    broker.metadata_max = version;
    check(tested("kafka", open), true, true, true, std::nullopt);
  }
  broker.metadata_max = 0;
  check(tested("kafka", open), true, false, true, std::nullopt);
  CHECK(keys() == Keys{18});
}

TEST_CASE_FIXTURE(KafkaFixture, "what else a Kafka broker refuses is told apart") {
  broker.mechanisms = {"SCRAM-SHA-512"};
  const auto unoffered = tested("kafka", scram);
  check(unoffered, true, false, false, errc::provider_rejected_request);
  CHECK(unoffered.message.find("SCRAM-SHA-256") != std::string::npos);
  CHECK(connector.sent.find("n,,n=") == std::string::npos);
  broker = {.password = "MARKER-1", .brokers = 0};
  check(tested("kafka", plain), true, true, false, errc::provider_overloaded);
  broker = {.password = "MARKER-1"};
  broker.twist = [](std::uint32_t key, std::string body) {
    return key == KafkaBroker::authenticate ? KafkaBroker::refusal(34) : body;
  };
  check(tested("kafka", plain), true, false, false, errc::provider_rejected_request);
  for (const std::uint32_t key : {3u, 17u, 36u}) {  // in other versions only
    broker.twist = [key](std::uint32_t question, std::string body) {
      const auto row = body.find(big_endian(key, 2) + '\0');
      if (question == KafkaBroker::versions) body.replace(row + 2, 4, std::string("\0\x09\0\x0c", 4));
      return body;
    };
    check(tested("kafka", plain), true, false, true, std::nullopt);
    CHECK(connector.sent.find("MARKER") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(KafkaFixture, "an answer that is no Kafka broker's is malformed wherever it is cut") {
  const struct {
    ProviderConfig config;
    std::uint32_t key;
  } table[] = {{plain, 18}, {plain, 17}, {plain, 36}, {scram, 36}, {plain, 3}};
  for (const auto& row : table) {
    std::size_t size = 0;
    const bool accepted = row.key == KafkaBroker::metadata;
    broker.twist_bytes = {};
    broker.twist = [&](std::uint32_t key, std::string body) {
      size = key == row.key ? body.size() : size;
      return body;
    };
    REQUIRE(tested("kafka", row.config).ok());
    REQUIRE(size > 0);
    for (std::size_t kept = 0; kept <= size + 1; ++kept) {
      if (kept == size) continue;
      broker.twist = [&](std::uint32_t key, std::string body) {
        if (key == row.key) body.resize(kept, 'x');
        return body;
      };
      CAPTURE(row.key);
      CAPTURE(kept);
      check(tested("kafka", row.config), true, false, false, errc::provider_malformed_reply);
    }
    broker.twist = {};
    for (std::size_t kept = accepted || row.key == KafkaBroker::authenticate ? 4 : 0; kept < size + 8; ++kept) {
      broker.twist_bytes = [&](std::uint32_t key, const std::string& bytes) {
        return key == row.key ? bytes.substr(0, kept) : bytes;
      };
      CAPTURE(kept);
      check(tested("kafka", row.config), true, false, false, errc::provider_malformed_reply);
    }
    connector.played.hangs = true;  // none of these is waited for
    for (const std::string& head :
         {big_endian(0, 4), big_endian(3, 4), big_endian(262'145, 4), big_endian(0xFFFF'FFFF, 4),
          std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("\x15\3\3\0\2\2\x28", 7)}) {
      broker.twist_bytes = [&](std::uint32_t key, const std::string& bytes) {
        return key == row.key ? head + bytes : bytes;
      };
      check(tested("kafka", row.config), true, false, false, errc::provider_malformed_reply);
    }
    connector.played.hangs = false;
    broker.twist_bytes = [&](std::uint32_t key, std::string bytes) {
      if (key == row.key) bytes[7] = '\x7F';  // the answer to another question
      return bytes;
    };
    check(tested("kafka", row.config), true, false, false, errc::provider_malformed_reply);
  }
}

TEST_CASE_FIXTURE(KafkaFixture, "counts that a Kafka answer does not hold are not believed") {
  for (const std::uint32_t question : {18u, 17u, 3u}) {
    for (const std::uint32_t count : {6u, 0x7FFF'FFFFu, 0xFFFF'FFFFu}) {
      broker.twist = [&](std::uint32_t key, std::string body) {
        if (key == question) body.replace(key == 3 ? 4 : 2, 4, big_endian(count, 4));
        return body;
      };
      check(tested("kafka", plain), true, false, false, errc::provider_malformed_reply);
    }
  }
}

TEST_CASE_FIXTURE(KafkaFixture, "a Kafka broker that proves nothing by SCRAM is not believed, and gets no proof") {
  const auto tried = [&](auto change) {
    broker.scram = {};
    change(broker.scram);
    check(tested("kafka", scram), true, false, false, errc::provider_malformed_reply);
    CHECK(connector.sent.find("MARKER") == std::string::npos);
    return connector.sent.find(",p=") != std::string::npos;
  };
  for (const char* rounds : {"1", "4095", "1000001", "2147483647", "4096x", ""}) {
    CHECK_FALSE(tried([&](ScramServer& server) { server.rounds = rounds; }));
  }
  CHECK_FALSE(tried([](ScramServer& server) { server.salt = ""; }));
  CHECK_FALSE(tried([](ScramServer& server) { server.nonce_more = ""; }));
  CHECK_FALSE(tried([](ScramServer& server) { server.nonce_before = "x"; }));
  CHECK_FALSE(tried([](ScramServer& server) { server.salt = std::string(8000, 'A'); }));
  CHECK(tried([](ScramServer& server) { server.signs = false; }));
  CHECK(keys().back() == KafkaBroker::authenticate);  // nothing was asked of it afterwards
}

TEST_CASE_FIXTURE(KafkaFixture, "a Kafka broker that does not answer, or is not there, is told apart") {
  for (const std::uint32_t key : {18u, 17u, 36u, 3u}) {
    broker.hangs_up_at = key;
    connector.played.hangs = true;
    check(tested("kafka", plain), true, false, true, errc::http_timeout);
    connector.played.hangs = false;
    if (key == KafkaBroker::authenticate) continue;
    const auto secured = tested("kafka", plain);
    check(secured, true, false, false, errc::provider_malformed_reply);
    CHECK(secured.message.find("begins TLS, but then hangs up") != std::string::npos);
    if (key != KafkaBroker::versions) continue;
    const auto clear = tested("kafka", open);
    check(clear, true, false, false, errc::provider_malformed_reply);
    CHECK(clear.message.find("as a broker does that wants TLS") != std::string::npos);
  }
  connector.refuses = errc::http_tls;
  check(tested("kafka", plain), false, false, true, errc::http_tls);
}

TEST_CASE_FIXTURE(KafkaFixture,
                  "a trust store of Kafka's in PEM is the one that counts, and one of Java's is not read") {
  const std::string roots = "-----BEGIN CERTIFICATE-----\nMARKER\n";
  check(tested("kafka", with(with(plain, "authenticationType", "PEM"), "file", roots)), true, true, true, std::nullopt);
  CHECK(connector.requests.back().ca_pem == roots);
  const auto asked = connector.requests.size();
  auto java = with(with(plain, "authenticationType", "JKS"), "file", "MARKER");
  const auto test = tested("kafka", with(java, "keyStorePassword", "MARKER"));
  check(test, false, false, true, std::nullopt);
  CHECK(test.message.find("Java") != std::string::npos);
  java = with(with(scram, "file", "MARKER"), "authenticationType", "NONE");
  check(tested("kafka", java), false, false, true, std::nullopt);
  CHECK(connector.requests.size() == asked);
}

TEST_CASE_FIXTURE(KafkaFixture, "what a test of Kafka does not try is said, and no password is sent") {
  const auto in_the_clear = with(plain, "connectionType", "SASL_PLAINTEXT");
  for (const ProviderConfig& config :
       {with(in_the_clear, "mechanism", "GSSAPI"), with(plain, "connectionType", "SOMETHING_NEW")}) {
    const auto test = tested("kafka", config);
    check(test, true, false, true, std::nullopt);
    CHECK(test.message.find("not proved") != std::string::npos);
    CHECK(connector.sent.find("MARKER") == std::string::npos);
  }
  connector.requests.clear();
  auto nobody = with(in_the_clear, "connectionType", "SASL_SSL");
  nobody.erase("user");
  for (const ProviderConfig& config : {in_the_clear, with(nobody, "mechanism", "PLAIN")}) {
    check(tested("kafka", config), false, false, false, errc::invalid_argument);
  }
  CHECK(connector.requests.empty());
}
