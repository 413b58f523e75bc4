// A loopback server under TLS with a certificate of its own, which answers whatever it is sent with "sealed" as HTTP.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "http/certificate.hpp"
#include "http/raw_server.hpp"

namespace openindex::test {

class TlsServer {
 public:
  explicit TlsServer(const char* subject_alternative_name)
      : key_(EVP_EC_gen("P-256")),
        certificate_(make_certificate(key_.get(), subject_alternative_name)),
        context_(SSL_CTX_new(TLS_server_method())),
        server_([this](int fd) { talk(fd); }) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  }

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()) + "/"; }

  /// Write the certificate to a file of its own.
  [[nodiscard]] std::string save() const {
    std::string path = (std::filesystem::temp_directory_path() / "openindex-ca-XXXXXX").string();
    ::close(::mkstemp(path.data()));
    write_certificate(path, certificate_.get());
    return path;
  }

 private:
  void talk(int fd) {
    const std::unique_ptr<SSL, Freed<SSL_free>> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), fd);
    char request[4096];
    if (SSL_accept(tls.get()) != 1 || SSL_read(tls.get(), request, sizeof request) <= 0) return;
    const std::string answer = ok("sealed");
    SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(tls.get());
  }

  Key key_;
  Certificate certificate_;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
  RawServer server_;
};

}  // namespace openindex::test
