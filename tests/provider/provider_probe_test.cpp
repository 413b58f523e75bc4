#include "provider/provider_probe.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using openindex::providers::read_probe;

namespace {

codecs::ChatEndpoint endpoint_of(WireFamily family, std::string model) {
  codecs::ChatEndpoint endpoint;
  endpoint.family = family;
  endpoint.base_url = "https://host";
  endpoint.api_key = "sk-MARKER";
  endpoint.model = std::move(model);
  return endpoint;
}

const auto openai = endpoint_of(WireFamily::openai_chat, "gpt-x");
const auto anthropic = endpoint_of(WireFamily::anthropic_messages, "claude-x");
const auto ollama = endpoint_of(WireFamily::ollama_chat, "llama3");
const auto google = endpoint_of(WireFamily::google_generate_content, "gemini-x");
const auto cohere = endpoint_of(WireFamily::cohere_chat, "command-x");
const auto bedrock = endpoint_of(WireFamily::bedrock_converse, "vendor.model-v1:0");

ProviderTest answered(const codecs::ChatEndpoint& endpoint, int status, std::string body = {}) {
  return read_probe(endpoint, HttpResponse{status, {}, std::move(body)});
}

}  // namespace

TEST_CASE("a list that names the model passes on every wire") {
  for (const auto& test : {answered(openai, 200, R"({"object":"list","data":[{"id":"a"},{"id":"gpt-x"}]})"),
                           answered(anthropic, 200, R"({"data":[{"type":"model","id":"claude-x"}],"has_more":false})"),
                           answered(ollama, 200, R"({"models":[{"name":"llama3","model":"llama3"}]})"),
                           answered(ollama, 200, R"({"models":[{"name":"llama3:latest"}]})"),
                           answered(google, 200, R"({"models":[{"name":"models/gemini-x"}]})"),
                           answered(cohere, 200, R"({"models":[{"name":"command-x"}]})"),
                           answered(bedrock, 200, R"({"modelSummaries":[{"modelId":"vendor.model-v1:0"}]})")}) {
    CHECK(test.ok());
    CHECK_FALSE(test.code);
    CHECK_FALSE(test.message.empty());
  }
}

TEST_CASE("a complete list without the model says that the model is missing") {
  for (const auto& test :
       {answered(openai, 200, R"({"data":[{"id":"gpt-xl"}]})"),
        answered(ollama, 200, R"({"models":[{"name":"llama3:8b"}]})"), answered(ollama, 200, R"({"models":[]})"),
        answered(google, 200, R"({"models":[{"name":"models/gemini-y"}]})"),
        answered(cohere, 200, R"({"models":[],"next_page_token":""})"),
        answered(anthropic, 200, R"({"data":[{"id":"claude-y"}],"has_more":false})")}) {
    CHECK(test.reachable);
    CHECK(test.authenticated);
    CHECK_FALSE(test.configured);
    CHECK(test.code == errc::provider_rejected_request);
    CHECK(test.message.find("does not list the model") != std::string::npos);
  }
  CHECK_FALSE(answered(endpoint_of(WireFamily::ollama_chat, "llama3:70b"), 200,
                       R"({"models":[{"name":"llama3:latest"},{"name":"llama3:8b"}]})")
                  .configured);
}

TEST_CASE("a provider that names no model works, but not for a call") {
  for (const auto& [family, body] : std::vector<std::pair<WireFamily, std::string>>{
           {WireFamily::openai_chat, R"({"data":[{"id":"gpt-x"}]})"}, {WireFamily::ollama_chat, R"({"models":[]})"}}) {
    const auto test = answered(endpoint_of(family, ""), 200, body);
    CHECK(test.reachable);
    CHECK(test.authenticated);
    CHECK_FALSE(test.configured);
    CHECK(test.message.find("names no model") != std::string::npos);
  }
}

TEST_CASE("a list of more values than any provider has models is not read") {
  std::string many = R"({"data":[{"id":"gpt-x"})";
  for (int i = 0; i < 300'000; ++i) many += ",0";
  CHECK(answered(openai, 200, many + "]}").code == errc::provider_malformed_reply);
}

TEST_CASE("the first page of a longer list proves nothing against a model") {
  CHECK(answered(anthropic, 200, R"({"data":[{"id":"claude-y"}],"has_more":true})").ok());
  CHECK(answered(google, 200, R"({"models":[{"name":"models/gemini-y"}],"nextPageToken":"x"})").ok());
  CHECK(answered(cohere, 200, R"({"models":[],"next_page_token":"x"})").ok());
}

TEST_CASE("a list that does not name everything that can be called proves nothing against a model") {
  CHECK(answered(bedrock, 200, R"({"modelSummaries":[]})").ok());
  auto azure = openai;
  azure.dialect = WireDialect::azure;
  CHECK(answered(azure, 200, R"({"data":[{"id":"gpt-y"}]})").ok());
}

TEST_CASE("google says of a wrong key that the request is wrong") {
  const auto refused = answered(google, 400, R"({"error":{"details":[{"reason":"API_KEY_INVALID"}]}})");
  CHECK_FALSE(refused.authenticated);
  CHECK(refused.configured);
  CHECK(refused.code == errc::provider_unauthorized);
  CHECK_FALSE(answered(google, 400, R"({"error":{"status":"INVALID_ARGUMENT"}})").configured);
}

TEST_CASE("a refused credential is told apart from a missing one") {
  for (const int status : {401, 403}) {
    const auto refused = answered(anthropic, status);
    CHECK(refused.reachable);
    CHECK_FALSE(refused.authenticated);
    CHECK(refused.configured);
    CHECK(refused.code == errc::provider_unauthorized);
  }
  auto without = openai;
  without.api_key.clear();
  const auto missing = answered(without, 401);
  CHECK_FALSE(missing.configured);
  CHECK(missing.message.find("set api_key") != std::string::npos);
  auto by_header = ollama;
  by_header.api_key.clear();
  by_header.headers = {{"X-Key", "k"}};
  CHECK(answered(by_header, 401).configured);
}

TEST_CASE("a provider without a list of models passes when it refuses an empty question") {
  auto perplexity = endpoint_of(WireFamily::openai_responses, "sonar");
  perplexity.dialect = WireDialect::perplexity;
  for (const int status : {400, 422}) {
    const auto test = answered(perplexity, status, R"({"error":{"message":"input is required"}})");
    CHECK(test.ok());
    CHECK_FALSE(test.code);
    CHECK(test.message.find("not proved") != std::string::npos);
  }
  CHECK_FALSE(answered(perplexity, 401).authenticated);
  CHECK_FALSE(answered(perplexity, 404).configured);
  CHECK_FALSE(answered(endpoint_of(WireFamily::openai_responses, "m"), 400).configured);
}

TEST_CASE("an answer from something else than the provider blames the endpoint") {
  for (const int status : {301, 302, 400, 404, 405, 410}) {
    const auto test = answered(openai, status, "<html>");
    CHECK(test.reachable);
    CHECK_FALSE(test.authenticated);
    CHECK_FALSE(test.configured);
    CHECK(test.code == errc::provider_rejected_request);
    CHECK(test.message.find("/v1") != std::string::npos);
  }
  for (const char* body : {"", "<html>hello</html>", "[]", "{}", R"({"data":"x"})", R"({"models":[]})"}) {
    const auto test = answered(openai, 200, body);
    CHECK(test.reachable);
    CHECK_FALSE(test.authenticated);
    CHECK_FALSE(test.configured);
    CHECK(test.code == errc::provider_malformed_reply);
  }
  CHECK_FALSE(answered(openai, 200, R"({"data":[1,null,{"id":7},"gpt-x"]})").configured);
}

TEST_CASE("a provider that limits or has no credit left is fine but says so") {
  const auto limited = answered(openai, 429);
  CHECK(limited.ok());
  CHECK(limited.code == errc::provider_rate_limited);
  CHECK(answered(openai, 402).code == errc::provider_out_of_credit);
}

TEST_CASE("a provider that fails is reachable and nothing more is known") {
  const auto failing = answered(openai, 503);
  CHECK(failing.reachable);
  CHECK_FALSE(failing.authenticated);
  CHECK(failing.configured);
  CHECK(failing.code == errc::provider_overloaded);
}

TEST_CASE("without an answer the reason is the exchange's") {
  for (const errc code : {errc::http_unreachable, errc::http_timeout, errc::http_tls, errc::http_refused_by_policy}) {
    const auto test = read_probe(openai, Error(code, "sk-MARKER"));
    CHECK_FALSE(test.reachable);
    CHECK_FALSE(test.authenticated);
    CHECK(test.configured);
    CHECK(test.code == code);
    CHECK(test.message.find("MARKER") == std::string::npos);
    CHECK(test.message.find(remedy(code)) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(RegistryFixture,
                  "a test sends one request with the credential, to the endpoint, and takes its time") {
  http.answer = [this](const HttpRequest&) {
    clock.advance(Duration(250));
    return HttpResponse{200, {}, R"({"data":[],"has_more":true})"};
  };
  auto provider = claude();
  provider.config["endpoint"] = "https://api.anthropic.com/v1";
  const auto test = registry.test(Actor::person("ana"), registry.create(host, provider)->id);
  REQUIRE(test);
  CHECK(test->ok());
  CHECK(test->latency == Duration(250));
  REQUIRE(http.requests.size() == 1);
  CHECK(http.requests[0].method == "GET");
  CHECK(http.requests[0].url == "https://api.anthropic.com/v1/models?limit=1");
  CHECK(std::find(http.requests[0].headers.begin(), http.requests[0].headers.end(),
                  std::pair<std::string, std::string>{"x-api-key", "sk-MARKER-1"}) != http.requests[0].headers.end());
}

TEST_CASE_FIXTURE(RegistryFixture, "a disabled provider can be tested before it is enabled") {
  http.answer = [](const HttpRequest&) { return HttpResponse{200, {}, R"({"models":[{"name":"llama3:latest"}]})"}; };
  auto provider = llama();
  provider.enabled = false;
  CHECK(registry.test(host, registry.create(host, provider)->id)->ok());
  CHECK(http.requests[0].url == "http://localhost:11434/api/tags");
}

TEST_CASE_FIXTURE(RegistryFixture, "each type asks where its provider lists models, in its own way") {
  const struct {
    const char* type;
    ProviderConfig more;
    const char* method;
    const char* url;
    const char* header;
  } table[] = {
      {"azure_openai",
       {{"endpoint", "https://r.openai.azure.com"}},
       "GET",
       "https://r.openai.azure.com/openai/v1/models",
       "api-key"},
      {"perplexity", {}, "POST", "https://api.perplexity.ai/v1/responses", "Authorization"},
      {"grok", {}, "GET", "https://api.x.ai/v1/models", "Authorization"},
      {"cohere", {}, "GET", "https://api.cohere.com/v1/models", "Authorization"},
      {"mistral", {}, "GET", "https://api.mistral.ai/v1/models", "Authorization"},
      {"mistral",
       {{"endpoint", "https://api.mistral.ai/v1"}},
       "GET",
       "https://api.mistral.ai/v1/models",
       "Authorization"},
      {"huggingface", {{"namespace", "org"}}, "GET", "https://router.huggingface.co/v1/models", "Authorization"},
      {"google_gemini",
       {},
       "GET",
       "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1",
       "x-goog-api-key"},
      {"aws_bedrock_anthropic",
       {{"connectionType", "ACCESS_KEY"}, {"region", "eu-central-1"}, {"user", "AKIDEXAMPLE"}},
       "GET",
       "https://bedrock.eu-central-1.amazonaws.com/foundation-models",
       "Authorization"},
  };
  int number = 0;
  for (const auto& [type, more, method, url, credential] : table) {
    const std::string shown(type), wants(credential);
    CAPTURE(shown);
    NewProvider wanted{.name = "p" + std::to_string(++number), .type = type, .config = more};
    wanted.config.insert({{"api_key", "sk-MARKER-9"}, {"model", "m"}});
    const auto created = registry.create(host, wanted);
    REQUIRE(created);
    http.requests.clear();
    REQUIRE(registry.test(host, created->id));
    REQUIRE(http.requests.size() == 1);
    CHECK(http.requests[0].method == method);
    CHECK(http.requests[0].url == url);
    CHECK(std::any_of(http.requests[0].headers.begin(), http.requests[0].headers.end(),
                      [&](const auto& header) { return header.first == wants; }));
  }
}

TEST_CASE_FIXTURE(RegistryFixture,
                  "a connection to AWS by a role is kept but not used where the host has no identity") {
  const auto id =
      registry
          .create(host, {.name = "aws",
                         .type = "aws_bedrock_titan",
                         .config = {{"connectionType", "CONDUCTOR_ROLE"}, {"region", "us-east-1"}, {"model", "m"}}})
          ->id;
  const auto test = registry.test(host, id);
  REQUIRE(test);
  CHECK_FALSE(test->configured);
  CHECK(test->message.find("aws_identity") != std::string::npos);
  CHECK(http.requests.empty());
}
