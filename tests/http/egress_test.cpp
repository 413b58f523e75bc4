#include <doctest/doctest.h>

#include <openindex/adapters/curl_http_client.hpp>

#include "adapters/curl/egress.hpp"
#include "http/raw_server.hpp"

using namespace openindex;

namespace {

const Egress everything{.allow_public = true, .allow_loopback = true, .allow_private = true, .allow_plain_http = true};

HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

}  // namespace

TEST_CASE("public addresses are allowed by the public policy and by no policy without them") {
  for (const auto* address : {"203.0.113.9", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111",
                              "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    CAPTURE(std::string(address));
    CHECK(allows_address(Egress::public_internet(), address));
    CHECK_FALSE(allows_address({.allow_public = false, .allow_loopback = true, .allow_private = true}, address));
  }
}

TEST_CASE("loopback addresses are allowed only where loopback is") {
  for (const auto* address :
       {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    CAPTURE(std::string(address));
    CHECK_FALSE(allows_address(Egress::public_internet(), address));
    CHECK_FALSE(allows_address({.allow_private = true}, address));
    CHECK(allows_address(Egress::public_and_loopback(), address));
  }
}

TEST_CASE("private addresses are allowed only where private ones are") {
  for (const auto* address :
       {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.1.1", "198.18.0.1", "fe80::1",
        "fc00::1", "fd12:3456::1", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"}) {
    CAPTURE(std::string(address));
    CHECK_FALSE(allows_address(Egress::public_internet(), address));
    CHECK_FALSE(allows_address(Egress::public_and_loopback(), address));
    CHECK(allows_address({.allow_private = true}, address));
  }
}

TEST_CASE("metadata and unroutable addresses are allowed by no policy") {
  for (const auto* address : {"169.254.169.254",
                              "169.254.170.2",
                              "100.100.100.200",
                              "168.63.129.16",
                              "fd00:ec2::254",
                              "0.0.0.0",
                              "0.1.2.3",
                              "192.0.0.192",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "ff02::1",
                              "2001::1",
                              "100::1",
                              "64:ff9b:1::1",
                              "::127.0.0.1",
                              "::ffff:169.254.169.254",
                              "64:ff9b::a9fe:a9fe",
                              "2002:a9fe:a9fe::",
                              "::ffff:0.0.0.0"}) {
    CAPTURE(std::string(address));
    CHECK_FALSE(allows_address(everything, address));
  }
}

TEST_CASE("the metadata addresses of AWS are allowed only to the client that is made for them") {
  const auto for_metadata = Egress::public_and_aws_metadata();
  for (const auto* address : {"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23",
                              "::ffff:169.254.169.254"}) {
    CAPTURE(std::string(address));
    CHECK(allows_address(for_metadata, address));
    CHECK_FALSE(allows_address(everything, address));
  }
  for (const auto* address : {"100.100.100.200", "168.63.129.16", "fd20:ce::254", "127.0.0.1", "10.0.0.1",
                              "169.254.169.253", "fd00:ec2::253", "0.0.0.0"}) {
    CAPTURE(std::string(address));
    CHECK_FALSE(allows_address(for_metadata, address));
  }
  CurlHttpClient client({.egress = for_metadata});
  for (const auto* url : {"http://127.0.0.1:9/", "http://203.0.113.9/"}) {
    CAPTURE(std::string(url));
    CHECK(send_and_wait(client, get(url)).error().code() == errc::http_refused_by_policy);
  }
}

TEST_CASE("text that is no numeric address is not allowed") {
  for (const auto* address : {"", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "1.2.3.4.5", "[::1]", "8.8.8.8 "}) {
    CAPTURE(std::string(address));
    CHECK_FALSE(allows_address(everything, address));
  }
}

TEST_CASE("a client whose policy has no loopback never connects there however the address is spelled") {
  test::RawServer server([](int fd) { test::write_all(fd, test::ok("")); });
  CurlHttpClient client({.egress = {.allow_private = true, .allow_plain_http = true}});
  const std::string port = ":" + std::to_string(server.port()) + "/";
  for (const auto* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"}) {
    CAPTURE(std::string(host));
    const auto answer = send_and_wait(client, get("http://" + std::string(host) + port));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::http_refused_by_policy);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("a policy is not widened by a connection that another client keeps open") {
  test::RawServer server([](int fd) {
    while (!test::read_request(fd).empty()) test::write_all(fd, test::ok("secret"));
  });
  CurlHttpClient open({.egress = Egress::public_and_loopback()});
  REQUIRE(send_and_wait(open, get(server.url())));
  CurlHttpClient strict({.egress = {.allow_plain_http = true}});
  const auto answer = send_and_wait(strict, get(server.url()));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::http_refused_by_policy);
  CHECK(answer.error().context("address") == "127.0.0.1");
}

TEST_CASE("plain http is refused unless allowed and never goes to a public address") {
  CurlHttpClient strict({.egress = {.allow_loopback = true}});
  const auto refused = send_and_wait(strict, get("http://127.0.0.1:9/"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::http_refused_by_policy);

  CurlHttpClient lenient({.egress = everything});
  const auto in_clear = send_and_wait(lenient, get("http://203.0.113.9/"));
  REQUIRE_FALSE(in_clear);
  CHECK(in_clear.error().code() == errc::http_refused_by_policy);
}

TEST_CASE("a trusted host is reached at the addresses of this machine, and no other host is") {
  test::RawServer server([](int fd) { test::write_all(fd, test::ok("")); });
  CurlHttpClient client({.egress = Egress::public_internet().trusting_host_of(server.url())});
  CHECK(send_and_wait(client, get(server.url())));
  const auto other = send_and_wait(client, get("http://localhost:" + std::to_string(server.port()) + "/"));
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == errc::http_refused_by_policy);
}

TEST_CASE("trusting a host opens neither plain http to the public nor the metadata services") {
  CurlHttpClient client({.egress = {.trusted_hosts = {"203.0.113.9", "169.254.169.254", "0.0.0.0"}}});
  for (const auto* url :
       {"http://203.0.113.9/", "http://169.254.169.254/", "https://169.254.169.254/", "http://0.0.0.0:9/"}) {
    CAPTURE(std::string(url));
    const auto answer = send_and_wait(client, get(url));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::http_refused_by_policy);
  }
}

TEST_CASE("the trusted host is the URL's, however it is spelled") {
  Egress egress;
  for (const auto* url : {"http://Ollama.lan:11434/v1", "https://[fd00::5]/", "no url", "http://"}) {
    egress = egress.trusting_host_of(url);
  }
  CHECK(egress.trusted_hosts == std::vector<std::string>{"Ollama.lan", "[fd00::5]"});
  CHECK(curl_http::trusts(egress, "OLLAMA.LAN"));
  CHECK_FALSE(curl_http::trusts(egress, "ollama.lan.example"));
  CHECK(curl_http::allows({}, true, curl_http::Place::inside, true));
  CHECK_FALSE(curl_http::allows({}, false, curl_http::Place::inside, false));
}
