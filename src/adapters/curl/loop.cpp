#include "adapters/curl/loop.hpp"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <system_error>
#include <utility>

#include "adapters/curl/easy.hpp"

namespace openindex {
inline namespace v0 {
namespace {

// Longer than anything waits without a wake-up; curl itself shortens it to the next timeout of a transfer.
constexpr int poll_ms = 600'000;

CURLM* make_multi() { return curl_http::curl_ready() ? curl_multi_init() : nullptr; }

// The host's signals are for the host's threads, and a SIGPIPE out of a TLS write must not end the program.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

CurlHttpClient::Loop::Loop(CurlOptions options) : options_(std::move(options)), multi_(make_multi()) {
  if (multi_)
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                      static_cast<long>(std::clamp<std::size_t>(options_.connections_max, 1, 1000)));
}

CurlHttpClient::Loop::~Loop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    assert(thread_.get_id() != std::this_thread::get_id() && "a client destroyed from inside its own callback");
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }
  handles_.clear();  // before the multi handle, which they refer to
}

bool CurlHttpClient::Loop::ensure_thread() {
  if (!multi_) return false;
  if (thread_.joinable()) return true;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

HttpTicket CurlHttpClient::Loop::send(HttpRequest request, HttpDone done) {
  std::unique_ptr<Exchange> exchange;
  errc refused = errc::http_cancelled;
  HttpTicket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    ticket = ++last_ticket_;
    exchange = std::make_unique<Exchange>(ticket, std::move(request), std::move(done));
    if (!stopping_) {
      if (ensure_thread()) {
        sent_.push_back(std::move(exchange));
      } else {
        refused = errc::http_unreachable;
      }
    }
  }
  if (exchange) {
    exchange->tell(Error(refused).with("reason", "the client is closing, or the system gives it no thread or handle"));
  } else {
    curl_multi_wakeup(multi_.get());
  }
  return ticket;
}

void CurlHttpClient::Loop::cancel(HttpTicket ticket) noexcept {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) return;
  cancelled_.push_back(ticket);
  curl_multi_wakeup(multi_.get());
}

void CurlHttpClient::Loop::run() {
  block_signals();
  while (take_orders()) {
    start_waiting();
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    if (finish_completed() && !waiting_.empty()) continue;
    curl_multi_poll(multi_.get(), nullptr, 0, poll_ms, nullptr);
  }
}

bool CurlHttpClient::Loop::take_orders() {
  std::vector<HttpTicket> cancelled;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    for (auto& exchange : sent_) waiting_.push_back(std::move(exchange));
    sent_.clear();
    cancelled.swap(cancelled_);
    stopping = stopping_;
  }
  if (stopping) {
    for (const auto& exchange : waiting_) cancelled.push_back(exchange->ticket());
    for (const auto& [ticket, transfer] : active_) cancelled.push_back(ticket);
  }
  for (const HttpTicket ticket : cancelled) drop(ticket);
  return !stopping;
}

void CurlHttpClient::Loop::start_waiting() {
  while (!waiting_.empty() && active_.size() < std::max<std::size_t>(options_.connections_max, 1)) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
}

void CurlHttpClient::Loop::start(std::unique_ptr<Exchange> exchange) {
  CURL* easy = borrow_handle();
  if (easy == nullptr) return exchange->tell(exchange->error(errc::http_unreachable).with("reason", "out of memory"));
  if (const auto ready = exchange->prepare(easy, options_); !ready) {
    curl_easy_reset(easy);
    free_handles_.push_back(easy);
    return exchange->tell(ready.error());
  }
  const HttpTicket ticket = exchange->ticket();
  active_.emplace(ticket, Transfer{std::move(exchange), easy});
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) end(ticket, CURLE_FAILED_INIT);
}

CURL* CurlHttpClient::Loop::borrow_handle() {
  if (free_handles_.empty()) {
    CURL* made = curl_easy_init();
    if (made != nullptr) handles_.emplace_back(made);
    return made;
  }
  CURL* easy = free_handles_.back();
  free_handles_.pop_back();
  return easy;
}

bool CurlHttpClient::Loop::finish_completed() {
  bool any = false;
  int left = 0;
  while (const CURLMsg* news = curl_multi_info_read(multi_.get(), &left)) {
    if (news->msg != CURLMSG_DONE) continue;
    Exchange* exchange = nullptr;
    curl_easy_getinfo(news->easy_handle, CURLINFO_PRIVATE, &exchange);
    end(exchange->ticket(), news->data.result);
    any = true;
  }
  return any;
}

// The handle is free again before the callback runs, so that a callback which sends finds it.
void CurlHttpClient::Loop::end(HttpTicket ticket, CURLcode code) {
  auto node = active_.extract(ticket);
  auto& [exchange, easy] = node.mapped();
  auto result = exchange->conclude(easy, code);
  curl_multi_remove_handle(multi_.get(), easy);
  curl_easy_reset(easy);
  free_handles_.push_back(easy);
  exchange->tell(std::move(result));
}

void CurlHttpClient::Loop::drop(HttpTicket ticket) {
  if (auto node = active_.extract(ticket)) {
    auto& [exchange, easy] = node.mapped();
    curl_multi_remove_handle(multi_.get(), easy);
    curl_easy_reset(easy);
    free_handles_.push_back(easy);
    return exchange->tell(exchange->error(errc::http_cancelled));
  }
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const auto& exchange) { return exchange->ticket() == ticket; });
  if (found == waiting_.end()) return;
  const auto exchange = std::move(*found);
  waiting_.erase(found);
  exchange->tell(exchange->error(errc::http_cancelled));
}

}  // namespace v0
}  // namespace openindex
