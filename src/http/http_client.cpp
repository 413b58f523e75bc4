#include <openindex/http/http_client.hpp>

#include <future>
#include <memory>
#include <utility>

namespace openindex {
inline namespace v0 {

HttpClient::~HttpClient() = default;

Result<HttpResponse> send_and_wait(HttpClient& client, HttpRequest request) {
  // Shared: the sending thread may still be inside set_value() when this one has its answer and is gone.
  const auto answer = std::make_shared<std::promise<Result<HttpResponse>>>();
  client.send(std::move(request), [answer](Result<HttpResponse> result) { answer->set_value(std::move(result)); });
  return answer->get_future().get();
}

}  // namespace v0
}  // namespace openindex
