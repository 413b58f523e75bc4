// A loopback server under TLS with a certificate of its own, which signs itself. It answers whatever it is sent with
// "sealed" as HTTP, and says goodbye.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <openssl/ssl.h>

#include "http/certificate.hpp"
#include "http/raw_server.hpp"

namespace openindex::test {

struct TlsBehaviour {
  const char* name = "IP:127.0.0.1";       ///< Null: the certificate has the common name only.
  long ends_in = 1800;                     ///< The certificate, in seconds.
  int version_max = 0;                     ///< Of TLS; 0: the newest.
  bool says_goodbye = true;                ///< At the end, or else it hangs up.
  std::function<void(int)> before = {};    ///< What is said before TLS begins.
  std::function<void(SSL*)> instead = {};  ///< Of the answer.
  const char* common_name = "openindex test";
};

class TlsServer {
 public:
  explicit TlsServer(const char* subject_alternative_name) : TlsServer(TlsBehaviour{subject_alternative_name}) {}

  explicit TlsServer(TlsBehaviour behaviour)
      : behaviour_(std::move(behaviour)),
        key_(EVP_EC_gen("P-256")),
        certificate_(make_certificate(key_.get(), behaviour_.name, behaviour_.ends_in, behaviour_.common_name)),
        context_(SSL_CTX_new(TLS_server_method())),
        server_([this](int fd) { talk(fd); }) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    SSL_CTX_set_max_proto_version(context_.get(), behaviour_.version_max);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);  // else the old versions cannot be spoken at all
  }

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()) + "/"; }

  [[nodiscard]] std::string pem() const {
    const std::unique_ptr<BIO, Freed<BIO_free>> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate_.get());
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }

  /// Write the certificate to a file of its own.
  [[nodiscard]] std::string save() const {
    std::string path = (std::filesystem::temp_directory_path() / "openindex-ca-XXXXXX").string();
    ::close(::mkstemp(path.data()));
    write_certificate(path, certificate_.get());
    return path;
  }

 private:
  void talk(int fd) {
    if (behaviour_.before) behaviour_.before(fd);
    const std::unique_ptr<SSL, Freed<SSL_free>> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), fd);
    char request[4096];
    if (SSL_accept(tls.get()) != 1) return;
    if (behaviour_.instead) return behaviour_.instead(tls.get());
    if (SSL_read(tls.get(), request, sizeof request) <= 0) return;
    const std::string answer = ok("sealed");
    SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    if (behaviour_.says_goodbye) SSL_shutdown(tls.get());
  }

  const TlsBehaviour behaviour_;
  Key key_;
  Certificate certificate_;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
  RawServer server_;
};

}  // namespace openindex::test
