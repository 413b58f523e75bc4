#include "codecs/aws_signature.hpp"

#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::AwsKey;
using codecs::AwsScope;

namespace {

using Headers = HttpHeaders;

// The key, scope and moment of AWS's published test suite.
constexpr AwsKey suite_key{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
constexpr AwsScope suite_scope{"us-east-1", "service"};
const Time suite_time = std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + std::chrono::hours(12) +
                        std::chrono::minutes(36) + std::chrono::milliseconds(999);

HttpRequest suite_request(std::string method, const std::string& target, Headers headers = {}, std::string body = {}) {
  return {.method = std::move(method),
          .url = "https://example.amazonaws.com" + target,
          .headers = std::move(headers),
          .body = std::move(body)};
}

std::string authorization(HttpRequest request, const AwsKey& key = suite_key) {
  codecs::sign(request, key, suite_scope, suite_time);
  return header(request, "Authorization");
}

std::string line(const HttpRequest& request, std::size_t number) {
  std::string text = codecs::canonical_request(request);
  for (; number > 0; --number) text.erase(0, text.find('\n') + 1);
  return text.substr(0, text.find('\n'));
}

std::string path_of(const std::string& target) { return line(suite_request("GET", target), 1); }
std::string query_of(const std::string& target) { return line(suite_request("GET", target), 2); }

}  // namespace

TEST_CASE("a request is signed as in the published test suite") {
  const std::string all = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  struct Vector {
    const char* name;
    HttpRequest request;
    const char* headers;
    const char* signature;
  };
  const Vector suite[] = {
      {"get-vanilla", suite_request("GET", "/"), "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"post-vanilla", suite_request("POST", "/"), "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-unreserved", suite_request("GET", "/" + all), "host;x-amz-date",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8", suite_request("GET", "/\u1234"), "host;x-amz-date",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-space", suite_request("GET", "/example space/"), "host;x-amz-date",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-slash", suite_request("GET", "//"), "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-slashes", suite_request("GET", "//example//"), "host;x-amz-date",
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {"get-slash-dot-slash", suite_request("GET", "/./"), "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-relative", suite_request("GET", "/example/.."), "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-relative-relative", suite_request("GET", "/example1/example2/../.."), "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case", suite_request("GET", "/?Param2=value2&Param1=value1"), "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-order-value", suite_request("GET", "/?Param1=value2&Param1=value1"), "host;x-amz-date",
       "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
      {"get-vanilla-utf8-query", suite_request("GET", "/?\u1234=bar"), "host;x-amz-date",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-header-value-order",
       suite_request(
           "GET", "/",
           {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}}),
       "host;my-header1;x-amz-date", "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-header-key-duplicate",
       suite_request("GET", "/", {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}),
       "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-trim",
       suite_request("GET", "/", {{"My-Header2", " \"a   b   c\""}, {"My-Header1", " value1"}}),
       "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-x-www-form-urlencoded",
       suite_request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1"),
       "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (const Vector& vector : suite) {
    CAPTURE(vector.name);
    CHECK(authorization(vector.request) ==
          std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                      "SignedHeaders=") +
              vector.headers + ", Signature=" + vector.signature);
  }
}

TEST_CASE("a session token is sent and signed as in the published test suite") {
  auto key = suite_key;
  key.session_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
  auto request = suite_request("GET", "/");
  codecs::sign(request, key, suite_scope, suite_time);
  CHECK(header(request, "X-Amz-Security-Token") == key.session_token);
  CHECK(header(request, "Authorization")
            .ends_with("SignedHeaders=host;x-amz-date;x-amz-security-token, "
                       "Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"));
}

TEST_CASE("the canonical request is the one that AWS documents") {
  auto request = suite_request("GET", "/?Param2=value2&Param1=value1");
  codecs::sign(request, suite_key, suite_scope, suite_time);
  std::erase_if(request.headers, [](const auto& entry) { return entry.first == "Authorization"; });
  CHECK(codecs::canonical_request(request) ==
        "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
        "host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a path that is encoded already is signed encoded once more") {
  CHECK(path_of("/model/anthropic.claude-v1%3A0/converse") == "/model/anthropic.claude-v1%253A0/converse");
  CHECK(path_of("/model/a:b") == "/model/a%3Ab");
  CHECK(path_of("/a%2Fb") == "/a%252Fb");
  CHECK(path_of("") == "/");
  CHECK(path_of("/a/..b/.c") == "/a/..b/.c");
}

TEST_CASE("a query is signed encoded once however it was sent") {
  CHECK(query_of("/?q=a%20b&p=a b") == "p=a%20b&q=a%20b");
  CHECK(query_of("/?q=a+b") == "q=a%2Bb");
  CHECK(query_of("/?b&a=1=2&&") == "a=1%3D2&b=");
  CHECK(query_of("/?q=%zz%4") == "q=%25zz%254");
  CHECK(query_of("?a=1") == "a=1");
}

TEST_CASE("a port is signed unless it is the scheme's own") {
  const auto host_signed = [](std::string url) {
    HttpRequest request{.url = std::move(url)};
    codecs::sign(request, suite_key, suite_scope, suite_time);
    return header(request, "Host");
  };
  CHECK(host_signed("https://h:443/x") == "h");
  CHECK(host_signed("http://h:80") == "h");
  CHECK(host_signed("http://h:443/x") == "h:443");
  CHECK(host_signed("http://127.0.0.1:8080?x") == "127.0.0.1:8080");
}

TEST_CASE("neither the secret nor a key derived from it is sent") {
  auto request = suite_request("POST", "/", {}, "{}");
  codecs::sign(request, suite_key, suite_scope, suite_time);
  for (const auto& [name, value] : request.headers) CHECK(value.find(suite_key.secret) == std::string::npos);
}
