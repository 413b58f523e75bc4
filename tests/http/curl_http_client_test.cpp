#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <memory>
#include <vector>

#include <openindex/adapters/curl_http_client.hpp>

#include "http/raw_server.hpp"

using namespace openindex;
using test::RawServer;

namespace {

HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

HttpRequest post(std::string url, std::string body) {
  HttpRequest request = get(std::move(url));
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

CurlHttpClient& local_client() {
  static CurlHttpClient client({.egress = Egress::public_and_loopback()});
  return client;
}

errc code_of(const Result<HttpResponse>& answer) {
  REQUIRE_FALSE(answer);
  return answer.error().code();
}

// Send without waiting; the future tells what `done` was told, and breaks when it is told twice.
std::future<Result<HttpResponse>> start(HttpClient& client, HttpRequest request, HttpTicket* ticket = nullptr) {
  auto answer = std::make_shared<std::promise<Result<HttpResponse>>>();
  auto future = answer->get_future();
  const auto sent = client.send(std::move(request), [answer](auto result) { answer->set_value(std::move(result)); });
  if (ticket != nullptr) *ticket = sent;
  return future;
}

}  // namespace

TEST_CASE("a request arrives as given and its answer comes back whole") {
  std::promise<std::string> seen;
  RawServer server([&](int fd) {
    seen.set_value(test::read_request(fd));
    test::write_all(fd,
                    "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
                    "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nX-One:  a \r\nx-two: b\r\n\r\nbody");
  });
  auto request = post(server.url("/path?q=1"), "{\"a\":1}");
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  const auto answer = send_and_wait(local_client(), request);
  REQUIRE(answer);
  CHECK(answer->status == 500);
  CHECK(answer->body == "body");
  CHECK(answer->header("x-one") == "a");
  CHECK(answer->header("X-Two") == "b");
  CHECK(answer->header("x-early").empty());

  const std::string text = seen.get_future().get();
  CHECK(text.starts_with("POST /path?q=1 HTTP/1.1\r\n"));
  CHECK(text.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(text.find("X-Empty:\r\n") != std::string::npos);
  CHECK(text.find("Expect") == std::string::npos);
  CHECK(text.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("each part of an answer is told when it arrives, and the whole at the end") {
  std::promise<void> first_seen;
  RawServer server([&](int fd) {
    test::read_request(fd);
    test::write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    first_seen.get_future().wait();  // the rest is not sent before the first part was told
    test::write_all(fd, "after");
  });
  auto request = get(server.url());
  std::string told;
  request.on_body = [&](std::string_view part) {
    if (told.empty()) first_seen.set_value();
    told += part;
  };
  const auto answer = send_and_wait(local_client(), request);
  REQUIRE(answer);
  CHECK(told == "firstafter");
  CHECK(answer->body == "firstafter");
}

TEST_CASE("a body of megabytes arrives whole and is not held back until the server asks for it") {
  const std::string large(2u << 20, 'x');
  std::promise<std::string> seen;
  RawServer server([&](int fd) {
    seen.set_value(test::read_request(fd));
    test::write_all(fd, test::ok(large));
  });
  const auto answer = send_and_wait(local_client(), post(server.url(), large));
  REQUIRE(answer);
  CHECK(answer->body == large);
  const std::string text = seen.get_future().get();
  CHECK(text.ends_with("\r\n\r\n" + large));
  CHECK(text.find("Expect") == std::string::npos);
}

TEST_CASE("a redirect is an answer and is not followed") {
  std::atomic<int> requests{0};
  std::string here;
  RawServer server([&](int fd) {
    while (!test::read_request(fd).empty()) {
      ++requests;
      test::write_all(fd, "HTTP/1.1 307 Elsewhere\r\nLocation: " + here + "\r\nContent-Length: 0\r\n\r\n");
    }
  });
  here = server.url("/again");
  const auto answer = send_and_wait(local_client(), get(server.url()));
  REQUIRE(answer);
  CHECK(answer->status == 307);
  CHECK(requests == 1);
}

TEST_CASE("a header that would break the request is refused by name and without its value") {
  for (const std::string& value : {std::string("abc\r\nX-Evil: 1"), std::string("abc\n"), std::string("ab\0c", 4)}) {
    auto request = get("http://127.0.0.1:9/");
    request.headers = {{"X-Key", value}};
    const auto answer = send_and_wait(local_client(), request);
    CHECK(code_of(answer) == errc::invalid_argument);
    CHECK(answer.error().context("header") == "X-Key");
    CHECK(answer.error().describe().find("abc") == std::string::npos);
  }
  for (const auto* name : {"", "X Key", "X-Key:", "X\r\nY", "Content-Length", "transfer-encoding"}) {
    CAPTURE(std::string(name));
    auto request = get("http://127.0.0.1:9/");
    request.headers = {{name, "1"}};
    CHECK(code_of(send_and_wait(local_client(), request)) == errc::invalid_argument);
  }
}

TEST_CASE("a method that is no word is refused") {
  auto request = get("http://127.0.0.1:9/");
  request.method = "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET";
  CHECK(code_of(send_and_wait(local_client(), request)) == errc::invalid_argument);
}

TEST_CASE("a URL that is none or holds credentials is refused and not repeated") {
  for (const auto* url :
       {"", "127.0.0.1", "ftp://127.0.0.1/hunter2", "file:///etc/hunter2", "http://user:hunter2@127.0.0.1/",
        "http://hunter2@127.0.0.1/", "http://127.0.0.1:99999/hunter2"}) {
    CAPTURE(std::string(url));
    const auto answer = send_and_wait(local_client(), get(url));
    CHECK(code_of(answer) == errc::invalid_argument);
    CHECK(answer.error().describe().find("hunter2") == std::string::npos);
  }
}

TEST_CASE("an error names the host and the path but neither query nor headers nor body") {
  RawServer server([](int fd) { test::read_request(fd); });
  auto request = post(server.url("/v1/chat?key=hunter2"), "hunter3");
  request.headers = {{"Authorization", "Bearer hunter4"}};
  const auto answer = send_and_wait(local_client(), request);
  CHECK(code_of(answer) == errc::http_interrupted);
  CHECK(answer.error().context("host") == "127.0.0.1");
  CHECK(answer.error().context("url") == server.url("/v1/chat"));
  CHECK(answer.error().describe().find("hunter") == std::string::npos);
}

TEST_CASE("an answer larger than allowed is too large whether announced or not") {
  for (const auto* head : {"Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"}) {
    CAPTURE(std::string(head));
    RawServer server([&](int fd) {
      test::read_request(fd);
      test::write_all(fd, "HTTP/1.1 200 OK\r\n" + std::string(head) + "\r\n186a0\r\n" + std::string(100000, 'x'));
    });
    auto request = get(server.url());
    request.response_bytes_max = 50'000;
    CHECK(code_of(send_and_wait(local_client(), request)) == errc::http_too_large);
  }
}

TEST_CASE("an answer of exactly the size allowed is taken") {
  RawServer server([](int fd) {
    test::read_request(fd);
    test::write_all(fd, test::ok(std::string(1000, 'x')));
  });
  auto request = get(server.url());
  request.response_bytes_max = 1000;
  CHECK(send_and_wait(local_client(), request));
}

TEST_CASE("headers without end are too large") {
  const std::string many = "X-Fill: " + std::string(1000, 'x') + "\r\n";
  const std::string one = std::string(1000, 'x');
  for (const auto& part : {many, one}) {
    RawServer server([&](int fd) {
      test::read_request(fd);
      test::write_all(fd, "HTTP/1.1 200 OK\r\nX: ");
      for (int i = 0; i < 1000; ++i) test::write_all(fd, part);
    });
    CHECK(code_of(send_and_wait(local_client(), get(server.url()))) == errc::http_too_large);
  }
}

TEST_CASE("a connection lost before or in the answer is interrupted") {
  for (const auto* answer : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nhalf"}) {
    CAPTURE(std::string(answer));
    RawServer server([&](int fd) {
      test::read_request(fd);
      test::write_all(fd, answer);
    });
    CHECK(code_of(send_and_wait(local_client(), get(server.url()))) == errc::http_interrupted);
  }
}

TEST_CASE("an answer that is not HTTP is interrupted") {
  RawServer server([](int fd) {
    test::read_request(fd);
    test::write_all(fd, "220 mail.example ESMTP\r\n");
  });
  CHECK(code_of(send_and_wait(local_client(), get(server.url()))) == errc::http_interrupted);
}

TEST_CASE("a server that goes silent in the answer is a timeout") {
  RawServer server([](int fd) {
    test::read_request(fd);
    test::write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
    test::wait_for_end(fd);
  });
  auto request = get(server.url());
  request.timeout = Duration(50);
  CHECK(code_of(send_and_wait(local_client(), request)) == errc::http_timeout);
}

TEST_CASE("a port that nobody listens on is unreachable") {
  const int bound = ::socket(AF_INET, SOCK_STREAM, 0);  // bound and not listening: refused, and nobody else gets it
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(bound, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(bound, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const auto answer = send_and_wait(local_client(), get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))));
  CHECK(code_of(answer) == errc::http_unreachable);
  ::close(bound);
}

TEST_CASE("a server that takes the connection and never finishes the TLS handshake is unreachable") {
  RawServer server(test::wait_for_end);
  auto request = get("https://127.0.0.1:" + std::to_string(server.port()));
  request.connect_timeout = Duration(50);
  CHECK(code_of(send_and_wait(local_client(), request)) == errc::http_unreachable);
}

TEST_CASE("a request on a kept connection that dies is not sent again behind the caller's back") {
  for (const std::string& method : {std::string("POST"), std::string("DELETE")}) {  // with a body and without
    CAPTURE(method);
    std::atomic<int> requests{0};
    RawServer server([&](int fd) {
      while (!test::read_request(fd).empty()) {
        if (++requests > 1) return;
        test::write_all(fd, test::ok("first"));
      }
    });
    CurlHttpClient client({.egress = Egress::public_and_loopback()});
    REQUIRE(send_and_wait(client, get(server.url())));
    auto second = get(server.url());
    second.method = method;
    second.body = method == "POST" ? "two" : "";
    CHECK(code_of(send_and_wait(client, second)) == errc::http_interrupted);
    CHECK(requests == 2);
  }
}

TEST_CASE("the environment's proxy is not used") {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  RawServer server([](int fd) {
    test::read_request(fd);
    test::write_all(fd, test::ok("direct"));
  });
  const auto answer = send_and_wait(local_client(), get(server.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  REQUIRE(answer);
  CHECK(answer->body == "direct");
}

TEST_CASE("an exchange under way can be cancelled") {
  std::promise<void> arrived;
  RawServer server([&](int fd) {
    test::read_request(fd);
    arrived.set_value();
    test::wait_for_end(fd);
  });
  HttpTicket ticket = 0;
  auto answer = start(local_client(), get(server.url()), &ticket);
  arrived.get_future().wait();
  local_client().cancel(ticket);
  CHECK(code_of(answer.get()) == errc::http_cancelled);
  local_client().cancel(ticket);  // over: no effect
}

TEST_CASE("an exchange that waits its turn can be cancelled") {
  std::promise<void> arrived;
  std::promise<void> go;
  RawServer server([&](int fd) {
    test::read_request(fd);
    arrived.set_value();
    go.get_future().wait();
    test::write_all(fd, test::ok(""));
  });
  CurlHttpClient client({.egress = Egress::public_and_loopback(), .connections_max = 1});
  HttpTicket ticket = 0;
  auto first = start(client, get(server.url()));
  arrived.get_future().wait();
  auto second = start(client, get(server.url()), &ticket);
  client.cancel(ticket);
  CHECK(code_of(second.get()) == errc::http_cancelled);
  go.set_value();
  CHECK(first.get());
}

TEST_CASE("destroying a client tells every exchange once that it is cancelled") {
  RawServer server([](int fd) { test::wait_for_end(fd); });
  std::vector<std::future<Result<HttpResponse>>> answers;
  {
    CurlHttpClient client({.egress = Egress::public_and_loopback(), .connections_max = 2});
    for (int i = 0; i < 5; ++i) answers.push_back(start(client, get(server.url())));
  }
  for (auto& answer : answers) CHECK(code_of(answer.get()) == errc::http_cancelled);
}

TEST_CASE("a callback that sends while its client is destroyed is told at once") {
  RawServer server([](int fd) { test::wait_for_end(fd); });
  std::promise<errc> second;
  {
    CurlHttpClient client({.egress = Egress::public_and_loopback()});
    client.send(get(server.url()), [&](auto) {
      client.send(get(server.url()), [&](auto answer) { second.set_value(answer.error().code()); });
    });
  }
  CHECK(second.get_future().get() == errc::http_cancelled);
}

TEST_CASE("no more exchanges are under way than allowed and the others go in order") {
  std::promise<void> go;
  const auto gone = go.get_future().share();
  std::mutex mutex;
  std::string order;
  RawServer server([&](int fd) {
    for (std::string text; !(text = test::read_request(fd)).empty();) {
      const char name = text[text.find('/') + 1];
      if (name != 'z') gone.wait();
      const std::lock_guard lock(mutex);
      order += name;
      test::write_all(fd, test::ok(""));
    }
  });
  CurlHttpClient client({.egress = Egress::public_and_loopback(), .connections_max = 1});
  std::vector<std::future<Result<HttpResponse>>> answers;
  for (const char c : {'a', 'b', 'c', 'd', 'e'}) answers.push_back(start(client, get(server.url("/") + c)));
  for (int round = 0; round < 2; ++round) {  // the client has gone round: what it will start now, it has started
    HttpTicket ticket = 0;
    auto cancelled = start(client, get(server.url("/x")), &ticket);
    client.cancel(ticket);
    CHECK(code_of(cancelled.get()) == errc::http_cancelled);
  }
  CHECK(send_and_wait(local_client(), get(server.url("/z"))));  // accepted behind all that came before
  CHECK(server.connections() == 2);
  go.set_value();
  for (auto& answer : answers) CHECK(answer.get());
  CHECK(order == "zabcde");
}

TEST_CASE("a callback may send the next request") {
  RawServer server([](int fd) {
    while (!test::read_request(fd).empty()) test::write_all(fd, test::ok(""));
  });
  std::promise<int> rounds;
  std::function<void(int)> next = [&](int left) {
    local_client().send(get(server.url()), [&, left](auto answer) {
      if (!answer || left == 0) return rounds.set_value(left);
      next(left - 1);
    });
  };
  next(5);
  CHECK(rounds.get_future().get() == 0);
}
