// HttpClient: how the library reaches the network, and the only way it does.
//
// The provider registry and the dispatcher call it; `CurlHttpClient` implements it, and a host with an HTTP stack of
// its own implements it in a few lines (examples/embed does).
//
// For implementers. `send` is called from any thread and must not block on the network. `done` is called exactly once
// for each `send`, from any thread, also from inside `send`; it is quick and does not throw. Every status, 500
// included, is an answer; errors are for exchanges that did not complete: http_unreachable (surely not processed),
// http_timeout, http_interrupted (maybe processed), http_tls, http_too_large, http_refused_by_policy, http_cancelled,
// invalid_argument. Redirects are not followed. No error may contain a header's value.
#pragma once

#include <cstdint>
#include <functional>

#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex {
inline namespace v0 {

/// Names one exchange in flight; 0 names none.
using HttpTicket = std::uint64_t;

using HttpDone = std::function<void(Result<HttpResponse>)>;

class OPENINDEX_API HttpClient {
 public:
  HttpClient() = default;
  virtual ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Start an exchange and return at once.
  virtual HttpTicket send(HttpRequest request, HttpDone done) = 0;

  /// Ask for an exchange to end soon; its `done` is told `http_cancelled` unless it has ended by itself.
  virtual void cancel(HttpTicket ticket) noexcept = 0;
};

/// Send and wait for the answer, on the calling thread. @par Errors those of `HttpClient`
OPENINDEX_API Result<HttpResponse> send_and_wait(HttpClient& client, HttpRequest request);

}  // namespace v0
}  // namespace openindex
