#include <openindex/adapters/curl_http_client.hpp>

#include <utility>

#include "adapters/curl/loop.hpp"

namespace openindex {
inline namespace v0 {

CurlHttpClient::CurlHttpClient(CurlOptions options) : loop_(std::make_unique<Loop>(std::move(options))) {}
CurlHttpClient::~CurlHttpClient() = default;

HttpTicket CurlHttpClient::send(HttpRequest request, HttpDone done) {
  return loop_->send(std::move(request), std::move(done));
}

void CurlHttpClient::cancel(HttpTicket ticket) noexcept { loop_->cancel(ticket); }

}  // namespace v0
}  // namespace openindex
