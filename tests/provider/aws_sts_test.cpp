// Asking AWS for a role.
#include "provider/aws_sts.hpp"
#include "codecs/aws_region.hpp"
#include "codecs/wire_url.hpp"

#include <doctest/doctest.h>

#include "provider/aws_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using providers::read_role;
using test::role_answer;

namespace {

const Time sts_now = Time(Duration(1'790'082'800'000));  // 2026-09-22T13:13:20Z
const AwsCredentials host_session{"AKIAHOST", "secret-MARKER", "session-MARKER", {}};

std::string refusal_answer(const std::string& code) {
  return "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>" + code +
         "</Code><Message>MARKER</Message></Error><RequestId>1</RequestId></ErrorResponse>";
}

errc code_for(int status, std::string body) {
  const auto read = read_role({.status = status, .body = std::move(body)}, sts_now);
  REQUIRE_FALSE(read);
  CHECK(read.error().describe().find("MARKER") == std::string::npos);
  return read.error().code();
}

}  // namespace

TEST_CASE("a role is asked for with a form that the host's credentials have signed, byte by byte") {
  const providers::AwsRole role{"arn:aws:iam::123456789012:role/team/bot", "openindex-prov_1", "ext/MARKER"};
  const auto request = providers::role_request(role, "eu-west-1", host_session, sts_now).value();
  CHECK(request.method == "POST");
  CHECK(request.url == "https://sts.eu-west-1.amazonaws.com/");
  CHECK(request.body ==
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fteam%2Fbot"
        "&RoleSessionName=openindex-prov_1&ExternalId=ext%2FMARKER");
  const HttpHeaders wanted = {{"Content-Type", "application/x-www-form-urlencoded"},
                              {"X-Amz-Date", "20260922T131320Z"},
                              {"X-Amz-Security-Token", "session-MARKER"},
                              {"Authorization",
                               "AWS4-HMAC-SHA256 Credential=AKIAHOST/20260922/eu-west-1/sts/aws4_request, "
                               "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                               "Signature=a39fe8ad5601addcbd193f15e05061799d693b75bf2429190d0eb82cba515288"}};
  CHECK(request.headers == wanted);
  CHECK(request.response_bytes_max == 65'536);
}

TEST_CASE("a key that lasts signs without a session, and a role without an external id is asked for without") {
  const providers::AwsRole role{"arn:aws:iam::123456789012:role/team/bot", "openindex-prov_1"};
  const auto request =
      providers::role_request(role, "eu-west-1", {"AKIAHOST", "secret-MARKER", {}, {}}, sts_now).value();
  CHECK(request.body.find("ExternalId") == std::string::npos);
  REQUIRE(request.headers.size() == 3);
  CHECK(request.headers[2].second.ends_with(
      "SignedHeaders=content-type;host;x-amz-date, "
      "Signature=8c5b7b89e04e717e7eef2c5bfe8073de3524026d6362dae349c04d146244a487"));
}

TEST_CASE("roles of China are asked for there") {
  const auto request =
      providers::role_request({"arn:aws-cn:iam::1:role/x", "s"}, "cn-north-1", host_session, sts_now).value();
  CHECK(request.url == "https://sts.cn-north-1.amazonaws.com.cn/");
}

TEST_CASE("each partition of AWS has a domain of its own, and what is of none that is known is refused") {
  const std::pair<const char*, const char*> known[] = {
      {"eu-west-1", "amazonaws.com"},         {"ap-southeast-12", "amazonaws.com"},
      {"cn-northwest-1", "amazonaws.com.cn"}, {"us-gov-east-1", "amazonaws.com"},
      {"us-iso-west-1", "c2s.ic.gov"},        {"us-isob-east-1", "sc2s.sgov.gov"},
      {"us-isof-south-1", "csp.hci.ic.gov"},  {"eu-isoe-west-1", "cloud.adc-e.uk"},
      {"eusc-de-east-1", "amazonaws.eu"}};
  for (const auto& [region, domain] : known) {
    const std::string server = std::string(region) + "." + domain;
    CHECK(codecs::aws_url("sts", region).value() == "https://sts." + server);
    CHECK(providers::role_request({"arn:aws:iam::1:role/x", "s"}, region, host_session, sts_now)->url ==
          "https://sts." + server + "/");
    codecs::ChatEndpoint endpoint;
    endpoint.family = WireFamily::bedrock_converse;
    endpoint.model = "m";
    endpoint.region = region;
    CHECK(codecs::chat_url(endpoint).value() == "https://bedrock-runtime." + server + "/model/m/converse");
    CHECK(codecs::probe_url(endpoint).value() == "https://bedrock." + server + "/foundation-models");
  }
  for (const char* region : {"us-isoz-east-1", "eusc-fr-east-1", "eusc-east-1", "us-iso-east", "us-east-1-fips",
                             "local", "", "us-east-", "-west-1", "eu--1", "us-gov-1x-1", "a-west-1", "aws-global"}) {
    CAPTURE(std::string(region));
    const auto refused = codecs::aws_url("sts", region);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::invalid_argument);
    CHECK(refused.error().context("key") == "region");
    if (region[0] != '\0') {
      CHECK_FALSE(providers::role_request({"arn:aws:iam::1:role/x", "s"}, region, host_session, sts_now));
    }
    codecs::ChatEndpoint endpoint;
    endpoint.family = WireFamily::bedrock_converse;
    endpoint.model = "m";
    endpoint.region = region;
    CHECK_FALSE(codecs::chat_url(endpoint));
    endpoint.base_url = "https://vpce-1.example.com";
    CHECK(codecs::chat_url(endpoint));
  }
}

TEST_CASE("a role for an identity provider's token is asked for unsigned") {
  const auto request = providers::web_role_request({"arn:aws:iam::1:role/x", "pod"}, "us-east-1", "ey.J+/=").value();
  CHECK(request.url == "https://sts.us-east-1.amazonaws.com/");
  CHECK(request.body ==
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"
        "&RoleSessionName=pod&WebIdentityToken=ey.J%2B%2F%3D");
  CHECK(request.headers == HttpHeaders{{"Content-Type", "application/x-www-form-urlencoded"}});
  CHECK(providers::web_role_request({"a", "b"}, "", "c")->url == "https://sts.amazonaws.com/");
}

TEST_CASE("the credentials of a role are read with the time they last") {
  for (const char* action : {"AssumeRole", "AssumeRoleWithWebIdentity"}) {
    const auto role = read_role({.status = 200, .body = role_answer("7", sts_now + 1h, action)}, sts_now);
    REQUIRE(role);
    CHECK(role->access_key == "ASIA7");
    CHECK(role->secret_key == "role/secret+7");
    CHECK(role->session_token == "role-session-7==");
    CHECK(role->expires_at == sts_now + 1h);
  }
  CHECK(read_role({.status = 200, .body = role_answer("7", sts_now + 9000h)}, sts_now)->expires_at == sts_now + 12h);
}

TEST_CASE("a refusal of AWS is told by its name, with what to look at") {
  const auto denied = read_role({.status = 403, .body = refusal_answer("AccessDenied")}, sts_now);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code() == errc::provider_unauthorized);
  CHECK(denied.error().message().find("roleArn, externalId") != std::string::npos);
  CHECK(denied.error().context("type") == "AccessDenied");
  CHECK(denied.error().context("status") == "403");
  const struct {
    int status;
    const char* name;
    errc code;
  } rows[] = {
      {403, "AccessDenied", errc::provider_unauthorized},
      {403, "InvalidClientTokenId", errc::provider_unauthorized},
      {403, "ExpiredTokenException", errc::provider_unauthorized},
      {400, "InvalidIdentityToken", errc::provider_unauthorized},
      {403, "RegionDisabledException", errc::provider_rejected_request},
      {400, "ValidationError", errc::provider_rejected_request},
      {400, "IDPCommunicationError", errc::provider_overloaded},
      {400, "Throttling", errc::provider_rate_limited},
      {400, "MARKER", errc::provider_rejected_request},
      {403, "MARKER", errc::provider_unauthorized},
      {429, "MARKER", errc::provider_rate_limited},
      {503, "MARKER", errc::provider_overloaded},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CAPTURE(std::string(row.name));
    CHECK(code_for(row.status, refusal_answer(row.name)) == row.code);
  }
  CHECK(code_for(400, "<html>MARKER") == errc::provider_malformed_reply);
  CHECK(code_for(302, "") == errc::provider_malformed_reply);
}

TEST_CASE("an answer without whole credentials that last is malformed, whatever else it is") {
  const std::string good = role_answer("7", sts_now + 1h);
  const auto without = [&](const std::string& name) {
    const auto from = good.find("<" + name + ">"), to = good.find("</" + name + ">") + name.size() + 3;
    return good.substr(0, from) + good.substr(to);
  };
  const auto with_secret = [&](const std::string& value) {
    std::string text = good;
    return text.replace(text.find("role/secret+7"), 13, value);
  };
  const std::string bodies[] = {
      "",
      "{}",
      R"({"AssumeRoleResponse":{"AssumeRoleResult":{"Credentials":{"AccessKeyId":"MARKER"}}}})",
      "<html>MARKER</html>",
      good.substr(0, good.size() - 3),
      good + "x",
      without("AccessKeyId"),
      without("SecretAccessKey"),
      without("SessionToken"),
      without("Expiration"),
      with_secret("a&#10;X: b"),
      with_secret("a b"),
      with_secret("\xc3\xa9"),
      role_answer("7", sts_now),
      role_answer("7", sts_now - 1h),
      good + std::string(70'000, ' '),
      "<!DOCTYPE a>" + good,
  };
  for (const std::string& body : bodies) {
    CAPTURE(body.substr(0, 60));
    CHECK(code_for(200, body) == errc::provider_malformed_reply);
  }
}
