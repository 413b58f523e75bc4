#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include <openssl/ssl.h>

#include <openindex/adapters/curl_http_client.hpp>

#include "http/certificate.hpp"
#include "http/raw_server.hpp"

using namespace openindex;

namespace {

class TlsServer {
 public:
  explicit TlsServer(const char* subject_alternative_name)
      : key_(EVP_EC_gen("P-256")),
        certificate_(test::make_certificate(key_.get(), subject_alternative_name)),
        context_(SSL_CTX_new(TLS_server_method())),
        server_([this](int fd) { talk(fd); }) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  }

  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()) + "/"; }

  /// Write the certificate to a file of its own.
  [[nodiscard]] std::string save() const {
    std::string path = (std::filesystem::temp_directory_path() / "openindex-ca-XXXXXX").string();
    ::close(::mkstemp(path.data()));
    test::write_certificate(path, certificate_.get());
    return path;
  }

 private:
  void talk(int fd) {
    const std::unique_ptr<SSL, test::Freed<SSL_free>> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), fd);
    char request[4096];
    if (SSL_accept(tls.get()) != 1 || SSL_read(tls.get(), request, sizeof request) <= 0) return;
    const std::string answer = test::ok("sealed");
    SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(tls.get());
  }

  test::Key key_;
  test::Certificate certificate_;
  std::unique_ptr<SSL_CTX, test::Freed<SSL_CTX_free>> context_;
  test::RawServer server_;
};

Result<HttpResponse> get(const TlsServer& server, const std::string& ca_file) {
  CurlHttpClient client({.egress = Egress::public_and_loopback(), .ca_file = ca_file});
  HttpRequest request;
  request.url = server.url();
  return send_and_wait(client, request);
}

}  // namespace

TEST_CASE("a server whose certificate nobody trusts is refused") {
  const TlsServer server("IP:127.0.0.1");
  const auto answer = get(server, "");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}

TEST_CASE("a server whose certificate the host trusts is spoken to") {
  const TlsServer server("IP:127.0.0.1");
  const std::string file = server.save();
  const auto answer = get(server, file);
  std::filesystem::remove(file);
  REQUIRE(answer);
  CHECK(answer->body == "sealed");
}

TEST_CASE("a trusted certificate for another name is refused") {
  const TlsServer server("DNS:elsewhere.example");
  const std::string file = server.save();
  const auto answer = get(server, file);
  std::filesystem::remove(file);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}

TEST_CASE("trusted roots that cannot be read are a TLS error") {
  const TlsServer server("IP:127.0.0.1");
  const auto answer = get(server, "/nonexistent/ca.pem");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}
