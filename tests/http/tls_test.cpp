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

TEST_CASE("trusted roots that cannot be read are a TLS error") {
  const TlsServer server("IP:127.0.0.1");
  const auto answer = get(server, "/nonexistent/ca.pem");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_tls);
}
