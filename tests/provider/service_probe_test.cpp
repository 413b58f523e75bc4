// Trying out services that are no models, over HTTP.
#include <doctest/doctest.h>

#include "provider/google_fixture.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

struct ServiceFixture : RegistryFixture {
  std::map<std::string, HttpResponse> answers;  // by the beginning of the URL

  ServiceFixture() {
    clock.advance(Duration(1'790'000'000'000));
    http.answer = [this](const HttpRequest& request) -> Result<HttpResponse> {
      for (auto row = answers.rbegin(); row != answers.rend(); ++row) {  // longer ones first
        if (request.url.starts_with(row->first)) return row->second;
      }
      return Error(errc::http_unreachable);
    };
  }

  ProviderTest tested(const std::string& type, const ProviderConfig& config) {
    http.requests.clear();
    const auto made = registry.save(host, {.name = type, .type = type, .config = config});
    REQUIRE(made);
    const auto test = registry.test(host, made->id);
    REQUIRE(test);
    CHECK(test->message.find("MARKER") == std::string::npos);
    return *test;
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : http.requests.back().headers) {
      if (key == name) return value;
    }
    return {};
  }
  const HttpRequest& asked() const { return http.requests.back(); }
};

const ProviderConfig pinecone{{"api_key", "pc-MARKER"}, {"environment", "us-east-1"}};
const ProviderConfig aws{
    {"connectionType", "ACCESS_KEY"}, {"region", "eu-west-1"}, {"user", "AKIA1"}, {"api_key", "aws-MARKER"}};

ProviderConfig with(ProviderConfig config, const std::string& key, const std::string& value) {
  config[key] = value;
  return config;
}

void check(const ProviderTest& test, bool reachable, bool authenticated, bool configured, std::optional<errc> code) {
  CHECK(test.reachable == reachable);
  CHECK(test.authenticated == authenticated);
  CHECK(test.configured == configured);
  CHECK(test.code == code);
  CHECK(!test.message.empty());
}

}  // namespace

TEST_CASE_FIXTURE(ServiceFixture, "each service is asked its own question, with its own kind of credential") {
  const std::string file = GoogleKey::shared().file();
  answers["https://oauth2.googleapis.com/token"] = {200, {}, R"({"access_token":"ya29","expires_in":3600})"};
  answers["https://"] = {200, {}, R"({"indexes":[],"Account":"123456789012"})"};
  const struct {
    const char* type;
    ProviderConfig config;
    const char* method;
    const char* url;
    const char* header;
    const char* value;
  } table[] = {
      {"pineconedb", pinecone, "GET", "https://api.pinecone.io/indexes", "Api-Key", "pc-MARKER"},
      {"weaviatedb",
       {{"api_key", "w-MARKER"}, {"endpoint", "https://w.example.com/"}},
       "GET",
       "https://w.example.com/v1/meta",
       "Authorization",
       "Bearer w-MARKER"},
      {"sendgrid",
       {{"api_key", "SG.MARKER"}},
       "GET",
       "https://api.sendgrid.com/v3/scopes",
       "Authorization",
       "Bearer SG.MARKER"},
      {"git",
       {{"user", "mia"}, {"api_key", "ghp_MARKER"}},
       "GET",
       "https://api.github.com/user",
       "Authorization",
       "Bearer ghp_MARKER"},
      {"gcp",
       {{"projectName", "p-1"}, {"environment", "europe-west1"}, {"file", file}},
       "GET",
       "https://cloudresourcemanager.googleapis.com/v1/projects/p-1",
       "Authorization",
       "Bearer ya29"},
      {"gcp_pubsub",
       {{"projectName", "p-1"}, {"location", "eu"}, {"file", file}},
       "GET",
       "https://pubsub.googleapis.com/v1/projects/p-1/topics?pageSize=1",
       "Authorization",
       "Bearer ya29"},
      {"aws", aws, "POST", "https://sts.eu-west-1.amazonaws.com/", "Content-Type", "application/x-www-form-urlencoded"},
      {"aws_sqs", aws, "POST", "https://sqs.eu-west-1.amazonaws.com/", "X-Amz-Target", "AmazonSQS.ListQueues"},
  };
  for (const auto& row : table) {
    const std::string type = row.type;
    CAPTURE(type);
    check(tested(type, row.config), true, true, true, std::nullopt);
    CHECK(asked().method == row.method);
    CHECK(asked().url == row.url);
    CHECK(header(row.header) == row.value);
    if (type.starts_with("aws")) {
      CHECK(header("Authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIA1/"));
      CHECK(header("Authorization").find(type == "aws" ? "/eu-west-1/sts/" : "/eu-west-1/sqs/") != std::string::npos);
      CHECK(header("Host").empty());
    }
  }
}

TEST_CASE_FIXTURE(ServiceFixture, "what is wrong is told apart: the credential, the place, the server, the network") {
  const std::pair<std::string, ProviderConfig> services[] = {{"pineconedb", pinecone},
                                                             {"sendgrid", {{"api_key", "SG.MARKER"}}},
                                                             {"aws", aws},
                                                             {"aws_sqs", aws},
                                                             {"git", {{"user", "u"}, {"api_key", "glpat-MARKER"}}}};
  for (const auto& service : services) {
    const std::string type = service.first;
    const ProviderConfig& config = service.second;
    CAPTURE(type);
    answers.clear();
    check(tested(type, config), false, false, true, errc::http_unreachable);
    for (const int status : {401, 403}) {
      answers["https://"] = {status, {}, "MARKER"};
      check(tested(type, config), true, false, true, errc::provider_unauthorized);
    }
    answers["https://"] = {429, {}, "MARKER"};
    check(tested(type, config), true, true, true, errc::provider_rate_limited);
    answers["https://"] = {503, {}, "MARKER"};
    check(tested(type, config), true, false, true, errc::provider_overloaded);
    for (const int status : {301, 400, 404, 405}) {
      answers["https://"] = {status, {{"Location", "https://MARKER"}}, "MARKER"};
      check(tested(type, config), true, false, false, errc::provider_rejected_request);
    }
  }
  answers["https://"] = {200, {}, "<html>MARKER"};
  for (const char* type : {"pineconedb", "aws", "aws_sqs"}) {
    const auto& config = type == std::string("pineconedb") ? pinecone : aws;
    check(tested(type, config), true, false, false, errc::provider_malformed_reply);
  }
}

TEST_CASE_FIXTURE(ServiceFixture, "a key of AWS that may not do what is tried is a good one") {
  answers["https://"] = {403, {}, "<Code>AccessDenied</Code><Message>MARKER"};
  for (const char* type : {"aws", "aws_sqs"}) check(tested(type, aws), true, true, true, std::nullopt);
}

TEST_CASE_FIXTURE(ServiceFixture, "AWS says in a 400 that it does not know a key") {
  answers["https://"] = {400, {}, R"({"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"x"})"};
  check(tested("aws_sqs", aws), true, false, true, errc::provider_unauthorized);
}

TEST_CASE_FIXTURE(ServiceFixture, "an access key of another account than the one that is named is told") {
  answers["https://"] = {200, {}, "<Arn>arn:aws:iam::1:user/Account7</Arn><Account>123456789012</Account>"};
  check(tested("aws", with(aws, "awsAccountId", "123456789012")), true, true, true, std::nullopt);
  check(tested("aws", with(aws, "awsAccountId", "210987654321")), true, true, false, errc::provider_rejected_request);
}

TEST_CASE_FIXTURE(ServiceFixture, "a connection of AWS that needs roles wants an identity of the host") {
  const auto test = tested("aws", {{"connectionType", "CONDUCTOR_ROLE"}, {"region", "eu-west-1"}});
  check(test, false, false, false, errc::invalid_argument);
  CHECK(test.message.find("aws_identity") != std::string::npos);
  CHECK(http.requests.empty());
}

TEST_CASE_FIXTURE(ServiceFixture, "the project of a Pinecone key is read off its indexes") {
  const std::string list =
      R"({"indexes":[{"name":"a-b","host":"a-b-abc1234.svc.us-east-1.pinecone.io"},{"name":"c","host":"nonsense"}]})";
  answers["https://api.pinecone.io/indexes"] = {200, {}, list};
  const auto test = tested("pineconedb", pinecone);
  check(test, true, true, true, std::nullopt);
  CHECK(test.found == ProviderConfig{{"projectName", "abc1234"}});
  const auto same = tested("pineconedb", with(pinecone, "projectName", "abc1234"));
  check(same, true, true, true, std::nullopt);
  CHECK(same.found.empty());
  check(tested("pineconedb", with(pinecone, "projectName", "other")), true, true, false,
        errc::provider_rejected_request);
}

TEST_CASE_FIXTURE(ServiceFixture, "a token of Git that does not tell its host needs the URL of a repository") {
  const ProviderConfig config{{"user", "mia"}, {"api_key", "tok-MARKER"}};
  const auto test = tested("git", config);
  check(test, false, false, false, errc::invalid_argument);
  CHECK(test.message.find("endpoint") != std::string::npos);
  answers["https://git.example.com/team/repo.git/info/refs?service=git-upload-pack"] = {
      200, {}, "001e# service=git-upload-pack\n"};
  const ProviderConfig at{
      {"user", "mia"}, {"api_key", "tok-MARKER"}, {"endpoint", "https://git.example.com/team/repo.git"}};
  check(tested("git", at), true, true, true, std::nullopt);
  CHECK(header("Authorization") == "Basic bWlhOnRvay1NQVJLRVI=");
  answers["https://git.example.com/"] = {200, {}, "<html>MARKER"};
  answers.erase("https://git.example.com/team/repo.git/info/refs?service=git-upload-pack");
  check(tested("git", at), true, false, false, errc::provider_malformed_reply);
}

TEST_CASE_FIXTURE(ServiceFixture, "Google's credential is proved by the token that it is exchanged for") {
  const ProviderConfig gcp{{"projectName", "p"}, {"environment", "europe-west1"}, {"file", GoogleKey::shared().file()}};
  check(tested("gcp", gcp), false, false, true, errc::http_unreachable);
  answers["https://oauth2.googleapis.com/token"] = {
      400, {}, R"({"error":"invalid_grant","error_description":"MARKER"})"};
  check(tested("gcp", gcp), true, false, true, errc::provider_unauthorized);
  CHECK(http.requests.size() == 1);
  answers["https://oauth2.googleapis.com/token"] = {200, {}, R"({"access_token":"ya29","expires_in":3600})"};
  answers["https://cloudresourcemanager.googleapis.com/"] = {403, {}, "MARKER"};
  check(tested("gcp", gcp), true, true, true, std::nullopt);
  answers["https://cloudresourcemanager.googleapis.com/"] = {404, {}, "MARKER"};
  check(tested("gcp", gcp), true, true, false, errc::provider_rejected_request);
  // A token that is refused is not tried twice.
  answers["https://cloudresourcemanager.googleapis.com/"] = {401, {}, "MARKER"};
  check(tested("gcp", gcp), true, false, true, errc::provider_unauthorized);
  check(tested("gcp", gcp), true, false, true, errc::provider_unauthorized);
  CHECK(http.requests.size() == 2);

  const ProviderConfig vertex{{"projectName", "p"},
                              {"environment", "europe-west1"},
                              {"model", "gemini-x"},
                              {"file", GoogleKey::shared().file()}};
  answers["https://europe-west1-aiplatform.googleapis.com/"] = {200, {}, R"({"totalTokens":1})"};
  check(tested("vertex_ai_gemini", vertex), true, true, true, std::nullopt);
  CHECK(asked().url.ends_with("/models/gemini-x:countTokens"));
  CHECK(asked().body == R"({"contents":[{"role":"user","parts":[{"text":"hello"}]}]})");
  answers["https://europe-west1-aiplatform.googleapis.com/"] = {404, {}, "MARKER"};
  check(tested("vertex_ai_gemini", vertex), true, true, false, errc::provider_rejected_request);
  answers["https://europe-west1-aiplatform.googleapis.com/"] = {403, {}, "MARKER"};
  check(tested("vertex_ai_gemini", vertex), true, true, false, errc::provider_unauthorized);
  answers["https://europe-west1-aiplatform.googleapis.com/"] = {401, {}, "MARKER"};
  check(tested("vertex_ai_gemini", vertex), true, false, true, errc::provider_unauthorized);
}
