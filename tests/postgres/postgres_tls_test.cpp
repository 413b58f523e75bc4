// TLS as libpq does it: a server whose certificate is trusted, and ones whose is not.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "postgres/tls_site.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

// Connect with a certificate as the only trusted one. An error must come at once.
Result<std::unique_ptr<PostgresStorage>> open(const TlsSite& site, const char* trusted) {
  PostgresOptions options;
  options.conninfo =
      "host=localhost hostaddr=127.0.0.1 port=" + site.port.number() +
      " user=openindex dbname=postgres password=sesame sslmode=verify-full sslrootcert=" + site.path(trusted);
  options.connection_wait = std::chrono::hours(1);
  return PostgresStorage::open(options);
}

void check_refused(const TlsSite& site, const char* trusted, const char* reason) {
  const auto refused = open(site, trusted);
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::storage_failed);
  CHECK(refused.error().context("postgres").find(reason) != std::string::npos);
  CHECK(refused.error().describe().find("sesame") == std::string::npos);
}

}  // namespace

TEST_CASE("a PostgreSQL server is spoken to under TLS when its certificate is trusted, and refused when it is not") {
  if (shared_server() == nullptr) return;
  const TlsSite site("DNS:localhost");
  {
    const auto storage = open(site, "server.pem");
    REQUIRE_MESSAGE(storage.has_value(), (storage ? std::string() : storage.error().describe()));
    CHECK(commit_one(**storage, test_put("a")).has_value());
    PlainPostgres psql(site.server->conninfo());
    CHECK(psql.column("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                      "WHERE application_name = 'openindex'") == std::vector<std::string>{"t"});
  }
  check_refused(site, "other.pem", "certificate verify failed");
  check_refused(site, "missing.pem", "does not exist");
}

TEST_CASE("a PostgreSQL server with a trusted certificate for another name is refused") {
  if (shared_server() == nullptr) return;
  const TlsSite site("DNS:elsewhere.example");
  check_refused(site, "server.pem", "does not match host name");
}
