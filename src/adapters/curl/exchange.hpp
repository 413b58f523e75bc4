// One exchange on one easy handle: the request checked and set up, the answer collected within its bounds.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <curl/curl.h>

#include <openindex/adapters/curl_http_client.hpp>

namespace openindex::curl_http {

class Exchange {
 public:
  Exchange(HttpTicket ticket, HttpRequest request, HttpDone done)
      : ticket_(ticket), request_(std::move(request)), done_(std::move(done)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] HttpTicket ticket() const noexcept { return ticket_; }

  /// Set the handle up, which is reset and must not outlive this. Options must outlive it too.
  /// @par Errors invalid_argument, http_refused_by_policy: nothing was sent
  Result<void> prepare(CURL* easy, const CurlOptions& options);

  /// Turn what the transfer came to into the answer. Call while the handle is still set up.
  Result<HttpResponse> conclude(CURL* easy, CURLcode code);

  Error error(errc code) const;

  void tell(Result<HttpResponse> result) { done_(std::move(result)); }

 private:
  struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };

  Result<void> read_url(const Egress& egress);
  Result<void> set_headers(CURL* easy);
  void set_method(CURL* easy);
  void set_bounds(CURL* easy, const CurlOptions& options);
  errc classify(CURLcode code) const;

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int before_request(void* self, char*, char*, int, int) noexcept;
  static std::size_t give_body(char* to, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t take_header(char* from, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t take_body(char* from, std::size_t size, std::size_t count, void* self) noexcept;

  HttpTicket ticket_;
  HttpRequest request_;
  HttpDone done_;
  HttpResponse response_;

  std::string host_;
  std::string url_without_query_;
  const Egress* egress_ = nullptr;
  bool plain_http_ = false;
  bool trusted_host_ = false;
  std::string refused_address_;  // not empty: the policy refused one

  std::unique_ptr<curl_slist, FreeList> headers_;
  std::size_t body_given_ = 0;
  std::size_t header_bytes_ = 0;
  int attempts_ = 0;
  bool too_large_ = false;
  char detail_[CURL_ERROR_SIZE] = {};
};

}  // namespace openindex::curl_http
