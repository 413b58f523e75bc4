// PostgreSQL under TLS, as its URL asks for it. That of real servers: tests/postgres/postgres_probe_test.cpp.
#include "provider/protocols/wire.hpp"
#include "provider/secured_connector.hpp"

using namespace openindex;
using namespace openindex::test;
using providers::big_endian;

namespace {

const std::string ssl_request("\0\0\0\x08\x04\xd2\x16\x2f", 8);

ProviderConfig shop(const std::string& parameters) {
  return {{"jdbcDriver", "org.postgresql.Driver"},
          {"user", "mia"},
          {"password", "MARKER-1"},
          {"datasourceURL", "jdbc:postgresql://db.example.com:5433/shop" + parameters}};
}

std::string said(char type, const std::string& payload) {
  return type + big_endian(static_cast<std::uint32_t>(payload.size() + 4), 4) + payload;
}

// A server that asks for the password as it is.
std::string answer_login(std::string_view sent) {
  if (sent[0] == 'p') return said('R', big_endian(0, 4)) + said('Z', "I");
  return sent[0] == 'X' ? std::string() : said('R', big_endian(3, 4));
}

// And that says `answer` to the question for TLS.
std::function<std::string(std::string_view)> asked_for_tls(const std::string& answer) {
  return [answer](std::string_view sent) { return sent == ssl_request ? answer : answer_login(sent); };
}

struct PostgresTlsFixture : SecuredFixture {
  PostgresTlsFixture() { connector.sealed.answer = &answer_login; }
};

}  // namespace

TEST_CASE_FIXTURE(PostgresTlsFixture, "a database whose URL asks for TLS gets the password under TLS only") {
  connector.clear.answer = asked_for_tls("S");
  for (const std::string parameters :
       {"?sslmode=require", "?sslmode=verify-ca", "?a=x&sslmode=Verify-Full&x=y", "?ssl=true", "?ssl",
        "?ssl=", "?sslmode=require&ssl=false", "?ssl=true&sslmode=verify-full"}) {
    CAPTURE(parameters);
    check_tested("relational_db", shop(parameters), true, true, std::nullopt);
    CHECK(connector.clear.sent == ssl_request);
    CHECK(connector.sealed.sent.find("MARKER-1") != std::string::npos);
    CHECK(connector.sealed.sent.find(std::string("database\0shop\0", 14)) != std::string::npos);
    CHECK_FALSE(connector.opened.back().tls);
    CHECK(connector.opened.back().tls_later);
    REQUIRE(connector.started.size() == 1);
    CHECK(connector.started[0].host == "db.example.com");
    CHECK(connector.started[0].port == 5433);
  }
}

TEST_CASE_FIXTURE(PostgresTlsFixture, "sslmode says whether TLS is asked for, and whether it is needed") {
  connector.clear.answer = asked_for_tls("N");
  for (const std::string parameters :
       {"", "?", "?sslmode=disable", "?sslmode=allow", "?ssl=false", "?ssl=true&sslmode=disable",
        "?sslmode=disable&ssl=true", "?a=sslmode=require"}) {
    CAPTURE(parameters);
    check_tested("relational_db", shop(parameters), true, true, std::nullopt);
    CHECK(connector.clear.sent.find(ssl_request) == std::string::npos);
    CHECK(connector.started.empty());
    CHECK_FALSE(connector.opened.back().tls_later);
  }
  // Preferred, but not offered.
  check_tested("relational_db", shop("?sslmode=prefer"), true, true, std::nullopt);
  CHECK(connector.clear.sent.starts_with(ssl_request));
  CHECK(connector.started.empty());
  CHECK_FALSE(connector.opened.back().tls_later);
  // Preferred and offered: then it is TLS, and its certificate counts.
  connector.clear.answer = asked_for_tls("S");
  check_tested("relational_db", shop("?sslmode=prefer"), true, true, std::nullopt);
  CHECK(connector.clear.sent == ssl_request);
  connector.refuses_tls = errc::http_tls;
  check_tested("relational_db", shop("?sslmode=prefer"), false, true, errc::http_tls);
  CHECK(connector.clear.sent == ssl_request);

  const auto opened = connector.opened.size();
  for (const std::string parameters : {"?sslmode=none", "?sslmode=", "?sslmode=require&sslmode=MARKER"}) {
    CAPTURE(parameters);
    const auto test = tested("relational_db", shop(parameters));
    CHECK_FALSE(test.configured);
    CHECK(test.code == errc::invalid_argument);
  }
  CHECK(connector.opened.size() == opened);
}

TEST_CASE_FIXTURE(PostgresTlsFixture, "a server that does not begin TLS is sent nothing more") {
  const struct {
    std::string answer;
    bool configured;
    errc code;
  } table[] = {
      {"N", false, errc::http_tls},
      {said('E', "SFATAL" + std::string(1, '\0') + "C28P01" + std::string(1, '\0') + "MMARKER" + std::string(2, '\0')),
       false, errc::provider_rejected_request},
      {"HTTP/1.1 400 MARKER\r\n", false, errc::provider_malformed_reply},
      {"", false, errc::provider_malformed_reply},
      // What came with the answer was never under TLS, and would be taken for what comes after it.
      {"S" + said('R', big_endian(0, 4)) + said('Z', "I"), false, errc::provider_malformed_reply},
      {"Sx", false, errc::provider_malformed_reply},
  };
  for (const auto& row : table) {
    const std::string answer = row.answer;
    CAPTURE(answer);
    connector.clear.answer = asked_for_tls(answer);
    check_tested("relational_db", shop("?sslmode=require"), false, row.configured, row.code);
    CHECK(connector.clear.sent == ssl_request);
    CHECK(connector.started.empty());
  }
}

TEST_CASE_FIXTURE(PostgresTlsFixture, "a certificate that is refused is told, and a connector that begins no TLS") {
  connector.clear.answer = asked_for_tls("S");
  connector.refuses_tls = errc::http_tls;
  check_tested("relational_db", shop("?sslmode=require"), false, true, errc::http_tls);
  connector.refuses_tls = errc::http_timeout;
  check_tested("relational_db", shop("?sslmode=require"), false, true, errc::http_timeout);
  connector.refuses_tls = errc::http_no_start_tls;
  check_tested("relational_db", shop("?sslmode=require"), false, true, std::nullopt);
  CHECK(tested("relational_db", shop("?sslmode=require")).message.find("cannot begin TLS") != std::string::npos);
  CHECK(connector.clear.sent == ssl_request);
}

TEST_CASE_FIXTURE(PostgresTlsFixture, "a vector database is looked into under TLS, too") {
  connector.clear.answer = asked_for_tls("S");
  connector.sealed.answer = [](std::string_view sent) {
    return sent[0] == 'Q' ? said('D', "row") + said('Z', "I") : answer_login(sent);
  };
  auto vectors = shop("?sslmode=require");
  vectors.erase("jdbcDriver");
  vectors["datasourceURL"] = "jdbc:postgresql://[fd00::5]:5433/shop?sslmode=require";
  for (const auto& [key, value] :
       ProviderConfig{{"dimensions", "3"}, {"distance_metric", "l2"}, {"indexing_method", "hnsw"}}) {
    vectors[key] = value;
  }
  check_tested("pgvectordb", vectors, true, true, std::nullopt);
  CHECK(connector.clear.sent == ssl_request);
  CHECK(connector.started.back().host == "fd00::5");
}
