// The test of a provider that is a PostgreSQL database, against a real one: with TLS, and without.
#include <fstream>
#include <string>

#include <openindex/adapters/curl_connector.hpp>
#include <openindex/adapters/memory_storage.hpp>
#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/provider_registry.hpp>

#include "postgres/tls_site.hpp"

using namespace openindex;

namespace {

/// A server that lets mia in with a password over TCP, `mode` being `hostssl` or `host`.
struct LoginSite {
  LoginSite(const char* certificate_name, const std::string& mode, const std::string& more = "ssl=on")
      : site(certificate_name, {"hba_file=" + rules(mode), more}) {
    PlainPostgres psql(site.server->conninfo());
    psql.execute("CREATE ROLE mia LOGIN PASSWORD 'sesame'");
  }

  /// What a registry says that trusts one certificate.
  ProviderTest tested(const std::string& password, const std::string& parameters, const char* trusted = "server.pem") {
    const CurlOptions options{.egress = Egress::public_and_loopback(), .ca_file = site.path(trusted)};
    MemoryStorage storage;
    SealedSecretStore secrets{HostKey::ephemeral()};
    CurlHttpClient http(options);
    CurlConnector connector(options);
    ProviderRegistry registry{{.storage = storage, .secrets = secrets, .http = http, .connector = &connector}};
    const ProviderConfig config{
        {"jdbcDriver", "org.postgresql.Driver"},
        {"user", "mia"},
        {"password", password},
        {"datasourceURL", "jdbc:postgresql://localhost:" + site.port.number() + "/postgres" + parameters}};
    const Actor host = Actor::system("host");
    const auto made = registry.create(host, {.name = "db", .type = "relational_db", .config = config}).value();
    return registry.test(host, made.id).value();
  }

  void check_refused(const ProviderTest& test, errc code) {
    CAPTURE(test.message);
    CHECK(test.reachable);
    CHECK_FALSE(test.authenticated);
    CHECK(test.code == code);
  }

  std::string rules(const std::string& mode) {
    const auto path = (folder.path() / "hba.conf").string();
    std::ofstream(path) << "local all all trust\n" << mode << " all all 127.0.0.1/32 scram-sha-256\n";
    keep_for_server(path);
    return path;
  }

  ServerFolder folder;
  TlsSite site;
};

}  // namespace

TEST_CASE("a PostgreSQL provider is tried out against a real server under TLS") {
  if (shared_server() == nullptr) return;
  LoginSite db("DNS:localhost", "hostssl");
  for (const std::string parameters : {"?sslmode=require", "?sslmode=verify-full", "?ssl=true", "?sslmode=prefer"}) {
    CAPTURE(parameters);
    const auto accepted = db.tested("sesame", parameters);
    CAPTURE(accepted.message);
    CHECK(accepted.ok());
  }
  db.check_refused(db.tested("another", "?sslmode=require"), errc::provider_unauthorized);
  db.check_refused(db.tested("sesame", "?sslmode=disable"), errc::provider_unauthorized);  // not in clear, it says
  db.check_refused(db.tested("sesame", "?sslmode=require", "other.pem"), errc::http_tls);
}

TEST_CASE("a PostgreSQL provider whose certificate is for another host is refused, whatever sslmode asks for") {
  if (shared_server() == nullptr) return;
  LoginSite db("DNS:elsewhere.example", "host");
  for (const std::string parameters : {"?sslmode=require", "?sslmode=verify-ca", "?sslmode=prefer"}) {
    CAPTURE(parameters);
    db.check_refused(db.tested("sesame", parameters), errc::http_tls);
  }
  CHECK(db.tested("sesame", "").ok());  // without TLS
}

TEST_CASE("a PostgreSQL server without TLS is told apart from one that refuses a credential") {
  if (shared_server() == nullptr) return;
  LoginSite db("DNS:localhost", "host", {"ssl=off"});
  db.check_refused(db.tested("sesame", "?sslmode=require"), errc::http_tls);
  CHECK(db.tested("sesame", "?sslmode=prefer").ok());
}
