#include <doctest/doctest.h>

#include <filesystem>

#include <openindex/adapters/curl_http_client.hpp>

#include "http/tls_server.hpp"

using namespace openindex;
using test::TlsServer;

namespace {

Result<HttpResponse> get(const TlsServer& server, const std::string& ca_file) {
  CurlHttpClient client({.egress = Egress::public_and_loopback(), .ca_file = ca_file});
  HttpRequest request;
  request.url = server.url();
  return send_and_wait(client, request);
}

}  // namespace

TEST_CASE("a server whose certificate nobody trusts is refused") {
  const TlsServer server("IP:127.0.0.1");
  const auto answer = get(server, "");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}

TEST_CASE("a server whose certificate the host trusts is spoken to") {
  const TlsServer server("IP:127.0.0.1");
  const std::string file = server.save();
  const auto answer = get(server, file);
  std::filesystem::remove(file);
  REQUIRE(answer);
  CHECK(answer->body == "sealed");
}

TEST_CASE("a trusted certificate for another name is refused") {
  const TlsServer server("DNS:elsewhere.example");
  const std::string file = server.save();
  const auto answer = get(server, file);
  std::filesystem::remove(file);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}

TEST_CASE("a certificate's common name counts where it has no names") {
  const auto verified = [](test::TlsBehaviour behaviour) {
    const TlsServer server(std::move(behaviour));
    const std::string file = server.save();
    CurlHttpClient client({.egress = Egress::public_and_loopback(), .ca_file = file});
    const std::string url = "https://localhost:" + std::to_string(server.port()) + "/";
    const bool answered = send_and_wait(client, {.url = url}).has_value();
    std::filesystem::remove(file);
    return answered;
  };
  CHECK(verified({.name = nullptr, .common_name = "localhost"}));
  CHECK_FALSE(verified({.name = nullptr, .common_name = "elsewhere.example"}));
  CHECK_FALSE(verified({.name = "DNS:elsewhere.example", .common_name = "localhost"}));
}

TEST_CASE("trusted roots that cannot be read are a TLS error") {
  const TlsServer server("IP:127.0.0.1");
  const auto answer = get(server, "/nonexistent/ca.pem");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}
