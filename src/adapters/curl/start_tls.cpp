#include "adapters/curl/start_tls.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace openindex::curl_http {
namespace {

constexpr std::size_t piece_bytes = 16'384;  // what one record of TLS holds
constexpr std::size_t roots_bytes_max = 16u * 1024 * 1024;

struct FreeTls {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* tls) const noexcept { SSL_free(tls); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
template <class T>
using Tls = std::unique_ptr<T, FreeTls>;

// A certificate under a passphrase would have it asked for on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// All certificates of a PEM text; false: there is none, or one of them is broken.
bool trust_pem(SSL_CTX* context, std::string_view pem) {
  if (pem.size() > roots_bytes_max) return false;
  const Tls<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return false;
  bool any = false;
  for (;;) {
    const Tls<X509> root(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
    if (!root) break;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get()) != 1) return false;
    any = true;
  }
  return any && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;  // that is how the text ends
}

// What libcurl was built to trust. OpenSSL's own way to its defaults reads the environment, which the HTTP client does
// not do either.
bool trust_defaults(SSL_CTX* context) {
  const auto* curl = curl_version_info(CURLVERSION_NOW);
  const char* file = curl->cainfo;
  const char* folder = curl->capath;
  if (file == nullptr && folder == nullptr) {
    file = X509_get_default_cert_file();
    folder = X509_get_default_cert_dir();
  }
  const bool has_file = file != nullptr && SSL_CTX_load_verify_file(context, file) == 1;
  const bool has_folder = folder != nullptr && SSL_CTX_load_verify_dir(context, folder) == 1;
  return has_file || has_folder;
}

bool trust(SSL_CTX* context, const std::string& pem, const std::string& ca_file) {
  if (!pem.empty()) return trust_pem(context, pem);
  return ca_file.empty() ? trust_defaults(context) : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
}

// The texts are ours or OpenSSL's: none is the server's.
std::string_view certificate_problem(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the server's certificate, or one above it, has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the server's certificate, or one above it, is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "the server's certificate is self-signed, and not among the trusted roots";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the server's certificate is signed by nobody who is trusted";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the server's certificate is for another host";
    default:
      return X509_verify_cert_error_string(result);
  }
}

std::string_view protocol_problem(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      return "the server answers with something that is not TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "the server speaks no version of TLS from 1.2 on";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the server wants a certificate of the client";
    default:
      break;
  }
  const char* text = ERR_reason_error_string(error);
  return text != nullptr ? text : "the TLS session failed";
}

class TlsConnection final : public Connection {
 public:
  TlsConnection(std::unique_ptr<Connection> below, std::string host, std::uint16_t port)
      : below_(std::move(below)), host_(std::move(host)), port_(port) {}

  // A server that is told does not take the end for an attack. One that does not listen any more is not waited for.
  ~TlsConnection() override {
    if (!usable_) return;
    SSL_shutdown(tls_.get());
    static_cast<void>(flush().has_value());
    ERR_clear_error();
  }

  Result<void> open(const std::string& ca_pem, const std::string& ca_file) {
    ERR_clear_error();
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) != 1) return unusable();
    if (!trust(context_.get(), ca_pem, ca_file)) {
      ERR_clear_error();
      return error(errc::http_tls).with("reason", "the trusted roots cannot be read");
    }
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // A root that is itself signed by another counts, as it does for libcurl.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
    tls_.reset(SSL_new(context_.get()));
    if (!tls_ || !set_host() || !set_buffers()) return unusable();
    const auto shaken = drive([&] { return SSL_connect(tls_.get()); });
    if (!shaken) return shaken.error();
    if (*shaken == 0) return fail(error(errc::http_interrupted));  // it said goodbye instead of finishing
    usable_ = true;
    return {};
  }

  Result<void> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto piece = static_cast<int>(std::min(bytes.size(), piece_bytes));
      const auto sent = drive([&] { return SSL_write(tls_.get(), bytes.data(), piece); });
      if (!sent) return sent.error();
      if (*sent == 0) return fail(error(errc::http_interrupted));
      bytes.remove_prefix(static_cast<std::size_t>(*sent));
    }
    return {};
  }

  Result<std::string> read(std::size_t bytes_max) override {
    std::string bytes(std::min(bytes_max, piece_bytes), '\0');
    if (bytes.empty()) return bytes;
    const auto got = drive([&] { return SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size())); });
    if (!got) return got.error();
    bytes.resize(static_cast<std::size_t>(*got));
    return bytes;
  }

 private:
  bool set_host() {
    std::string name = host_;
    if (name.ends_with('.')) name.pop_back();  // no certificate has it, and no server expects it
    auto* const wanted = SSL_get0_param(tls_.get());
    if (is_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return !name.empty() && X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(tls_.get(), name.c_str()) == 1;
  }

  bool set_buffers() {
    Tls<BIO> received(BIO_new(BIO_s_mem())), to_send(BIO_new(BIO_s_mem()));
    if (!received || !to_send) return false;
    received_ = received.release();
    to_send_ = to_send.release();
    SSL_set_bio(tls_.get(), received_, to_send_);  // they are the session's now
    return true;
  }

  // Take a step of the session, and carry its bytes to and fro until it is done. 0: the server has said goodbye.
  template <class Step>
  Result<int> drive(Step step) {
    for (;;) {
      ERR_clear_error();
      const int done = step();
      const int outcome = done > 0 ? SSL_ERROR_NONE : SSL_get_error(tls_.get(), done);
      std::optional<Error> failure;
      if (outcome != SSL_ERROR_NONE && outcome != SSL_ERROR_WANT_READ && outcome != SSL_ERROR_ZERO_RETURN) {
        failure = session_failure();
      }
      const auto flushed = flush();
      if (failure) return fail(*failure);  // whether or not the server could be told
      if (outcome == SSL_ERROR_ZERO_RETURN) return 0;
      if (!flushed) return fail(flushed.error());
      if (outcome == SSL_ERROR_NONE) return done;
      if (auto fed = feed(); !fed) return fail(fed.error());
    }
  }

  Error session_failure() {
    const unsigned long why = ERR_peek_error();
    const long verified = SSL_get_verify_result(tls_.get());
    const auto reason = verified != X509_V_OK ? certificate_problem(verified) : protocol_problem(why);
    ERR_clear_error();
    return error(errc::http_tls).with("reason", reason);
  }

  Result<void> flush() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(to_send_, &bytes);
    if (size <= 0) return {};
    auto written = below_->write(std::string_view(bytes, static_cast<std::size_t>(size)));
    static_cast<void>(BIO_reset(to_send_));
    return written;
  }

  Result<void> feed() {
    const auto more = below_->read(piece_bytes);
    if (!more) return more.error();
    if (more->empty()) return error(errc::http_interrupted);  // without a goodbye: somebody may have cut it off
    const auto size = static_cast<int>(more->size());
    if (BIO_write(received_, more->data(), size) != size) return error(errc::http_interrupted);
    return {};
  }

  Error fail(Error why) {
    usable_ = false;
    return why;
  }

  Error unusable() {
    ERR_clear_error();
    return error(errc::http_tls).with("reason", "OpenSSL cannot be used");
  }

  Error error(errc code) const { return Error(code).with("host", host_).with("port", std::to_string(port_)); }

  std::unique_ptr<Connection> below_;
  const std::string host_;
  const std::uint16_t port_;
  bool usable_ = false;
  Tls<SSL_CTX> context_;
  Tls<SSL> tls_;
  BIO* received_ = nullptr;  // of tls_
  BIO* to_send_ = nullptr;   // of tls_
};

}  // namespace

Result<std::unique_ptr<Connection>> start_tls(std::unique_ptr<Connection> connection, const ConnectRequest& request,
                                              const std::string& ca_file) {
  auto tls = std::make_unique<TlsConnection>(std::move(connection), request.host, request.port);
  if (auto opened = tls->open(request.ca_pem, ca_file); !opened) return opened.error();
  return std::unique_ptr<Connection>(std::move(tls));
}

}  // namespace openindex::curl_http
