#include "adapters/curl/exchange.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/curl/easy.hpp"
#include "adapters/curl/egress.hpp"
#include "adapters/curl/url.hpp"

namespace openindex::curl_http {
namespace {

constexpr std::size_t header_bytes_max = 64u * 1024;
constexpr long buffer_bytes = 16L * 1024;

// RFC 9110 token: what a header's name or a method may be made of.
bool is_token(std::string_view text) noexcept {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool has_header(const HttpHeaders& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) { return same_text(header.first, name); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

Error Exchange::error(errc code) const {
  Error error(code);
  if (!host_.empty()) error = std::move(error).with("host", host_).with("url", url_without_query_);
  return error;
}

Result<void> Exchange::read_url(const Egress& egress) {
  // Nothing of a URL that does not parse is repeated: it may hold a key in an unexpected place.
  Url url;
  if (!url.parse(request_.url)) {
    return Error(errc::invalid_argument, "The URL is not an absolute http or https URL");
  }
  if (!url.part(CURLUPART_USER).empty() || !url.part(CURLUPART_PASSWORD).empty()) {
    return Error(errc::invalid_argument, "The URL holds credentials; send them in a header");
  }
  const std::string scheme = url.part(CURLUPART_SCHEME);
  host_ = url.part(CURLUPART_HOST);
  if ((scheme != "https" && scheme != "http") || host_.empty()) {
    host_.clear();
    return Error(errc::invalid_argument, "The URL is not an absolute http or https URL");
  }
  const std::string port = url.part(CURLUPART_PORT);
  url_without_query_ =
      fmt::format("{}://{}{}{}{}", scheme, host_, port.empty() ? "" : ":", port, url.part(CURLUPART_PATH));
  plain_http_ = scheme == "http";
  trusted_host_ = trusts(egress, host_);
  if (plain_http_ && !allows_plain_http(egress, trusted_host_)) {
    return error(errc::http_refused_by_policy).with("reason", "plain http is not allowed; use https");
  }
  return {};
}

Result<void> Exchange::set_headers(CURL* easy) {
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    list = curl_slist_append(list, line.c_str());
    (void)headers_.release();
    headers_.reset(list);
  };
  for (const auto& [name, value] : request_.headers) {
    if (!is_token(name)) return error(errc::invalid_argument).with("reason", "a header's name is empty or no token");
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return error(errc::invalid_argument).with("header", name).with("reason", "the value holds a CR, LF or NUL");
    }
    if (same_text(name, "Content-Length") || same_text(name, "Transfer-Encoding")) {
      return error(errc::invalid_argument).with("header", name).with("reason", "the client frames the body itself");
    }
    add(trimmed(value).empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // An empty value takes out what curl would add: waiting for "100 Continue" costs a second with servers that never
  // send it.
  add("Expect:");
  if (!has_header(request_.headers, "Content-Type")) add("Content-Type:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  if (!has_header(request_.headers, "User-Agent")) add("User-Agent: openindex");
  return {};
}

void Exchange::set_method(CURL* easy) {
  const std::string& method = request_.method;
  if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Exchange::give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    if (method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void Exchange::set_bounds(CURL* easy, const CurlOptions& options) {
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_curl_ms(request_.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_curl_ms(request_.timeout));
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                   static_cast<curl_off_t>(std::min<std::size_t>(request_.response_bytes_max, 1u << 30)));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, buffer_bytes);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, buffer_bytes);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // One exchange, one connection: many at once over one HTTP/2 connection would all die with it.
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));

  set_trust(easy, options, plain_http_);
}

Result<void> Exchange::prepare(CURL* easy, const CurlOptions& options) {
  egress_ = &options.egress;
  if (auto url = read_url(options.egress); !url) return url;
  if (!is_token(request_.method)) return error(errc::invalid_argument).with("reason", "the method is no token");
  if (auto headers = set_headers(easy); !headers) return headers;
  set_method(easy);
  set_bounds(easy, options);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Exchange::open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Exchange::before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  return {};
}

Result<HttpResponse> Exchange::conclude(CURL* easy, CURLcode code) {
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return std::move(response_);
  }
  const errc failed = classify(code);
  Error answer = error(failed);
  if (failed == errc::http_refused_by_policy) {
    return std::move(answer)
        .with("address", refused_address_)
        .with("reason", "the egress policy does not allow this address");
  }
  // curl's own text is exact about reaching and trusting the server; for anything later it could repeat what the server
  // sent.
  const bool before_answer = failed == errc::http_unreachable || failed == errc::http_tls;
  return std::move(answer).with("reason", before_answer && detail_[0] != '\0' ? detail_ : curl_easy_strerror(code));
}

errc Exchange::classify(CURLcode code) const {
  if (too_large_ || code == CURLE_FILESIZE_EXCEEDED) return errc::http_too_large;
  if (code == CURLE_OUT_OF_MEMORY && attempts_ > 0)
    return errc::http_too_large;  // one header line over curl's own bound
  if (code == CURLE_COULDNT_CONNECT && !refused_address_.empty()) return errc::http_refused_by_policy;
  if (is_tls_failure(code)) return errc::http_tls;
  if (code == CURLE_URL_MALFORMAT) return errc::invalid_argument;
  if (attempts_ == 0) return errc::http_unreachable;
  return code == CURLE_OPERATION_TIMEDOUT ? errc::http_timeout : errc::http_interrupted;
}

curl_socket_t Exchange::open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  const Place place = place_of(address->addr);
  if (purpose != CURLSOCKTYPE_IPCXN ||
      !allows(*exchange.egress_, exchange.trusted_host_, place, exchange.plain_http_)) {
    exchange.refused_address_ = to_text(address->addr);
    if (exchange.refused_address_.empty()) exchange.refused_address_ = "not an IP address";
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// curl sends a request again by itself when a kept connection dies under it. For anything but reading, the server may
// have acted on the first one: the caller decides, not curl.
int Exchange::before_request(void* self, char*, char*, int, int) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  const bool reads = exchange.request_.method == "GET" || exchange.request_.method == "HEAD";
  return ++exchange.attempts_ > 1 && !reads ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

std::size_t Exchange::give_body(char* to, std::size_t size, std::size_t count, void* self) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  std::string& body = exchange.request_.body;
  const std::size_t given = std::min(size * count, body.size() - exchange.body_given_);
  std::memcpy(to, body.data() + exchange.body_given_, given);
  exchange.body_given_ += given;
  return given;
}

std::size_t Exchange::take_header(char* from, std::size_t size, std::size_t count, void* self) noexcept try {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line(from, size * count);
  exchange.header_bytes_ += line.size();
  if (exchange.header_bytes_ > header_bytes_max) {
    exchange.too_large_ = true;
    return 0;
  }
  const auto colon = line.find(':');
  if (line.substr(0, 5) == "HTTP/") {
    exchange.response_.headers.clear();  // those before were of an interim answer
  } else if (colon != std::string_view::npos) {
    exchange.response_.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return line.size();
} catch (...) {
  return 0;  // out of memory: nothing may cross curl's frames
}

std::size_t Exchange::take_body(char* from, std::size_t size, std::size_t count, void* self) noexcept try {
  auto& exchange = *static_cast<Exchange*>(self);
  std::string& body = exchange.response_.body;
  const std::size_t bytes = size * count;
  if (bytes > exchange.request_.response_bytes_max - body.size()) {
    exchange.too_large_ = true;
    return 0;
  }
  body.append(from, bytes);
  if (exchange.request_.on_body) exchange.request_.on_body({from, bytes});
  return bytes;
} catch (...) {
  return 0;
}

}  // namespace openindex::curl_http
