// The thread behind a CurlHttpClient: it owns the multi handle and every transfer on it.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>

#include "adapters/curl/exchange.hpp"

namespace openindex {
inline namespace v0 {

class CurlHttpClient::Loop {
 public:
  explicit Loop(CurlOptions options);
  ~Loop();

  HttpTicket send(HttpRequest request, HttpDone done);
  void cancel(HttpTicket ticket) noexcept;

 private:
  using Exchange = curl_http::Exchange;
  struct CleanEasy {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  };
  struct CleanMulti {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  struct Transfer {
    std::unique_ptr<Exchange> exchange;
    CURL* easy = nullptr;
  };

  bool ensure_thread();
  void run();
  bool take_orders();
  void start_waiting();
  void start(std::unique_ptr<Exchange> exchange);
  bool finish_completed();
  void end(HttpTicket ticket, CURLcode code);
  void drop(HttpTicket ticket);
  CURL* borrow_handle();

  const CurlOptions options_;
  std::unique_ptr<CURLM, CleanMulti> multi_;

  std::mutex mutex_;
  HttpTicket last_ticket_ = 0;
  std::deque<std::unique_ptr<Exchange>> sent_;
  std::vector<HttpTicket> cancelled_;
  bool stopping_ = false;
  std::thread thread_;

  // Touched by the thread alone.
  std::deque<std::unique_ptr<Exchange>> waiting_;
  std::unordered_map<HttpTicket, Transfer> active_;
  std::vector<std::unique_ptr<CURL, CleanEasy>> handles_;
  std::vector<CURL*> free_handles_;
};

}  // namespace v0
}  // namespace openindex
