// NATS under TLS and with credentials files, over connections that the test plays. Real servers: tests/http.
#include <optional>

#include "provider/nats_credentials_sample.hpp"
#include "provider/secured_connector.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

const ProviderConfig plain{{"endpoint", "n1.example.com:4333"},
                           {"connectionType", "Default"},
                           {"protocol", "NONE"},
                           {"authenticationType", "With Credentials"},
                           {"tls", "NONE"},
                           {"user", "mia"},
                           {"password", "MARKER-1"}};
const ProviderConfig with_roots = with_value(with_value(plain, "tls", "PEM"), "tlsFile", "-----BEGIN X-----\n");
const ProviderConfig with_jwt = with_value(with_value(plain, "protocol", "JWT"), "file", sample_credentials);

std::string info(const std::string& members) { return "INFO {\"auth_required\":true," + members + "}\r\n"; }

std::string pong(std::string_view) { return "PONG\r\n"; }

}  // namespace

TEST_CASE_FIXTURE(SecuredFixture, "a NATS server gets the credential under TLS when either side wants it") {
  connector.sealed.answer = &pong;
  const struct {
    ProviderConfig config;
    std::string offer;
    bool known;
    std::string roots;
  } table[] = {
      {with_roots, "\"tls_required\":true", true, "-----BEGIN X-----\n"},
      {with_roots, "\"tls_available\":true", true, "-----BEGIN X-----\n"},
      {plain, "\"tls_required\":true", false, ""},
      {with_value(plain, "endpoint", "tls://n1.example.com:4333"), "\"tls_available\":true", true, ""},
  };
  for (const auto& row : table) {
    const std::string offer = row.offer;
    CAPTURE(offer);
    connector.clear.greeting = info(offer);
    check_tested("nats", row.config, true, true, std::nullopt);
    CHECK(connector.clear.sent.empty());
    CHECK(connector.sealed.sent.starts_with("CONNECT {"));
    CHECK(connector.sealed.sent.find("MARKER-1") != std::string::npos);
    CHECK_FALSE(connector.opened.back().tls);
    CHECK(connector.opened.back().tls_later == row.known);
    REQUIRE(connector.started.size() == 1);
    CHECK(connector.started[0].host == "n1.example.com");
    CHECK(connector.started[0].port == 4333);
    CHECK(connector.started[0].ca_pem == row.roots);
  }
  connector.sealed.answer = [](std::string_view) { return std::string("-ERR 'Authorization Violation'\r\n"); };
  check_tested("nats", with_roots, false, true, errc::provider_unauthorized);
}

TEST_CASE_FIXTURE(SecuredFixture, "a NATS server that does not begin TLS is sent nothing") {
  connector.clear.answer = &pong;
  connector.clear.greeting = info("\"tls_required\":false");
  check_tested("nats", with_roots, false, false, errc::http_tls);
  connector.clear.greeting = info("\"tls_required\":true") + "INFO {}\r\n";  // that would be taken for the sealed rest
  check_tested("nats", with_roots, false, false, errc::provider_malformed_reply);
  CHECK(connector.started.empty());
  connector.clear.greeting = info("\"tls_required\":true,\"tls_verify\":true");
  check_tested("nats", with_roots, false, true, std::nullopt);
  CHECK(connector.started.empty());
  connector.clear.greeting = info("\"tls_required\":true");
  const auto with_java = with_value(with_value(with_roots, "tls", "JKS"), "truststoreAuthenticationType", "NONE");
  check_tested("nats", with_java, false, true, std::nullopt);
  CHECK(tested("nats", with_java).message.find("Java") != std::string::npos);
  CHECK(connector.started.empty());
  for (const errc code : {errc::http_tls, errc::http_timeout}) {
    connector.refuses_tls = code;
    check_tested("nats", with_roots, false, true, code);
  }
  connector.refuses_tls = errc::http_no_start_tls;
  check_tested("nats", with_roots, false, true, std::nullopt);
  CHECK(connector.clear.sent.empty());
}

TEST_CASE_FIXTURE(SecuredFixture, "a credentials file logs in with its JWT and a signature of what the server asks") {
  connector.clear.answer = &pong;
  connector.clear.greeting = info("\"nonce\":\"" + std::string(sample_nonce) + "\"");
  check_tested("nats", with_jwt, true, true, std::nullopt);
  CHECK(connector.clear.sent ==
        R"(CONNECT {"verbose":false,"pedantic":false,"lang":"openindex","version":"1","protocol":1,"jwt":")" +
            std::string(sample_jwt) + R"(","sig":")" + std::string(sample_signature) + "\"}\r\nPING\r\n");
  // Who asks with nothing is not shown the JWT, and who has more signed than a nonce is no NATS server.
  connector.clear.greeting = info("\"nonce\":\"\"");
  check_tested("nats", with_jwt, false, true, std::nullopt);  // a PONG to nothing proves nothing
  CHECK(connector.clear.sent.find("jwt") == std::string::npos);
  CHECK(connector.clear.sent.find("MARKER-1") == std::string::npos);
  connector.clear.greeting = info("\"nonce\":\"" + std::string(513, 'x') + "\"");
  check_tested("nats", with_jwt, false, false, errc::provider_malformed_reply);
  CHECK(connector.clear.sent.empty());

  connector.clear.greeting = info("\"nonce\":\"x\"");
  connector.clear.answer = [](std::string_view) { return std::string("-ERR 'Authorization Violation'\r\n"); };
  check_tested("nats", with_jwt, false, true, errc::provider_unauthorized);
  CHECK(tested("nats", with_jwt).message.find("set file anew") != std::string::npos);

  connector.clear.greeting = info("\"nonce\":\"x\",\"tls_required\":true");
  connector.sealed.answer = &pong;
  check_tested("nats", with_jwt, true, true, std::nullopt);
  CHECK(connector.clear.sent.empty());
  CHECK(connector.sealed.sent.find(sample_jwt) != std::string::npos);
}

TEST_CASE_FIXTURE(SecuredFixture, "a credentials file that is none is told before anything is connected to") {
  const auto test = tested("nats", with_value(with_jwt, "file", "MARKER"));
  CHECK_FALSE(test.configured);
  CHECK(test.code == errc::invalid_argument);
  CHECK(test.message.find("credentials file") != std::string::npos);
  CHECK(connector.opened.empty());
}
