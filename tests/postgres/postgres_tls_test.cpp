// TLS as libpq does it: a server whose certificate is trusted, and ones whose is not.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/certificate.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

/// A port that nobody else is given while this lives; a server may still listen on it.
class ReservedPort {
 public:
  ReservedPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(socket_, generic, size) == 0);
    REQUIRE(getsockname(socket_, generic, &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  ~ReservedPort() { close(socket_); }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  [[nodiscard]] std::string number() const { return std::to_string(number_); }

 private:
  int socket_;
  int number_ = 0;
};

/// A server with a certificate for one name, and another certificate that has nothing to do with it.
struct TlsSite {
  explicit TlsSite(const char* name) {
    const test::Key key(EVP_EC_gen("P-256"));
    const test::Key other_key(EVP_EC_gen("P-256"));
    test::write_key(path("server.key"), key.get());
    keep_for_server(path("server.key"));
    test::write_certificate(path("server.pem"), test::make_certificate(key.get(), name).get());
    test::write_certificate(path("other.pem"), test::make_certificate(other_key.get(), name).get());
    server.emplace(std::vector<std::string>{"listen_addresses=127.0.0.1", "port=" + port.number(), "ssl=on",
                                            "ssl_cert_file=" + path("server.pem"),
                                            "ssl_key_file=" + path("server.key")});
  }

  [[nodiscard]] std::string path(const char* file) const { return (folder.path() / file).string(); }

  /// Connect with a certificate as the only trusted one. An error must come at once.
  Result<std::unique_ptr<PostgresStorage>> open(const char* trusted) const {
    PostgresOptions options;
    options.conninfo =
        "host=localhost hostaddr=127.0.0.1 port=" + port.number() +
        " user=openindex dbname=postgres password=sesame sslmode=verify-full sslrootcert=" + path(trusted);
    options.connection_wait = std::chrono::hours(1);
    return PostgresStorage::open(options);
  }

  void check_refused(const char* trusted, const char* reason) const {
    const auto refused = open(trusted);
    REQUIRE(!refused);
    CHECK(refused.error().code() == errc::storage_failed);
    CHECK(refused.error().context("postgres").find(reason) != std::string::npos);
    CHECK(refused.error().describe().find("sesame") == std::string::npos);
  }

  ServerFolder folder;
  ReservedPort port;
  std::optional<PostgresServer> server;
};

}  // namespace

TEST_CASE("a PostgreSQL server is spoken to under TLS when its certificate is trusted, and refused when it is not") {
  if (shared_server() == nullptr) return;
  const TlsSite site("DNS:localhost");
  {
    const auto storage = site.open("server.pem");
    REQUIRE_MESSAGE(storage.has_value(), (storage ? std::string() : storage.error().describe()));
    CHECK(commit_one(**storage, test_put("a")).has_value());
    PlainPostgres psql(site.server->conninfo());
    CHECK(psql.column("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                      "WHERE application_name = 'openindex'") == std::vector<std::string>{"t"});
  }
  site.check_refused("other.pem", "certificate verify failed");
  site.check_refused("missing.pem", "does not exist");
}

TEST_CASE("a PostgreSQL server with a trusted certificate for another name is refused") {
  if (shared_server() == nullptr) return;
  const TlsSite site("DNS:elsewhere.example");
  site.check_refused("server.pem", "does not match host name");
}
