// The registry beside a Kafka broker that asks nobody for a credential.
#include <doctest/doctest.h>

#include "provider/kafka_broker.hpp"
#include "provider/protocol_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

const ProviderConfig avro{{"endpoint", "k1.example.com"},
                          {"connectionType", "PLAINTEXT"},
                          {"protocol", "AVRO"},
                          {"schemaRegistryUrl", "https://schemas.example.com/base/"},
                          {"schemaRegistryAuthType", "Schema Registry User Info (Key/Password)"},
                          {"schemaRegistryApiKey", "Aladdin"},
                          {"schemaRegistryApiSecret", "open sesame MARKER"}};

struct AvroFixture : ProtocolFixture {
  KafkaBroker broker{.wants_login = false};

  AvroFixture() {
    connector.played.answer = [this](std::string_view question) { return broker.answer(question); };
  }
  ProviderTest answered_with(int status, const std::string& body) {
    http.answer = [status, body](const HttpRequest&) { return HttpResponse{.status = status, .body = body}; };
    return tested("kafka", avro);
  }
};

}  // namespace

TEST_CASE_FIXTURE(AvroFixture, "a schema registry that lists its subjects is proved with its own credential") {
  const auto test = answered_with(200, R"(["orders-value"])");
  check(test, true, true, true, std::nullopt);
  CHECK(test.message.find("registry answers") != std::string::npos);
  REQUIRE(http.requests.size() == 1);
  CHECK(http.requests[0].method == "GET");
  CHECK(http.requests[0].url == "https://schemas.example.com/base/subjects");
  const auto& headers = http.requests[0].headers;
  CHECK(std::find(headers.begin(), headers.end(),
                  std::pair<std::string, std::string>("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZSBNQVJLRVI=")) !=
        headers.end());
}

TEST_CASE_FIXTURE(AvroFixture, "a schema registry's refusals are told apart from the broker's") {
  check(answered_with(401, "MARKER"), true, true, false, errc::provider_unauthorized);
  check(answered_with(403, "MARKER"), true, true, false, errc::provider_unauthorized);
  check(answered_with(503, "MARKER"), true, true, false, errc::provider_overloaded);
  check(answered_with(404, "[]"), true, true, false, errc::provider_malformed_reply);
  check(answered_with(200, "{}"), true, true, false, errc::provider_malformed_reply);
  check(answered_with(200, "MARKER"), true, true, false, errc::provider_malformed_reply);
  std::string many = "[0";
  for (int i = 0; i < 300'000; ++i) many += ",0";
  check(answered_with(200, many + "]"), true, true, false, errc::provider_malformed_reply);
  http.answer = [](const HttpRequest&) { return Error(errc::http_tls, "MARKER"); };
  check(tested("kafka", avro), true, true, false, errc::http_tls);
}

TEST_CASE_FIXTURE(AvroFixture, "a schema registry is asked without a credential, or not at all, as its login says") {
  http.answer = [](const HttpRequest&) { return HttpResponse{.status = 200, .body = "[]"}; };
  check(tested("kafka", with(avro, "schemaRegistryAuthType", "NONE")), true, true, true, std::nullopt);
  REQUIRE(http.requests.size() == 1);
  for (const auto& header : http.requests[0].headers) CHECK(header.first != "Authorization");
  const auto google = tested("kafka", with(avro, "schemaRegistryAuthType", "GCP Service Account (OAuth2)"));
  check(google, true, true, true, std::nullopt);
  CHECK(google.message.find("not proved") != std::string::npos);
  check(tested("kafka", with(avro, "protocol", "String")), true, true, true, std::nullopt);
  broker.brokers = 0;
  CHECK_FALSE(tested("kafka", avro).ok());
  CHECK(http.requests.size() == 1);
}
