// Trying out brokers and databases over connections that the test plays.
#include "provider/protocols/protocol_probe.hpp"

#include <doctest/doctest.h>

#include "provider/protocol_fixture.hpp"
#include "provider/protocols/wire.hpp"

using namespace openindex;
using namespace openindex::test;
using providers::big_endian;

namespace {

const ProviderConfig nats{{"endpoint", "nats://n1.example.com:4333,nats://n2.example.com"},
                          {"connectionType", "Default"},
                          {"authenticationType", "With Credentials"},
                          {"protocol", "NONE"},
                          {"tls", "NONE"},
                          {"user", "mia"},
                          {"password", "MARKER-1"}};
const ProviderConfig amqp{{"protocol", "amqp"},           {"user", "mia"},  {"password", "MARKER-2"},
                          {"endpoint", "mq.example.com"}, {"port", "5673"}, {"namespace", "/team"}};

const std::string info = "INFO {\"server_id\":\"x\",\"auth_required\":true}\r\n";

std::string method(std::uint32_t number, const std::string& arguments = {}) {
  const std::string payload = big_endian(10, 2) + big_endian(number, 2) + arguments;
  return std::string("\x01\0\0", 3) + big_endian(static_cast<std::uint32_t>(payload.size()), 4) + payload + "\xCE";
}

const std::string start =
    method(10, std::string("\0\x09", 2) + big_endian(0, 4) + big_endian(5, 4) + "PLAIN" + big_endian(5, 4) + "en_US");
const std::string tune = method(30, big_endian(2047, 2) + big_endian(131'072, 4) + big_endian(60, 2));

// Answers the login with one text, and the opening of the virtual host with another.
std::function<std::string(std::string_view)> broker(const std::string& login, const std::string& opening) {
  return [login, opening](std::string_view sent) -> std::string {
    if (sent.starts_with("AMQP")) return start;
    return sent.find("PLAIN") != std::string_view::npos ? login : opening;
  };
}

}  // namespace

TEST_CASE_FIXTURE(ProtocolFixture, "a NATS server that answers our PING has taken the credential") {
  connector.played.greeting = info;
  connector.played.answer = [](std::string_view) { return std::string("PING\r\nPONG\r\n"); };
  for (const std::size_t cut : {1u, 7u, 1000u}) {
    connector.played.cut = cut;
    check(tested("nats", nats), true, true, true, std::nullopt);
  }
  CHECK(connector.requests.back().host == "n1.example.com");
  CHECK(connector.requests.back().port == 4333);
  CHECK_FALSE(connector.requests.back().tls);
  CHECK(connector.sent == R"(CONNECT {"verbose":false,"pedantic":false,"lang":"openindex","version":"1","protocol":1,)"
                          "\"user\":\"mia\",\"pass\":\"MARKER-1\"}\r\nPING\r\n");
  const ProviderConfig token{{"endpoint", "[::1]:4222"},
                             {"connectionType", "Default"},
                             {"authenticationType", "Without Credentials"},
                             {"protocol", "TOKEN_BASED_AUTHENTICATION"},
                             {"tls", "NONE"},
                             {"api_key", "MARKER-3"}};
  const auto made = providers.create(host, {.name = "token", .type = "nats", .config = token}).value();
  CHECK(providers.test(host, made.id)->ok());
  CHECK(connector.requests.back().host == "::1");
  CHECK(connector.sent.find(R"("auth_token":"MARKER-3")") != std::string::npos);
}

TEST_CASE_FIXTURE(ProtocolFixture, "a NATS server that wants a credential and takes none at all has proved nothing") {
  connector.played.greeting = info;
  connector.played.answer = [](std::string_view) { return std::string("PONG\r\n"); };
  const ProviderConfig bare{{"endpoint", "nats://n1.example.com"},
                            {"connectionType", "Default"},
                            {"authenticationType", "Without Credentials"},
                            {"protocol", "CLIENT"},
                            {"tls", "NONE"}};
  const auto test = tested("nats", bare);
  check(test, true, false, true, std::nullopt);
  CHECK(test.message.find("none was sent") != std::string::npos);
  CHECK(connector.sent.find("user") == std::string::npos);
}

TEST_CASE_FIXTURE(ProtocolFixture, "a NATS server's refusals are told apart") {
  connector.played.greeting = info;
  connector.played.answer = [](std::string_view) { return std::string("-ERR 'Authorization Violation'\r\n"); };
  check(tested("nats", nats), true, false, true, errc::provider_unauthorized);
  connector.played.answer = [](std::string_view) { return std::string("-ERR 'maximum connections exceeded'\r\n"); };
  check(tested("nats", nats), true, false, true, errc::provider_overloaded);
  connector.played.answer = [](std::string_view) { return std::string("-ERR 'Unknown Protocol Operation'\r\n"); };
  check(tested("nats", nats), true, false, false, errc::provider_rejected_request);
  connector.played.answer = [](std::string_view) { return std::string(); };
  check(tested("nats", nats), true, false, false, errc::provider_malformed_reply);
  connector.played.hangs = true;
  check(tested("nats", nats), true, false, true, errc::http_timeout);
  connector.played.hangs = false;
  for (const char* greeting : {"", "HTTP/1.1 400 Bad Request\r\n", "INFO nonsense\r\n", "INFO []\r\n"}) {
    connector.played.greeting = greeting;
    check(tested("nats", nats), true, false, false, errc::provider_malformed_reply);
  }
  connector.played.greeting = std::string(1'000'000, 'x');
  connector.played.cut = 16'384;
  check(tested("nats", nats), true, false, false, errc::provider_malformed_reply);
  connector.refuses = errc::http_refused_by_policy;
  check(tested("nats", nats), false, false, true, errc::http_refused_by_policy);
}

TEST_CASE_FIXTURE(ProtocolFixture, "an AMQP broker that opens the virtual host has taken everything") {
  connector.played.answer = broker(tune, method(41, std::string(1, '\0')));
  for (const std::size_t cut : {1u, 7u, 1000u}) {
    connector.played.cut = cut;
    check(tested("amqp", amqp), true, true, true, std::nullopt);
  }
  CHECK(connector.requests.back().host == "mq.example.com");
  CHECK(connector.requests.back().port == 5673);
  CHECK_FALSE(connector.requests.back().tls);
  CHECK(connector.sent.starts_with(std::string("AMQP\0\0\x09\x01", 8)));
  CHECK(connector.sent.find(std::string("\0mia\0MARKER-2", 13)) != std::string::npos);
  CHECK(connector.sent.find("\x05/team") != std::string::npos);
  // It is spoken to in the sizes that it likes, and with a password of any length.
  CHECK(connector.sent.find(big_endian(2047, 2) + big_endian(131'072, 4) + big_endian(0, 2)) != std::string::npos);
  check(tested("amqp", with(amqp, "password", std::string(1000, 'x'))), true, true, true, std::nullopt);
  const auto secure = with(with(amqp, "protocol", "amqps"), "password", "MARKER-2");
  check(tested("amqp", secure), true, true, true, std::nullopt);
  CHECK(connector.requests.back().tls);
}

TEST_CASE_FIXTURE(ProtocolFixture, "an AMQP broker's refusals are told apart") {
  const std::string closed = method(50, big_endian(403, 2) + "\x04MARK" + big_endian(0, 4));
  connector.played.answer = broker(closed, {});
  check(tested("amqp", amqp), true, false, true, errc::provider_unauthorized);
  connector.played.answer = broker({}, {});  // it hangs up
  check(tested("amqp", amqp), true, false, true, errc::provider_unauthorized);
  connector.played.answer = broker(tune, method(50, big_endian(530, 2) + "\x04MARK" + big_endian(0, 4)));
  check(tested("amqp", amqp), true, true, false, errc::provider_rejected_request);
  connector.played.answer = broker(tune, {});
  check(tested("amqp", amqp), true, true, false, errc::provider_rejected_request);
  const std::string forced = method(50, big_endian(320, 2) + "\x04MARK" + big_endian(0, 4));
  connector.played.answer = broker(forced, {});
  check(tested("amqp", amqp), true, false, true, errc::provider_overloaded);
  connector.played.answer = broker(tune, forced);
  check(tested("amqp", amqp), true, false, true, errc::provider_overloaded);
  for (const std::string& said :
       {std::string("AMQP\0\1\0\0", 8), std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string(7, '\xff'),
        std::string("\x01\0\0\0\0\0\4\0\x0a\0\x0aX", 12), method(41), std::string()}) {
    connector.played.answer = [said](std::string_view sent) { return sent.starts_with("AMQP") ? said : ""; };
    check(tested("amqp", amqp), true, false, false, errc::provider_malformed_reply);
  }
  connector.played.hangs = true;
  check(tested("amqp", amqp), true, false, true, errc::http_timeout);
  connector.refuses = errc::http_tls;
  check(tested("amqp", with(amqp, "protocol", "amqps")), false, false, true, errc::http_tls);
}

TEST_CASE_FIXTURE(ProtocolFixture,
                  "where no login is tried, the connection is, and the answer says that it proved no more") {
  const struct {
    const char* type;
    ProviderConfig config;
    const char* host;
    std::uint16_t port;
    bool tls;
  } table[] = {
      {"azure_service_bus",
       {{"connectionType", "Connection String"},
        {"endpoint", "Endpoint=sb://team.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=MARKER"}},
       "team.servicebus.windows.net",
       5671,
       true},
      {"ibm_mq",
       {{"endpoint", "mq"},
        {"port", "1415"},
        {"queueManager", "Q"},
        {"channel", "C"},
        {"protocol", "Passwordless"},
        {"pubSubMethod", "Queue-based"},
        {"authenticationType", "NONE"},
        {"tls", "NONE"}},
       "mq",
       1415,
       false},
      {"relational_db",
       {{"jdbcDriver", "d"},
        {"user", "u"},
        {"password", "MARKER"},
        {"datasourceURL", "jdbc:sqlserver://sql.example.com;databaseName=d"}},
       "sql.example.com",
       1433,
       false},
  };
  for (const auto& row : table) {
    const std::string type = row.type;
    CAPTURE(type);
    const auto test = tested(row.type, row.config);
    check(test, true, false, true, std::nullopt);
    CHECK(test.message.find("not proved") != std::string::npos);
    CHECK_FALSE(test.ok());
    CHECK(connector.requests.back().host == row.host);
    CHECK(connector.requests.back().port == row.port);
    CHECK(connector.requests.back().tls == row.tls);
    CHECK(connector.sent.empty());
  }
  // A trust store of Java's cannot be read.
  const auto with_store = with(with(table[1].config, "tls", "usingCipherSuite"), "authenticationType", "JKS");
  const auto asked = connector.requests.size();
  const auto untried = tested(
      "ibm_mq", with(with(with(with_store, "file", "x"), "keyStorePassword", "MARKER"), "cipherSuite", "ANY_TLS12"));
  check(untried, false, false, true, std::nullopt);
  CHECK(connector.requests.size() == asked);
  connector.refuses = errc::http_timeout;
  check(tested(table[1].type, table[1].config), false, false, true, errc::http_timeout);
}

namespace {

const ProviderConfig postgres{{"jdbcDriver", "org.postgresql.Driver"},
                              {"user", "mia"},
                              {"password", "MARKER-4"},
                              {"datasourceURL", "jdbc:postgresql://db.example.com/shop"}};

std::string said(char type, const std::string& payload) {
  return type + big_endian(static_cast<std::uint32_t>(payload.size() + 4), 4) + payload;
}

const std::string ready = said('R', big_endian(0, 4)) + said('S', std::string("a\0b\0", 4)) + said('Z', "I");

std::string failure(const std::string& sqlstate) {
  return said(
      'E', "SFATAL" + std::string(1, '\0') + "C" + sqlstate + std::string(1, '\0') + "MMARKER" + std::string(2, '\0'));
}

}  // namespace

TEST_CASE_FIXTURE(ProtocolFixture, "a PostgreSQL server that is ready has taken the credential") {
  connector.played.answer = [](std::string_view) { return ready; };
  check(tested("relational_db", postgres), true, true, true, std::nullopt);
  CHECK(connector.requests.back().host == "db.example.com");
  CHECK(connector.requests.back().port == 5432);
  CHECK(connector.sent.find(std::string("user\0mia\0database\0shop\0", 23)) == 8);
  CHECK(connector.sent.find("MARKER") == std::string::npos);

  connector.played.answer = [](std::string_view sent) {
    return sent[0] == 'p' ? ready : said('R', big_endian(5, 4) + "salt");
  };
  check(tested("relational_db", postgres), true, true, true, std::nullopt);
  CHECK(connector.sent.find("md5") != std::string::npos);
  CHECK(connector.sent.find("MARKER") == std::string::npos);
}

TEST_CASE_FIXTURE(ProtocolFixture, "a vector database in PostgreSQL has the extension for vectors") {
  auto vectors = with(with(with(postgres, "dimensions", "3"), "distance_metric", "l2"), "indexing_method", "hnsw");
  vectors.erase("jdbcDriver");
  const auto with_rows = [](const std::string& rows) {
    return
        [rows](std::string_view sent) { return sent[0] == 'Q' ? rows + said('C', "SELECT") + said('Z', "I") : ready; };
  };
  connector.played.answer = with_rows(said('T', "columns") + said('D', "row"));
  check(tested("pgvectordb", vectors), true, true, true, std::nullopt);
  connector.played.answer = with_rows(said('T', "columns"));
  check(tested("pgvectordb", vectors), true, true, false, errc::provider_rejected_request);

  const auto failing = [](const std::string& sqlstate, const std::string& end) {
    return [sqlstate, end](std::string_view sent) {
      return sent[0] == 'Q' ? said('E', std::string("SERROR\0C", 8) + sqlstate + std::string("\0MMARKER\0\0", 10)) + end
                            : ready;
    };
  };
  connector.played.answer = failing("42501", said('Z', "I"));
  const auto forbidden = tested("pgvectordb", vectors);
  check(forbidden, true, true, true, std::nullopt);
  CHECK(forbidden.message.find("not proved") != std::string::npos);
  for (const std::string& end : {said('Z', "I"), std::string()}) {
    connector.played.answer = failing("57P01", end);
    check(tested("pgvectordb", vectors), true, true, true, errc::provider_overloaded);
  }
}

TEST_CASE_FIXTURE(ProtocolFixture, "a PostgreSQL server's refusals are told apart") {
  const struct {
    std::string answer;
    bool authenticated, configured;
    errc code;
  } table[] = {
      {failure("28P01"), false, true, errc::provider_unauthorized},
      {failure("28000"), false, true, errc::provider_unauthorized},
      {failure("3D000"), true, false, errc::provider_rejected_request},
      {failure("53300"), false, true, errc::provider_overloaded},
      {failure("57P03"), false, true, errc::provider_overloaded},
      {failure("XX000"), false, false, errc::provider_rejected_request},
      {said('E', ""), false, false, errc::provider_rejected_request},
      {said('E', "C"), false, false, errc::provider_rejected_request},
      {said('R', big_endian(7, 4)), false, false, errc::provider_malformed_reply},
      {said('R', big_endian(5, 4) + "s"), false, false, errc::provider_malformed_reply},
      {said('R', "x"), false, false, errc::provider_malformed_reply},
      {said('R', big_endian(10, 4) + std::string("PLAIN\0\0", 7)), false, false, errc::provider_malformed_reply},
      {"HTTP/1.1 400 Bad Request\r\n", false, false, errc::provider_malformed_reply},
      {std::string(5, '\xff'), false, false, errc::provider_malformed_reply},
      {std::string("R\0\0\0\3", 5), false, false, errc::provider_malformed_reply},
      {"", false, false, errc::provider_malformed_reply},
  };
  for (const auto& row : table) {
    connector.played.answer = [&](std::string_view) { return row.answer; };
    const std::string shown = row.answer;
    CAPTURE(shown);
    check(tested("relational_db", postgres), true, row.authenticated, row.configured, row.code);
  }
}

TEST_CASE_FIXTURE(ProtocolFixture, "a SCRAM that is no continuation, asks for too much, or proves nothing is refused") {
  for (const std::string& server_first :
       {std::string("r=other,s=c2FsdA==,i=4096"), std::string("r=NONCE,s=c2FsdA==,i=4096"),
        std::string("r=NONCEmore,s=,i=4096"), std::string("r=NONCEmore,s=c2FsdA==,i=0"),
        std::string("r=NONCEmore,s=c2FsdA==,i=2000000000"), std::string("r=NONCEmore,s=c2FsdA==,i=4096")}) {
    connector.played.answer = [&](std::string_view sent) -> std::string {
      if (sent[0] != 'p') return said('R', big_endian(10, 4) + std::string("SCRAM-SHA-256\0\0", 15));
      const auto nonce = sent.find("n=,r=");
      if (nonce == std::string_view::npos) return said('R', big_endian(12, 4) + "v=AAAA") + ready;  // no proof
      std::string text = server_first;
      if (const auto mark = text.find("NONCE"); mark != std::string::npos)
        text.replace(mark, 5, sent.substr(nonce + 5));
      return said('R', big_endian(11, 4) + text);
    };
    CAPTURE(server_first);
    check(tested("relational_db", postgres), true, false, false, errc::provider_malformed_reply);
    CHECK(connector.sent.find("MARKER") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(ProtocolFixture,
                  "a PostgreSQL server that proves nothing is not believed, and one that asks nothing is told") {
  const auto begun = said('R', big_endian(10, 4) + std::string("SCRAM-SHA-256\0\0", 15));
  connector.played.answer = [&](std::string_view sent) { return sent[0] == 'p' ? ready : begun; };
  check(tested("relational_db", postgres), true, false, false, errc::provider_malformed_reply);
  connector.played.answer = [](std::string_view) { return said('Z', "I"); };
  check(tested("relational_db", postgres), true, false, false, errc::provider_malformed_reply);
  connector.played.answer = [](std::string_view) { return ready; };
  CHECK(tested("relational_db", postgres).message == "The server answers, and asks nobody for a credential.");
}

TEST_CASE_FIXTURE(ProtocolFixture, "the server of a database's URL is found in the forms that drivers have") {
  const struct {
    const char* url;
    const char* host;
    std::uint16_t port;
  } table[] = {{"jdbc:oracle:thin:@db:1521:orcl", "db", 1521},
               {"jdbc:oracle:thin:@//db:1522/service", "db", 1522},
               {"jdbc:oracle:thin:@tcps://db:2484/s", "db", 2484},
               {"jdbc:oracle:thin:@db", "db", 1521},
               {"jdbc:mysql://a,b/d", "a", 3306},
               {"jdbc:sqlserver://h\\inst:1433", "h", 1433}};
  for (const auto& row : table) {
    const std::string url = row.url;
    CAPTURE(url);
    const ProviderConfig config{{"jdbcDriver", "d"}, {"user", "u"}, {"password", "p"}, {"datasourceURL", row.url}};
    check(tested("relational_db", config), true, false, true, std::nullopt);
    CHECK(connector.requests.back().host == row.host);
    CHECK(connector.requests.back().port == row.port);
  }
  connector.requests.clear();
  for (const char* url : {"jdbc:oracle:thin:@(DESCRIPTION=(HOST=db))", "jdbc:clickhouse://h/d"}) {
    const ProviderConfig config{{"jdbcDriver", "d"}, {"user", "u"}, {"password", "p"}, {"datasourceURL", url}};
    const auto test = tested("relational_db", config);
    check(test, false, false, true, std::nullopt);
    CHECK(test.message.find("Not tried") == 0);
  }
  CHECK(connector.requests.empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "without a connector a broker is not tried out, and the answer says so") {
  const auto made = registry.create(host, {.name = "mq", .type = "amqp", .config = amqp}).value();
  const auto test = registry.test(host, made.id).value();
  check(test, false, false, true, std::nullopt);
  CHECK(test.message.find("connector") != std::string::npos);
}
