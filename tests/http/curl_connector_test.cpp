// Connections for protocols other than HTTP, over real sockets of this machine.
#include <openindex/adapters/curl_connector.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "http/tls_server.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using test::RawServer;

namespace {

// Sends back what it gets, until the other side is done.
void echo(int fd) {
  char bytes[4096];
  for (ssize_t read = 0; (read = ::recv(fd, bytes, sizeof bytes, 0)) > 0;)
    ::send(fd, bytes, static_cast<std::size_t>(read), MSG_NOSIGNAL);
}

ConnectRequest at(std::uint16_t port, Duration timeout = 5s) {
  return {.host = "127.0.0.1", .port = port, .timeout = timeout};
}

template <class T>
errc failure(const Result<T>& result) {
  return result ? errc{} : result.error().code();
}

}  // namespace

TEST_CASE("what is written to a connection arrives, and what comes back is read") {
  const RawServer server(&echo);
  CurlConnector connector({.egress = Egress::public_and_loopback()});
  auto connection = connector.open(at(server.port()));
  REQUIRE(connection);
  const std::string sent = std::string("a\0b", 3) + std::string(20'000, 'x');
  REQUIRE((*connection)->write(sent));
  for (std::string_view left = sent; !left.empty();) {
    const auto read = (*connection)->read(1000);
    REQUIRE(read);
    REQUIRE(!read->empty());
    CHECK(read->size() <= 1000);
    REQUIRE(left.starts_with(*read));
    left.remove_prefix(read->size());
  }
}

TEST_CASE(
    "a server that closes is read as nothing, one that is silent as a timeout, one that is not there not at all") {
  CurlConnector connector({.egress = Egress::public_and_loopback()});
  {
    const RawServer server([](int) {});
    auto connection = connector.open(at(server.port()));
    REQUIRE(connection);
    CHECK((*connection)->read(10)->empty());
  }
  const RawServer silent([](int fd) {
    char byte = 0;
    ::recv(fd, &byte, 1, 0);
  });
  auto connection = connector.open(at(silent.port(), 50ms));
  REQUIRE(connection);
  CHECK(failure((*connection)->read(10)) == errc::http_timeout);

  std::uint16_t free_port = 0;
  {
    const RawServer gone([](int) {});
    free_port = gone.port();
  }
  CHECK(failure(connector.open(at(free_port))) == errc::http_unreachable);
  for (const ConnectRequest& bad :
       {ConnectRequest{.host = "", .port = 1}, ConnectRequest{.host = "127.0.0.1"},
        ConnectRequest{.host = "u:p@127.0.0.1", .port = 1}, ConnectRequest{.host = "127.0.0.1/x", .port = 1},
        ConnectRequest{.host = "a b", .port = 1}}) {
    CHECK(failure(connector.open(bad)) == errc::invalid_argument);
  }
}

TEST_CASE("a server that never stops sending does not outlast the timeout") {
  const RawServer flood([](int fd) {
    const std::string bytes(65'536, 'x');
    while (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  CurlConnector connector({.egress = Egress::public_and_loopback()});
  auto connection = connector.open(at(flood.port(), 50ms));
  REQUIRE(connection);
  errc ended{};
  for (int i = 0; i < 1'000'000 && ended == errc{}; ++i)
    ended = failure((*connection)->read(1));  // there is always more
  CHECK(ended == errc::http_timeout);
}

TEST_CASE("the egress policy holds for connections, however an address is written") {
  const RawServer server(&echo);
  CurlConnector outside;
  for (const char* host : {"127.0.0.1", "localhost", "::ffff:127.0.0.1", "2130706433", "0x7f.1"}) {
    CAPTURE(host);
    ConnectRequest request{.host = host, .port = server.port(), .tls = true, .timeout = 5s};
    CHECK(failure(outside.open(request)) == errc::http_refused_by_policy);
    request.tls = false;
    CHECK(failure(outside.open(request)) == errc::http_refused_by_policy);
  }
  CHECK(server.connections() == 0);
  CurlConnector named({.egress = Egress{.trusted_hosts = {"127.0.0.1"}}});
  CHECK(named.open(at(server.port())));
  CurlConnector bracketed({.egress = Egress::public_internet().trusting_host_of("http://[::1]:1/")});
  CHECK(failure(bracketed.open({.host = "::1", .port = 1, .timeout = 5s})) == errc::http_unreachable);
}

TEST_CASE("the certificate of a server is verified, against roots that the request may bring") {
  const test::TlsServer server("IP:127.0.0.1");
  CurlConnector connector({.egress = Egress::public_and_loopback()});
  ConnectRequest request = at(server.port());
  request.tls = true;
  CHECK(failure(connector.open(request)) == errc::http_tls);
  const std::string file = server.save();
  std::ifstream stream(file);
  request.ca_pem.assign(std::istreambuf_iterator<char>(stream), {});
  std::filesystem::remove(file);
  auto connection = connector.open(request);
  REQUIRE(connection);
  REQUIRE((*connection)->write("hello"));
  std::string answer;
  for (;;) {
    const auto read = (*connection)->read(7);
    REQUIRE(read);
    if (read->empty()) break;
    answer += *read;
  }
  CHECK(answer.ends_with("sealed"));
  const test::TlsServer other("DNS:elsewhere.example");
  request.port = other.port();
  CHECK(failure(connector.open(request)) == errc::http_tls);
}
