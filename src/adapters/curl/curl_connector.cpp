#include <openindex/adapters/curl_connector.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "adapters/curl/easy.hpp"
#include "adapters/curl/egress.hpp"
#include "adapters/curl/start_tls.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using Clock = std::chrono::steady_clock;

struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};

// A write of TLS to a connection that is gone raises it, on the host's own thread.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    constexpr timespec at_once{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:").find(c) != std::string_view::npos;
  });
}

// As a URL has it, and `Egress::trusted_hosts`.
std::string in_url(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

class CurlConnection final : public Connection {
 public:
  CurlConnection(const ConnectRequest& request, const CurlOptions& options)
      : request_(request),
        options_(options),
        in_clear_(!request.tls && !request.tls_later),
        trusted_host_(curl_http::trusts(options.egress, in_url(request.host))),
        deadline_(Clock::now() + request.timeout) {}

  Result<void> open() {
    const WithoutSigpipe quiet;
    easy_.reset(curl_http::curl_ready() ? curl_easy_init() : nullptr);
    if (!easy_) return error(errc::http_unreachable).with("reason", "libcurl cannot be used");
    if (in_clear_ && !curl_http::allows_plain_http(options_.egress, trusted_host_)) {
      return error(errc::http_refused_by_policy).with("reason", "connections without TLS are not allowed");
    }
    set_up();
    CURLcode code = curl_easy_perform(easy_.get());
    if (code == CURLE_OK) code = curl_easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &socket_);
    if (code == CURLE_OK && socket_ != CURL_SOCKET_BAD) return {};
    if (!refused_address_.empty()) {
      return error(errc::http_refused_by_policy)
          .with("address", refused_address_)
          .with("reason", "the egress policy does not allow this address");
    }
    return error(curl_http::is_tls_failure(code) ? errc::http_tls : errc::http_unreachable)
        .with("reason", detail_[0] != '\0' ? detail_.data() : curl_easy_strerror(code));
  }

  Result<void> write(std::string_view bytes) override {
    const WithoutSigpipe quiet;
    while (!bytes.empty()) {
      if (is_late()) return error(errc::http_timeout);
      std::size_t sent = 0;
      const CURLcode code = curl_easy_send(easy_.get(), bytes.data(), bytes.size(), &sent);
      bytes.remove_prefix(sent);
      if (code != CURLE_OK && code != CURLE_AGAIN) return error(errc::http_interrupted);
      if (code == CURLE_AGAIN) {
        if (auto ready = wait(POLLOUT); !ready) return ready;
      }
    }
    return {};
  }

  Result<std::string> read(std::size_t bytes_max) override {
    const WithoutSigpipe quiet;
    std::string bytes(std::min<std::size_t>(bytes_max, 65'536), '\0');
    for (;;) {
      if (is_late()) return error(errc::http_timeout);  // a server that keeps sending is never waited for
      std::size_t read = 0;
      const CURLcode code = curl_easy_recv(easy_.get(), bytes.data(), bytes.size(), &read);
      if (code == CURLE_OK) {
        bytes.resize(read);
        return bytes;
      }
      if (code != CURLE_AGAIN) return error(errc::http_interrupted);
      if (auto ready = wait(POLLIN); !ready) return ready.error();
    }
  }

 private:
  bool is_late() const { return Clock::now() >= deadline_; }

  void set_up() {
    CURL* const easy = easy_.get();
    const std::string url =
        fmt::format("{}://{}:{}/", request_.tls ? "https" : "http", in_url(request_.host), request_.port);
    curl_http::set_trust(easy, options_, !request_.tls);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);  // it is no HTTP that is spoken there
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, curl_http::to_curl_ms(request_.timeout));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, curl_http::to_curl_ms(request_.timeout));
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail_.data());
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlConnection::open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
    if (request_.ca_pem.empty()) return;
    curl_blob roots{const_cast<char*>(request_.ca_pem.data()), request_.ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &roots);
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }

  // Every address passes the policy when it is about to be connected to.
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept {
    auto& connection = *static_cast<CurlConnection*>(self);
    const auto place = curl_http::place_of(address->addr);
    if (purpose != CURLSOCKTYPE_IPCXN ||
        !curl_http::allows(connection.options_.egress, connection.trusted_host_, place, connection.in_clear_)) {
      connection.refused_address_ = curl_http::to_text(address->addr);
      if (connection.refused_address_.empty()) connection.refused_address_ = "not an IP address";
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  Result<void> wait(short events) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    pollfd ready{socket_, events, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000))) == 0) {
      return error(errc::http_timeout);
    }
    return {};
  }

  Error error(errc code) const {
    return Error(code).with("host", request_.host).with("port", std::to_string(request_.port));
  }

  const ConnectRequest request_;
  const CurlOptions options_;
  const bool in_clear_;  // as the policy sees it
  const bool trusted_host_;
  const Clock::time_point deadline_;
  std::string refused_address_;  // not empty: the policy refused one
  std::array<char, CURL_ERROR_SIZE> detail_{};
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace

CurlConnector::CurlConnector(CurlOptions options) : options_(std::move(options)) {}
CurlConnector::~CurlConnector() = default;

Result<std::unique_ptr<Connection>> CurlConnector::open(const ConnectRequest& request) {
  if (!is_host(request.host) || request.port == 0) {
    return Error(errc::invalid_argument, "A connection needs a host and a port");
  }
  auto connection = std::make_unique<CurlConnection>(request, options_);
  if (auto opened = connection->open(); !opened) return opened.error();
  return std::unique_ptr<Connection>(std::move(connection));
}

Result<std::unique_ptr<Connection>> CurlConnector::start_tls(std::unique_ptr<Connection> connection,
                                                             const ConnectRequest& request) {
  if (connection == nullptr || !is_host(request.host)) {
    return Error(errc::invalid_argument, "TLS begins on an open connection, to a host");
  }
  return curl_http::start_tls(std::move(connection), request, options_.ca_file);
}

}  // namespace v0
}  // namespace openindex
