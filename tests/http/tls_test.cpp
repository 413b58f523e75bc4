#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <openindex/adapters/curl_http_client.hpp>

#include "http/raw_server.hpp"

using namespace openindex;

namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

// A certificate that signs itself, for one name and the hour around now.
Certificate make_certificate(EVP_PKEY* key, const char* subject_alternative_name) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -1800);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 1800);
  X509_set_pubkey(made.get(), key);
  auto* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("openindex test"), -1, -1,
                             0);
  X509_set_issuer_name(made.get(), name);
  for (const auto& [id, value] :
       {std::pair{NID_subject_alt_name, subject_alternative_name}, {NID_basic_constraints, "CA:TRUE"}}) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(made.get(), key, EVP_sha256());
  return made;
}

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

  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()) + "/"; }

  /// Write the certificate to a file of its own.
  [[nodiscard]] std::string save() const {
    std::string path = (std::filesystem::temp_directory_path() / "openindex-ca-XXXXXX").string();
    auto* file = ::fdopen(::mkstemp(path.data()), "w");
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
    return path;
  }

 private:
  void talk(int fd) {
    const std::unique_ptr<SSL, Freed<SSL_free>> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), fd);
    char request[4096];
    if (SSL_accept(tls.get()) != 1 || SSL_read(tls.get(), request, sizeof request) <= 0) return;
    const std::string answer = test::ok("sealed");
    SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(tls.get());
  }

  Key key_;
  Certificate certificate_;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
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
