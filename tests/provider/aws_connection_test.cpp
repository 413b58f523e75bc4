// Providers of AWS by each way to be connected: an access key, another account's role, the host's own.
#include <doctest/doctest.h>

#include <algorithm>

#include "provider/aws_fixture.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using namespace std::chrono_literals;

namespace {

const std::string sts_url = "https://sts.eu-west-1.amazonaws.com/";
const std::string role_question = "Action=AssumeRole&";

struct AwsFixture {
  MemoryStorage storage;
  testing::ManualClock clock;
  SealedSecretStore secrets{HostKey::ephemeral()};
  FakeHttp http;
  PlayedIdentity identity;
  ProviderRegistry registry{
      {.storage = storage, .secrets = secrets, .http = http, .clock = clock, .aws_identity = &identity}};
  ProviderRegistry plain{{.storage = storage, .secrets = secrets, .http = http, .clock = clock}};

  HttpResponse role;  // what STS answers to the question for a role
  HttpResponse service{200, {}, R"({"modelSummaries":[{"modelId":"m"}]})"};

  AwsFixture() {
    role = {200, {}, role_answer("1", clock.now() + 1h)};
    http.answer = [this](const HttpRequest& request) -> Result<HttpResponse> {
      return request.body.starts_with(role_question) ? role : service;
    };
  }

  ProviderId made(const std::string& type, const std::string& connection, ProviderConfig more = {}) {
    more.insert({{"connectionType", connection}, {"region", "eu-west-1"}});
    if (type.starts_with("aws_bedrock")) more.emplace("model", "m");
    if (connection == "ACCESS_KEY") more.insert({{"user", "AKIAOWN"}, {"api_key", "own-MARKER"}});
    if (connection == "EXTERNAL_ROLE") {
      more.insert({{"roleArn", "arn:aws:iam::123456789012:role/bot"}, {"externalId", "ext-MARKER"}});
    }
    return registry.save(test::host, {.name = type + connection, .type = type, .config = more}).value().id;
  }
  ProviderTest tested(const ProviderId& id) {
    http.requests.clear();
    const auto result = registry.test(test::host, id);
    REQUIRE(result);
    CHECK(result->message.find("MARKER") == std::string::npos);
    CHECK(result->message.find("role/secret") == std::string::npos);
    return *result;
  }
  std::string sent(std::string_view name) const {
    for (const auto& [key, value] : http.requests.back().headers) {
      if (key == name) return value;
    }
    return {};
  }
  bool signed_as(const std::string& access_key) const {
    return sent("Authorization").starts_with("AWS4-HMAC-SHA256 Credential=" + access_key + "/");
  }
};

const char* const role_connections[] = {"CONDUCTOR_ROLE", "EXTERNAL_ROLE"};

}  // namespace

TEST_CASE_FIXTURE(AwsFixture, "a role without an identity of the host is refused with what the host must set") {
  for (const char* type : {"aws_bedrock_titan", "aws_sqs", "aws"}) {
    for (const char* connection : role_connections) {
      const auto id = made(type, connection);
      const auto test = plain.test(test::host, id);
      REQUIRE(test);
      CHECK_FALSE(test->ok());
      CHECK(test->code == errc::invalid_argument);
      CHECK(test->message.find(connection) != std::string::npos);
      CHECK(test->message.find("ProviderRegistry::Options::aws_identity") != std::string::npos);
    }
  }
  CHECK(http.requests.empty());
}

TEST_CASE_FIXTURE(AwsFixture, "an access key of the provider's own needs no identity, and asks none") {
  for (const char* type : {"aws_bedrock_titan", "aws_sqs"}) {
    CHECK(tested(made(type, "ACCESS_KEY")).ok());
    CHECK(signed_as("AKIAOWN"));
    CHECK(sent("X-Amz-Security-Token").empty());
  }
  CHECK(identity.asked == 0);
}

TEST_CASE_FIXTURE(AwsFixture, "the host's own role signs with the host's credentials, session included") {
  for (const char* type : {"aws_bedrock_anthropic", "aws_bedrock_cohere", "aws_bedrock_titan", "aws_sqs"}) {
    CAPTURE(std::string(type));
    CHECK(tested(made(type, "CONDUCTOR_ROLE")).ok());
    CHECK(http.requests.size() == 1);
    CHECK(signed_as("AKIAHOST"));
    CHECK(sent("X-Amz-Security-Token") == "host-session-MARKER");
    CHECK(sent("Authorization").find(";x-amz-security-token") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(AwsFixture, "the host's own role goes before an access key that was left in the configuration") {
  CHECK(tested(made("aws_bedrock_titan", "CONDUCTOR_ROLE", {{"user", "AKIAOWN"}, {"api_key", "own-MARKER"}})).ok());
  CHECK(signed_as("AKIAHOST"));
}

TEST_CASE_FIXTURE(AwsFixture, "another account's role is taken with the host's credentials, and then signs") {
  for (const char* type : {"aws_bedrock_titan", "aws_sqs"}) {
    CAPTURE(std::string(type));
    const auto id = made(type, "EXTERNAL_ROLE");
    CHECK(tested(id).ok());
    REQUIRE(http.requests.size() == 2);
    const HttpRequest& question = http.requests.front();
    CHECK(question.url == sts_url);
    CHECK(question.body ==
          "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbot"
          "&RoleSessionName=openindex-" +
              id.str() + "&ExternalId=ext-MARKER");
    CHECK(signed_as("ASIA1"));
    CHECK(sent("X-Amz-Security-Token") == "role-session-1==");
  }
}

TEST_CASE_FIXTURE(AwsFixture, "a role is asked for at AWS even when the service has an endpoint of its own") {
  CHECK(tested(made("aws_bedrock_titan", "EXTERNAL_ROLE", {{"endpoint", "https://bedrock.example.com"}})).ok());
  REQUIRE(http.requests.size() == 2);
  CHECK(http.requests.front().url == sts_url);
  CHECK(http.requests.back().url.starts_with("https://bedrock.example.com/"));
}

TEST_CASE_FIXTURE(AwsFixture, "a role is kept until five minutes before it expires") {
  const auto id = made("aws_bedrock_titan", "EXTERNAL_ROLE");
  CHECK(tested(id).ok());
  clock.advance(54min);
  CHECK(tested(id).ok());
  CHECK(http.requests.size() == 1);
  CHECK(signed_as("ASIA1"));
  clock.advance(2min);
  role.body = role_answer("2", clock.now() + 1h);
  CHECK(tested(id).ok());
  CHECK(http.requests.size() == 2);
  CHECK(signed_as("ASIA2"));
}

TEST_CASE_FIXTURE(AwsFixture, "a role that is not given anew is no failure of a test while the session lasts") {
  for (const char* type : {"aws_bedrock_titan", "aws_sqs"}) {
    CAPTURE(std::string(type));
    role = {200, {}, role_answer("1", clock.now() + 1h)};
    const auto id = made(type, "EXTERNAL_ROLE");
    CHECK(tested(id).ok());
    clock.advance(56min);
    role = {503, {}, "<html>"};
    CHECK(tested(id).ok());
    CHECK(http.requests.size() == 2);
    CHECK(signed_as("ASIA1"));
    clock.advance(4min);
    CHECK(tested(id).code == errc::provider_overloaded);
  }
}

TEST_CASE_FIXTURE(AwsFixture, "the account is compared however one is connected") {
  const ProviderConfig mine{{"awsAccountId", "123456789012"}}, other{{"awsAccountId", "210987654321"}};
  service.body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>";
  for (const char* connection : {"ACCESS_KEY", "EXTERNAL_ROLE", "CONDUCTOR_ROLE"}) {
    CAPTURE(std::string(connection));
    CHECK(tested(made("aws", connection, mine)).ok());
    CHECK(http.requests.back().body == "Action=GetCallerIdentity&Version=2011-06-15");
    const auto wrong = tested(made("aws", connection, other));
    CHECK(wrong.authenticated);
    CHECK_FALSE(wrong.configured);
    CHECK(wrong.code == errc::provider_rejected_request);
    CHECK(wrong.message.find("awsAccountId") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(AwsFixture, "a role that is not given is told, and nothing is asked without it") {
  role = {403, {}, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>MARKER</Message></Error></ErrorResponse>"};
  const auto denied = tested(made("aws_bedrock_titan", "EXTERNAL_ROLE"));
  CHECK(http.requests.size() == 1);
  CHECK(denied.reachable);
  CHECK_FALSE(denied.authenticated);
  CHECK(denied.code == errc::provider_unauthorized);
  CHECK(denied.message.find("roleArn, externalId") != std::string::npos);
  CHECK(identity.refusals.empty());  // it is the role that is not given

  role = {403, {}, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"};
  CHECK(tested(made("aws", "EXTERNAL_ROLE")).code == errc::provider_unauthorized);
  CHECK(identity.refusals == std::vector<std::string>{"AKIAHOST"});

  role = {400, {}, "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>"};
  const auto malformed = tested(made("aws", "EXTERNAL_ROLE"));
  CHECK(malformed.reachable);
  CHECK_FALSE(malformed.configured);
  CHECK(malformed.code == errc::provider_rejected_request);

  role = {200, {}, "<html>MARKER"};
  CHECK(tested(made("aws_sqs", "EXTERNAL_ROLE")).code == errc::provider_malformed_reply);
}

TEST_CASE_FIXTURE(AwsFixture, "credentials that the service refuses are fetched anew for the next test") {
  service = {403, {}, R"({"__type":"ExpiredTokenException","message":"MARKER"})"};
  for (const char* type : {"aws_bedrock_titan", "aws_sqs"}) {
    CAPTURE(std::string(type));
    identity.refusals.clear();
    const auto external = made(type, "EXTERNAL_ROLE");
    for (int i = 0; i < 2; ++i) {
      const auto refused = tested(external);
      CHECK(refused.code == errc::provider_unauthorized);
      CHECK(refused.message.find("role") != std::string::npos);
      CHECK(http.requests.size() == 2);
    }
    const auto own = tested(made(type, "CONDUCTOR_ROLE"));
    CHECK(own.code == errc::provider_unauthorized);
    CHECK(own.message.find("api_key") == std::string::npos);
    CHECK(identity.refusals == std::vector<std::string>{"ASIA1", "ASIA1", "AKIAHOST"});
  }
}

TEST_CASE_FIXTURE(AwsFixture, "a session that SQS calls expired in a 400 is a refused credential") {
  service = {400, {}, R"({"__type":"com.amazonaws.sqs#ExpiredTokenException","message":"MARKER"})"};
  CHECK(tested(made("aws_sqs", "CONDUCTOR_ROLE")).code == errc::provider_unauthorized);
}

TEST_CASE_FIXTURE(AwsFixture, "an identity that gives nothing is told in the result of a test") {
  const auto id = made("aws_bedrock_titan", "CONDUCTOR_ROLE");
  identity.given = Error(errc::http_timeout, "No answer from the metadata service");
  const auto late = tested(id);
  CHECK(late.code == errc::http_timeout);
  CHECK(late.message.find("No answer from the metadata service") != std::string::npos);
  CHECK(http.requests.empty());

  identity.given = Error(errc::secret_unreadable, "There is no role");
  CHECK(code_of(registry.test(test::host, id)) == errc::secret_unreadable);
  const AwsCredentials unsound[] = {
      {}, {"AKIA", {}, {}, {}}, {"AKIA", "a\r\nX: MARKER", {}, {}}, {"AKIA", "s", "\n", {}}};
  for (const AwsCredentials& credentials : unsound) {
    identity.given = credentials;
    const auto test = registry.test(test::host, id);
    CHECK(code_of(test) == errc::secret_unreadable);
    CHECK(test.error().describe().find("MARKER") == std::string::npos);
  }
  CHECK(http.requests.empty());
}

TEST_CASE_FIXTURE(AwsFixture, "an identity that throws is stopped, and its words go nowhere") {
  identity.throws = true;
  for (const char* connection : role_connections) {
    const auto test = registry.test(test::host, made("aws_bedrock_titan", connection));
    REQUIRE_FALSE(test);
    CHECK(test.error().code() == errc::host_callback_failed);
    CHECK(test.error().describe().find("MARKER") == std::string::npos);
  }
  identity.throws = false;
  const auto id = made("aws_bedrock_titan", "EXTERNAL_ROLE");
  role = {403, {}, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"};
  http.answer = [this](const HttpRequest&) -> Result<HttpResponse> {
    identity.throws = true;  // from here on: when it is told of the refusal
    return role;
  };
  CHECK(registry.test(test::host, id)->code == errc::provider_unauthorized);
  CHECK(identity.refusals.size() == 1);
}

TEST_CASE_FIXTURE(AwsFixture, "a server that is not there refuses no credentials") {
  service.status = 503;
  CHECK(tested(made("aws_sqs", "CONDUCTOR_ROLE")).code == errc::provider_overloaded);
  CHECK(tested(made("aws_bedrock_titan", "CONDUCTOR_ROLE")).code == errc::provider_overloaded);
  CHECK(identity.refusals.empty());
}

TEST_CASE_FIXTURE(AwsFixture, "the external id of a role is given again for another role, whose owner would see it") {
  const auto id = made("aws_sqs", "EXTERNAL_ROLE", {{"awsAccountId", "123456789012"}});
  const ProviderConfig other{{"roleArn", "arn:aws:iam::210987654321:role/bot"}};
  const auto refused = registry.update(test::host, id, {.config = other});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::secret_required_for_endpoint);
  CHECK(refused.error().missing() == std::vector<std::string>{"externalId"});
  ProviderConfig with_secret = other;
  with_secret.emplace("externalId", "ext-MARKER");
  CHECK(registry.update(test::host, id, {.config = with_secret}));
  CHECK(registry.update(test::host, id, {.config = {{"region", "eu-west-2"}}}));
}

TEST_CASE_FIXTURE(AwsFixture, "the external id of a role is given again where the service gets another endpoint") {
  const auto id = made("aws_bedrock_titan", "EXTERNAL_ROLE");
  ProviderConfig elsewhere{{"endpoint", "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com"}};
  const auto refused = registry.update(test::host, id, {.config = elsewhere});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().missing() == std::vector<std::string>{"externalId"});
  elsewhere.emplace("externalId", "ext-MARKER");
  CHECK(registry.update(test::host, id, {.config = elsewhere}));
}

TEST_CASE_FIXTURE(AwsFixture, "what a session signs for an endpoint of one's own is good for no other host") {
  CHECK(tested(made("aws_sqs", "CONDUCTOR_ROLE", {{"endpoint", "https://sqs.example.com"}})).ok());
  CHECK(sent("Authorization").find("SignedHeaders=content-type;host;") != std::string::npos);
  for (const auto& [name, value] : http.requests.back().headers) {
    CHECK(value.find("host-secret-MARKER") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(AwsFixture, "a region whose hosts are not known is refused, unless the service has an endpoint") {
  for (const char* type : {"aws_bedrock_titan", "aws_sqs", "aws"}) {
    CAPTURE(std::string(type));
    ProviderConfig config{{"connectionType", "CONDUCTOR_ROLE"}, {"region", "us-isoz-east-1"}, {"model", "m"}};
    if (std::string(type).find("bedrock") == std::string::npos) config.erase("model");
    const auto id =
        registry.save(test::host, {.name = std::string("z") + type, .type = type, .config = config}).value().id;
    http.requests.clear();
    const auto refused = registry.test(test::host, id);
    CHECK((!refused || !refused->ok()));
    CHECK(http.requests.empty());
  }
}

TEST_CASE_FIXTURE(AwsFixture, "no secret of a role is in a view, a record or the audit") {
  for (const char* connection : role_connections) {
    const auto id = made("aws_bedrock_titan", connection);
    CHECK(tested(id).ok());
    static_cast<void>(registry.update(test::host, id, {.config = {{"model", "n"}}}).value());
    const Provider view = registry.get(id).value();
    for (const auto& [key, value] : view.config) CHECK(value.find("MARKER") == std::string::npos);
    CHECK_FALSE(view.config.contains("externalId"));
    for (const auto& entry : audit_of(storage, id)) {
      for (const auto& change : changes_of(entry)) CHECK(change.find("MARKER") == std::string::npos);
    }
  }
  for (const Record& record : records(storage)) {
    for (const char* secret : {"MARKER", "role/secret", "role-session", "AKIAHOST"}) {
      CHECK(record.body.find(secret) == std::string::npos);
    }
  }
}
