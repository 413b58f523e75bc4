#include "provider/endpoint_url.hpp"

#include <string>

#include <doctest/doctest.h>

using openindex::providers::canonical_endpoint;
using openindex::providers::endpoint_problem;

TEST_CASE("base URLs of real providers are endpoints") {
  for (const char* url : {"https://api.openai.com/v1", "https://api.anthropic.com", "http://localhost:11434",
                          "http://127.0.0.1:8080/v1/", "http://[::1]:11434", "HTTPS://Example.COM",
                          "https://res-1.openai.azure.com/openai/v1", "http://ollama_box/a-b/c%20d~"}) {
    CAPTURE(url);
    CHECK(endpoint_problem(url) == "");
  }
}

TEST_CASE("what is no base URL is refused with its reason") {
  const auto scheme = "must begin with https:// or http://";
  const auto no_host = "must name a host";
  const auto port = "must have a port from 1 to 65535, or none";
  CHECK(endpoint_problem("") == scheme);
  CHECK(endpoint_problem("api.openai.com/v1") == scheme);
  CHECK(endpoint_problem("127.0.0.1:11434") == scheme);
  CHECK(endpoint_problem("ftp://host") == scheme);
  CHECK(endpoint_problem("file:///etc/passwd") == scheme);
  CHECK(endpoint_problem("https:/host") == scheme);
  CHECK(endpoint_problem("https://") == no_host);
  CHECK(endpoint_problem("https:///v1") == no_host);
  CHECK(endpoint_problem("https://:443") == no_host);
  CHECK(endpoint_problem("http://[]") == no_host);
  CHECK(endpoint_problem("http://[::1") == no_host);
  CHECK(endpoint_problem("http://[::1]x") == no_host);
  CHECK(endpoint_problem("http://a%62") == no_host);
  CHECK(endpoint_problem("http://host:") == port);
  CHECK(endpoint_problem("http://host:0") == port);
  CHECK(endpoint_problem("http://host:65536") == port);
  CHECK(endpoint_problem("http://host:-1") == port);
  CHECK(endpoint_problem("http://host:80:80") == port);
  CHECK(endpoint_problem("http://host:8o") == port);
  CHECK(endpoint_problem("https://user:pw@host") == "must not have a user name or password");
  CHECK(endpoint_problem("https://key@host/v1") == "must not have a user name or password");
  CHECK(endpoint_problem("https://host/v1?key=1") == "must not have a query");
  CHECK(endpoint_problem("https://host/#top") == "must not have a fragment");
  CHECK(endpoint_problem("http://good\\@evil") == "holds characters that a URL cannot have");
  CHECK(endpoint_problem("http://ho st") == "holds characters that a URL cannot have");
  CHECK(endpoint_problem("http://host/\r\nX: y") == "holds characters that a URL cannot have");
  CHECK(endpoint_problem("http://h\xc3\xb6st") == "holds characters that a URL cannot have");
  CHECK(endpoint_problem("https://host/" + std::string(2048, 'a')) == "is longer than 2048 bytes");
}

TEST_CASE("spellings of one place compare equal") {
  CHECK(canonical_endpoint("HTTPS://Api.Example.com:443/v1/") == canonical_endpoint("https://api.example.com/v1"));
  CHECK(canonical_endpoint("http://host:80") == canonical_endpoint("http://host/"));
  CHECK(canonical_endpoint("http://[::1]") == canonical_endpoint("http://[::1]:80"));
}

TEST_CASE("another scheme, host, port or path is another place") {
  const std::string base = canonical_endpoint("https://host/v1");
  for (const char* other : {"http://host/v1", "https://other/v1", "https://host:8443/v1", "https://host/v2",
                            "https://host", "https://host/V1", "https://host/v1/x"}) {
    CAPTURE(other);
    CHECK(canonical_endpoint(other) != base);
  }
}
