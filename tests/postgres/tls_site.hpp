// A PostgreSQL server that speaks TLS with a certificate of its own.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/certificate.hpp"
#include "postgres/postgres_fixture.hpp"

namespace openindex {

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
  explicit TlsSite(const char* name, const std::vector<std::string>& more = {}) {
    const test::Key key(EVP_EC_gen("P-256"));
    const test::Key other_key(EVP_EC_gen("P-256"));
    test::write_key(path("server.key"), key.get());
    keep_for_server(path("server.key"));
    test::write_certificate(path("server.pem"), test::make_certificate(key.get(), name).get());
    test::write_certificate(path("other.pem"), test::make_certificate(other_key.get(), name).get());
    std::vector<std::string> settings = {"listen_addresses=127.0.0.1", "port=" + port.number(), "ssl=on",
                                         "ssl_cert_file=" + path("server.pem"), "ssl_key_file=" + path("server.key")};
    settings.insert(settings.end(), more.begin(), more.end());
    server.emplace(std::move(settings));
  }

  [[nodiscard]] std::string path(const char* file) const { return (folder.path() / file).string(); }

  ServerFolder folder;
  ReservedPort port;
  std::optional<PostgresServer> server;
};

}  // namespace openindex
