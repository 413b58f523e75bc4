// TLS that begins in the middle of a connection, over real sockets of this machine.
#include <openindex/adapters/curl_connector.hpp>

#include <doctest/doctest.h>

#include <future>

#include "http/tls_server.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using test::RawServer;
using test::TlsBehaviour;
using test::TlsServer;

namespace {

struct StartTlsFixture {
  CurlConnector connector{{.egress = Egress::public_and_loopback()}};

  // Open without TLS, and begin it at once.
  Result<std::unique_ptr<Connection>> begin(const ConnectRequest& request) {
    auto plain = connector.open(request);
    REQUIRE(plain);
    return connector.start_tls(std::move(*plain), request);
  }

  // That is refused for its certificate or its TLS, with a reason that begins so; no byte of the server is in it.
  void check_refused(const ConnectRequest& request, const std::string& reason) {
    const auto refused = begin(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::http_tls);
    CHECK(refused.error().context("reason").substr(0, reason.size()) == reason);
    CHECK(refused.error().context("port") == std::to_string(request.port));
    CHECK(refused.error().describe().find("openindex test") == std::string::npos);  // the certificate's subject
    CHECK(refused.error().describe().find("MARKER") == std::string::npos);
  }
};

ConnectRequest to_server(std::uint16_t port, const std::string& roots = {}) {
  return {.host = "127.0.0.1", .port = port, .ca_pem = roots, .timeout = 5s};
}

// Another connection, whose time is over when the test says so.
struct Impatient final : Connection {
  explicit Impatient(std::unique_ptr<Connection> below) : below_(std::move(below)) {}
  Result<void> write(std::string_view bytes) override { return below_->write(bytes); }
  Result<std::string> read(std::size_t bytes_max) override {
    return is_late ? Result<std::string>(errc::http_timeout) : below_->read(bytes_max);
  }
  bool is_late = false;

 private:
  std::unique_ptr<Connection> below_;
};

// Everything until the server is done, or the error that comes instead.
Result<std::string> read_all(Connection& connection) {
  std::string all;
  for (;;) {
    auto piece = connection.read(7);
    if (!piece) return piece.error();
    CHECK(piece->size() <= 7);
    if (piece->empty()) return all;
    all += *piece;
  }
}

}  // namespace

TEST_CASE_FIXTURE(StartTlsFixture, "TLS begins behind what was said without it, and ends when the server says so") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const TlsServer server(TlsBehaviour{.version_max = version, .before = [](int fd) {
                                          test::write_all(fd, "ready\n");
                                          char word[5];
                                          ::recv(fd, word, sizeof word, MSG_WAITALL);
                                        }});
    const auto request = to_server(server.port(), server.pem());
    auto plain = connector.open(request);
    REQUIRE(plain);
    std::string greeting;
    while (greeting.size() < 6) greeting += (*plain)->read(1).value();
    CHECK(greeting == "ready\n");
    REQUIRE((*plain)->write("start"));
    auto tls = connector.start_tls(std::move(*plain), request);
    REQUIRE_MESSAGE(tls.has_value(), (tls ? std::string() : tls.error().describe()));
    REQUIRE((*tls)->write("hello"));
    const auto answer = read_all(**tls);
    REQUIRE(answer);
    CHECK(answer->ends_with("sealed"));
    CHECK((*tls)->read(7).value().empty());  // and again
  }
}

TEST_CASE_FIXTURE(StartTlsFixture, "long texts cross TLS whole, both ways") {
  constexpr std::size_t size = 300'000;
  const TlsServer server(TlsBehaviour{.instead = [](SSL* tls) {
    char bytes[10'000];
    for (std::size_t left = size; left > 0;) {
      const int got = SSL_read(tls, bytes, sizeof bytes);
      if (got <= 0 || SSL_write(tls, bytes, got) != got) return;
      left -= static_cast<std::size_t>(got);
    }
    SSL_shutdown(tls);
  }});
  auto tls = begin(to_server(server.port(), server.pem()));
  REQUIRE(tls);
  std::string sent, received;
  for (std::size_t i = 0; sent.size() < size; ++i) sent += static_cast<char>(i % 251);
  REQUIRE((*tls)->write(""));
  REQUIRE((*tls)->write(sent));
  while (received.size() < size) {
    const auto piece = (*tls)->read(1'000'000);
    REQUIRE(piece);
    REQUIRE_FALSE(piece->empty());
    received += *piece;
  }
  CHECK(received == sent);
  CHECK((*tls)->read(0).value().empty());
  CHECK((*tls)->read(1).value().empty());
}

TEST_CASE_FIXTURE(StartTlsFixture, "a server that hangs up without saying that it is done has been cut off") {
  const TlsServer server(TlsBehaviour{.says_goodbye = false});
  auto tls = begin(to_server(server.port(), server.pem()));
  REQUIRE(tls);
  REQUIRE((*tls)->write("hello"));
  const auto answer = read_all(**tls);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_interrupted);
}

TEST_CASE_FIXTURE(StartTlsFixture, "the server is told when we are done") {
  std::promise<bool> told;
  const TlsServer server(TlsBehaviour{.instead = [&told](SSL* tls) {
    char byte = 0;
    SSL_read(tls, &byte, 1);
    told.set_value((SSL_get_shutdown(tls) & SSL_RECEIVED_SHUTDOWN) != 0);
  }});
  REQUIRE(begin(to_server(server.port(), server.pem())));  // and over
  CHECK(told.get_future().get());
}

TEST_CASE_FIXTURE(StartTlsFixture, "a certificate is refused for a reason that is told") {
  const TlsServer good("IP:127.0.0.1"), another("IP:127.0.0.1"), elsewhere("DNS:elsewhere.example");
  const TlsServer expired(TlsBehaviour{.ends_in = -60}), early(TlsBehaviour{.ends_in = 7200});
  check_refused(to_server(good.port()), "the server's certificate is self-signed");
  check_refused(to_server(good.port(), another.pem()), "the server's certificate is self-signed");
  check_refused(to_server(elsewhere.port(), elsewhere.pem()), "the server's certificate is for another host");
  for (const TlsServer* server : {&elsewhere, &good}) {  // good for an address, and no name
    auto by_name = to_server(server->port(), server->pem());
    by_name.host = "localhost";
    check_refused(by_name, "the server's certificate is for another host");
  }
  check_refused(to_server(expired.port(), expired.pem()), "the server's certificate, or one above it, has expired");
  check_refused(to_server(early.port(), early.pem()), "the server's certificate, or one above it, is not valid yet");
  CHECK(begin(to_server(good.port(), another.pem() + "between\n" + good.pem())));
}

TEST_CASE_FIXTURE(StartTlsFixture, "a certificate's common name counts where it has no names, as it does for HTTP") {
  const auto verified = [&](TlsBehaviour behaviour) {
    const TlsServer server(std::move(behaviour));
    auto by_name = to_server(server.port(), server.pem());
    by_name.host = "localhost";
    return begin(by_name).has_value();
  };
  CHECK(verified({.name = nullptr, .common_name = "localhost"}));
  CHECK_FALSE(verified({.name = nullptr, .common_name = "elsewhere.example"}));
  CHECK_FALSE(verified({.name = "DNS:elsewhere.example", .common_name = "localhost"}));
  const TlsServer numbered(TlsBehaviour{.name = nullptr, .common_name = "127.0.0.1"});
  check_refused(to_server(numbered.port(), numbered.pem()), "the server's certificate is for another host");
}

TEST_CASE_FIXTURE(StartTlsFixture, "a name is verified and told to the server, an address is only verified") {
  const auto tell_name = [](SSL* tls) {
    const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    const std::string told = name == nullptr ? "nothing" : name;
    SSL_write(tls, told.data(), static_cast<int>(told.size()));
    SSL_shutdown(tls);
  };
  const TlsServer named(TlsBehaviour{.name = "DNS:localhost", .instead = tell_name});
  auto request = to_server(named.port(), named.pem());
  check_refused(request, "the server's certificate is for another host");  // it has no addresses
  for (const char* host : {"localhost", "localhost."}) {
    request.host = "localhost";
    auto plain = connector.open(request);
    REQUIRE(plain);
    request.host = host;  // as a name server would have it, which this machine's file of hosts does not
    const auto tls = connector.start_tls(std::move(*plain), request);
    REQUIRE_MESSAGE(tls.has_value(), (tls ? std::string() : tls.error().describe()));
    CHECK(read_all(**tls).value() == "localhost");
  }
  const TlsServer numbered(TlsBehaviour{.instead = tell_name});
  const auto tls = begin(to_server(numbered.port(), numbered.pem()));
  REQUIRE(tls);
  CHECK(read_all(**tls).value() == "nothing");
}

TEST_CASE_FIXTURE(StartTlsFixture, "roots are those of the request, else those of the options, and must be readable") {
  const TlsServer server("IP:127.0.0.1");
  const std::string file = server.save();
  CurlConnector with_file({.egress = Egress::public_and_loopback(), .ca_file = file});
  const auto request = to_server(server.port());
  auto plain = with_file.open(request);
  REQUIRE(plain);
  CHECK(with_file.start_tls(std::move(*plain), request));
  std::filesystem::remove(file);
  plain = with_file.open(request);
  REQUIRE(plain);
  const auto unreadable = with_file.start_tls(std::move(*plain), request);
  REQUIRE_FALSE(unreadable);
  CHECK(unreadable.error().code() == errc::http_tls);
  std::string broken = server.pem();
  broken.replace(broken.find('\n') + 20, 8, "AAAAAAAA");
  for (const std::string& roots : {std::string("MARKER"), broken, server.pem() + broken}) {
    check_refused(to_server(server.port(), roots), "the trusted roots cannot be read");
  }
}

TEST_CASE_FIXTURE(StartTlsFixture, "a server that answers with something else, too old a TLS or nothing is refused") {
  const RawServer garbage([](int fd) {
    test::write_all(fd, "HTTP/1.1 400 MARKER\r\n\r\n");
    test::wait_for_end(fd);
  });
  check_refused(to_server(garbage.port()), "the server answers with something that is not TLS");
  const TlsServer old(TlsBehaviour{.version_max = TLS1_1_VERSION});
  check_refused(to_server(old.port(), old.pem()), "the server speaks no version of TLS from 1.2 on");

  const RawServer gone([](int fd) {
    char byte = 0;
    ::recv(fd, &byte, 1, 0);
  });
  const auto interrupted = begin(to_server(gone.port()));
  REQUIRE_FALSE(interrupted);
  CHECK(interrupted.error().code() == errc::http_interrupted);
}

TEST_CASE_FIXTURE(StartTlsFixture, "the time of the connection goes on to count under TLS") {
  const RawServer silent(&test::wait_for_end);
  auto request = to_server(silent.port());
  request.timeout = 50ms;
  const auto shaking = begin(request);
  REQUIRE_FALSE(shaking);
  CHECK(shaking.error().code() == errc::http_timeout);

  const TlsServer mute(TlsBehaviour{.instead = [](SSL* tls) {
    char byte = 0;
    SSL_read(tls, &byte, 1);
  }});
  request = to_server(mute.port(), mute.pem());
  auto plain = connector.open(request);
  REQUIRE(plain);
  auto impatient = std::make_unique<Impatient>(std::move(*plain));
  bool& is_late = impatient->is_late;
  const auto tls = connector.start_tls(std::move(impatient), request);
  REQUIRE(tls);
  is_late = true;
  const auto reading = (*tls)->read(1);
  REQUIRE_FALSE(reading);
  CHECK(reading.error().code() == errc::http_timeout);
}

TEST_CASE_FIXTURE(StartTlsFixture, "the egress policy holds for connections on which TLS begins later") {
  const TlsServer server("IP:127.0.0.1");
  auto request = to_server(server.port(), server.pem());
  request.tls_later = true;
  // As with TLS: no leave for plain connections is needed, leave for the address is.
  CurlConnector under_tls({.egress = Egress{.allow_loopback = true}});
  auto plain = under_tls.open(request);
  REQUIRE(plain);
  CHECK(under_tls.start_tls(std::move(*plain), request));
  CurlConnector outside;
  const auto refused = outside.open(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::http_refused_by_policy);
  request.tls_later = false;
  const auto in_clear = under_tls.open(request);
  REQUIRE_FALSE(in_clear);
  CHECK(in_clear.error().code() == errc::http_refused_by_policy);
}

TEST_CASE_FIXTURE(StartTlsFixture, "TLS begins on a connection, towards a host, with a connector that knows how") {
  const auto nowhere = connector.start_tls(nullptr, to_server(1));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code() == errc::invalid_argument);
  const RawServer server(&test::wait_for_end);
  auto plain = connector.open(to_server(server.port()));
  REQUIRE(plain);
  const auto nobody = connector.start_tls(std::move(*plain), {.host = "a b"});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code() == errc::invalid_argument);

  struct : Connector {
    Result<std::unique_ptr<Connection>> open(const ConnectRequest&) override { return errc::http_unreachable; }
  } simple;
  plain = connector.open(to_server(server.port()));
  REQUIRE(plain);
  const auto unable = simple.start_tls(std::move(*plain), to_server(server.port()));
  REQUIRE_FALSE(unable);
  CHECK(unable.error().code() == errc::http_no_start_tls);
}
