#include <doctest/doctest.h>

#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing/http_request_reader.hpp"
#include "testing/loopback_server.hpp"

using namespace openindex;
using namespace openindex::scripted;

namespace {

// A server that repeats each body, and one connection to it.
class Echo {
 public:
  Echo() : server_(*LoopbackServer::open()) {
    REQUIRE(::pipe(stop_) == 0);
    thread_ = std::thread([this] {
      server_.serve(stop_[0], [](const ServedRequest& request) {
        return ServedReply{.headers = {{"X-Path", request.target}}, .body = request.body};
      });
    });
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  ~Echo() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
    ::close(socket_);
  }

  void say(std::string_view text) const {
    REQUIRE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }

  // Read until the text has come; what came is returned, less when the server closes.
  std::string hear(std::string_view until) const {
    std::string heard;
    char byte;
    while (heard.find(until) == std::string::npos && ::recv(socket_, &byte, 1, 0) == 1) heard += byte;
    return heard;
  }

 private:
  LoopbackServer server_;
  int stop_[2];
  std::thread thread_;
  int socket_ = -1;
};

}  // namespace

TEST_CASE("a connection serves one request after the other") {
  const Echo echo;
  echo.say("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\none");
  CHECK(echo.hear("one").find("X-Path: /a\r\n") != std::string::npos);
  echo.say("POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\ntwoPOST /c HTTP/1.1\r\ncontent-length: 5\r\n\r\nth");
  CHECK(echo.hear("two").find("X-Path: /b\r\n") != std::string::npos);
  echo.say("ree");
  CHECK(echo.hear("three").ends_with("three"));
}

TEST_CASE("a body may come in chunks") {
  const Echo echo;
  echo.say("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nchun");
  echo.say("\r\n3;ext=1\r\nked\r\n0\r\n\r\n");
  CHECK(echo.hear("chunked").find("Content-Length: 7\r\n") != std::string::npos);
}

TEST_CASE("a client that waits for leave to send its body gets it") {
  const Echo echo;
  echo.say("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(echo.hear("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  echo.say("body");
  CHECK(echo.hear("body").starts_with("HTTP/1.1 200"));
}

TEST_CASE("what is no HTTP is refused and the connection closed") {
  const char* const refused[] = {"HELLO\r\n\r\n", "POST / HTTP/1.1\r\nno colon\r\n\r\n",
                                 "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                                 "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"};
  for (const auto* text : refused) {
    const Echo echo;
    echo.say(text);
    CHECK(echo.hear("never").starts_with("HTTP/1.1 4"));
  }
}

TEST_CASE("a request is taken from the input only when it is whole") {
  std::string input = "GET /x HTTP/1.1\r\nHost: a\r\n";
  CHECK_FALSE(take_request(input).request);
  input += "\r\nGET";
  const auto read = take_request(input);
  REQUIRE(read.request);
  CHECK(read.request->target == "/x");
  CHECK(read.request->header("HOST") == "a");
  CHECK(input == "GET");
  std::string endless(100'000, 'x');
  CHECK(take_request(endless).refused == 431);
}
