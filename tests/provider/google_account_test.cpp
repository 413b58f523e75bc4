#include "provider/google_account.hpp"

#include <doctest/doctest.h>

#include <openindex/testing/manual_clock.hpp>

#include "provider/google_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using providers::read_google_account;
using test::decoded;

namespace {

std::string base64(std::string_view text) {
  std::vector<unsigned char> out(text.size() * 2);
  const int size =
      EVP_EncodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  return std::string(out.begin(), out.begin() + size);
}

const test::GoogleKey& key() { return test::GoogleKey::shared(); }

std::string with(const char* member, const boost::json::value& value) {
  auto file = boost::json::parse(key().file());
  file.as_object()[member] = value;
  return boost::json::serialize(file);
}

}  // namespace

TEST_CASE("the file of a service account is read as JSON and as base64 of it") {
  for (const std::string& file : {key().file(), " \n" + key().file() + "\n", base64(key().file())}) {
    const auto account = read_google_account(file);
    REQUIRE(account);
    CHECK(account->email == "bot@project-1.iam.gserviceaccount.com");
    CHECK(account->private_key == key().pem());
    CHECK(account->key_id == "key-1");
    CHECK(account->token_url == "https://oauth2.googleapis.com/token");
    CHECK(account->project == "project-1");
  }
}

TEST_CASE("a file that is no service account's is refused with the reason, and not quoted") {
  const struct {
    std::string file;
    const char* problem;
  } files[] = {
      {"MARKER", "is not the JSON file of a Google service account, or base64 of it"},
      {R"({"MARKER":)", "is not the JSON file of a Google service account, or base64 of it"},
      {R"(["MARKER"])", "is not the JSON file of a Google service account, or base64 of it"},
      {base64("MARKER"), "is not the JSON file of a Google service account, or base64 of it"},
      {R"({"installed":{"client_id":"MARKER"}})",
       "has no client_email, so it is not the file of a Google service account"},
      {with("private_key", nullptr), "has no private_key, so it is not the file of a Google service account"},
      {with("private_key", "MARKER"),
       "has a private_key that is no RSA key of at most 8192 bits in PEM without a passphrase"},
      {with("token_uri", "https://MARKER.example.com/token"),
       "has a token_uri that is not one of Google's, such as https://oauth2.googleapis.com/token"},
      {with("token_uri", "http://oauth2.googleapis.com/token"),
       "has a token_uri that is not one of Google's, such as https://oauth2.googleapis.com/token"},
      {with("token_uri", "https://oauth2.googleapis.com/token@MARKER.example.com"),
       "has a token_uri that is not one of Google's, such as https://oauth2.googleapis.com/token"},
      {std::string(70'000, ' ') + key().file(), "is longer than 65536 bytes"},
  };
  for (const auto& [text, problem] : files) {
    CHECK(providers::google_account_problem(text) == problem);
    const auto account = read_google_account(text);
    REQUIRE_FALSE(account);
    CHECK(account.error().code() == errc::invalid_argument);
    CHECK(account.error().describe().find("MARKER") == std::string::npos);
  }
  CHECK(read_google_account(with("token_uri", nullptr))->token_url == "https://oauth2.googleapis.com/token");
}

TEST_CASE("a key that wants a passphrase is refused and nobody is asked for it") {
  const std::string locked = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIICzzBJBgkqhkiG9w0BBQ0wPDAbBgkqhkiG9w0BBQwwDgQI
-----END ENCRYPTED PRIVATE KEY-----
)";
  CHECK(providers::google_account_problem(with("private_key", boost::json::value(locked))) ==
        "has a private_key that is no RSA key of at most 8192 bits in PEM without a passphrase");
}

TEST_CASE("a token is asked for with a statement that the account's key has signed") {
  const auto account = read_google_account(key().file()).value();
  const Time now = Time(Duration(1'790'000'000'500));
  const auto request = providers::token_request(account, now);
  REQUIRE(request);
  CHECK(request->method == "POST");
  CHECK(request->url == "https://oauth2.googleapis.com/token");
  const std::string before = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  REQUIRE(request->body.starts_with(before));
  const std::string token = request->body.substr(before.size());
  const auto first = token.find('.'), second = token.rfind('.');
  CHECK(decoded(token.substr(0, first)) == R"({"alg":"RS256","typ":"JWT","kid":"key-1"})");
  CHECK(decoded(token.substr(first + 1, second - first - 1)) ==
        R"({"iss":"bot@project-1.iam.gserviceaccount.com",)"
        R"("scope":"https://www.googleapis.com/auth/cloud-platform","aud":"https://oauth2.googleapis.com/token",)"
        R"("iat":1790000000,"exp":1790003600})");
  CHECK(key().has_signed(token.substr(0, second), token.substr(second + 1)));
  CHECK_FALSE(key().has_signed(token.substr(0, second) + "x", token.substr(second + 1)));
  CHECK(request->body.find(account.private_key.substr(40, 20)) == std::string::npos);
}

TEST_CASE("the answer to a login is a token, or a reason that somebody can act on") {
  const Time now = Time(Duration(1'790'000'000'000));
  const auto read = [&](int status, const char* body) {
    return providers::read_token({.status = status, .body = body}, now);
  };
  const auto token = read(200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})");
  REQUIRE(token);
  CHECK(token->text == "ya29.x");
  CHECK(token->expires_at == now + 3599s);
  CHECK(read(200, R"({"access_token":"t","expires_in":99999999})")->expires_at == now + 1h);

  const auto refused = read(400, R"({"error":"invalid_grant","error_description":"MARKER"})");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::provider_unauthorized);
  CHECK(refused.error().context("type") == "invalid_grant");
  CHECK(refused.error().describe().find("MARKER") == std::string::npos);
  CHECK(read(401, "<html>").error().code() == errc::provider_unauthorized);
  CHECK(read(429, "").error().code() == errc::provider_rate_limited);
  CHECK(read(503, "").error().code() == errc::provider_overloaded);
  for (const char* body : {"", "{}", "[]", R"({"access_token":""})", R"({"access_token":"a\r\nX: b","expires_in":9})",
                           R"({"access_token":"t"})", R"({"access_token":"t","expires_in":0})"}) {
    INFO(body);
    CHECK(read(200, body).error().code() == errc::provider_malformed_reply);
  }
}
