#include "provider/provider_config.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "codecs/chat_codec.hpp"
#include "provider/provider_directory.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

using Problems = std::vector<std::string>;

Problems problems_with(ProviderRegistry& registry, const NewProvider& provider) {
  const auto created = registry.create(host, provider);
  if (created) return {};
  CHECK(created.error().code() == errc::invalid_argument);
  return problems_of(created.error());
}

Problems problems_with(ProviderRegistry& registry, std::string type, ProviderConfig config) {
  return problems_with(registry, NewProvider{.name = "p", .type = std::move(type), .config = std::move(config)});
}

}  // namespace

TEST_CASE_FIXTURE(RegistryFixture, "everything that is wrong with a provider is named at once") {
  const NewProvider provider{.name = "a/b",
                             .type = "anthropic",
                             .config = {{"apiKey", "sk-MARKER"}, {"endpoint", "api.anthropic.com"}, {"zzz", "1"}}};
  CHECK(problems_with(registry, provider) ==
        Problems{"/name must not have a colon or a slash",
                 "/config/apiKey is not a key of type anthropic; did you mean api_key?",
                 "/config/endpoint must begin with https:// or http://", "/config/zzz is not a key of type anthropic",
                 "/config/api_key is required"});
  CHECK(records(storage).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "a name has 1 to 100 bytes and no characters that paths and lists use") {
  auto provider = llama();
  for (const auto& [name, problem] :
       std::vector<std::pair<std::string, std::string>>{{"", "/name must have 1 to 100 bytes"},
                                                        {std::string(101, 'n'), "/name must have 1 to 100 bytes"},
                                                        {"a:b", "/name must not have a colon or a slash"},
                                                        {"a\nb", "/name must be UTF-8 without control characters"},
                                                        {"a\xc2\x85", "/name must be UTF-8 without control characters"},
                                                        {"a\xff", "/name must be UTF-8 without control characters"}}) {
    provider.name = name;
    CHECK(problems_with(registry, provider) == Problems{problem});
  }
  provider.name = std::string(100, 'n');
  CHECK(problems_with(registry, provider).empty());
  provider.name = "Zoë's model";
  CHECK(problems_with(registry, provider).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "openai wants a key unless a server of one's own is named") {
  CHECK(problems_with(registry, "openai", {{"model", "m"}}) ==
        Problems{"/config/api_key is required unless endpoint is set"});
  CHECK(problems_with(registry, "openai", {{"model", "m"}, {"endpoint", "http://localhost:8080/v1"}}).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "ollama wants nothing, but a value for a header that is named") {
  CHECK(problems_with(registry, "ollama", {{"model", "m"}, {"header", "X-Key"}}) ==
        Problems{"/config/api_key is required when header is set"});
  CHECK(problems_with(registry, "ollama", {{"model", "m"}, {"header", "X: Key"}, {"api_key", "k"}}) ==
        Problems{"/config/header is not the name of an HTTP header"});
  CHECK(problems_with(registry, "ollama", {{"model", "m"}, {"header", "X-Key"}, {"api_key", "k"}}).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "an empty value is as good as none") {
  CHECK(problems_with(registry, "anthropic", {{"api_key", ""}}) == Problems{"/config/api_key is required"});
  CHECK(problems_with(registry, "ollama", {{"model", "m"}, {"endpoint", ""}, {"api_key", ""}}).empty());
  CHECK(registry.find("p")->config == ProviderConfig{{"model", "m"}});
}

TEST_CASE_FIXTURE(RegistryFixture, "a value that no request could carry is refused") {
  for (const auto& [value, problem] : std::vector<std::pair<std::string, std::string>>{
           {"sk-MARKER\r\nX-Evil: 1", "holds control characters, such as a line break"},
           {"sk-MARKER\n", "holds control characters, such as a line break"},
           {std::string("sk\0MARKER", 9), "holds control characters, such as a line break"},
           {"sk-MARKER\x7f", "holds control characters, such as a line break"},
           {" sk-MARKER", "begins or ends with a space"},
           {"sk-MARKER ", "begins or ends with a space"},
           {"sk-MARKER\xff", "is not UTF-8"},
           {std::string(65'537, 'k'), "is longer than 65536 bytes"}}) {
    CHECK(problems_with(registry, "anthropic", {{"model", "m"}, {"api_key", value}}) ==
          Problems{"/config/api_key " + problem});
  }
  CHECK(problems_with(registry, "anthropic", {{"model", "m"}, {"api_key", std::string(65'536, 'k')}}).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "the path of anthropic's conversations is a path of the endpoint") {
  for (const char* path :
       {"v1/messages", "https://elsewhere.example.com/v1/messages", "/v1/messages?key=1", "/a b", "/{}/messages",
        "/../other/messages", "/a/./b", "/a/..", "/%2e%2E/other", "/a/.%2e/b", "/<x>", "/\xc3\xa9"}) {
    CHECK(problems_with(registry, "anthropic", {{"model", "m"}, {"api_key", "k"}, {"completionsPath", path}}) ==
          Problems{"/config/completionsPath is not a path, such as /v1/messages"});
  }
  const ProviderConfig config{{"model", "m"},
                              {"api_key", "k"},
                              {"endpoint", "https://gateway.example.com/v1"},
                              {"completionsPath", "/claude/messages"}};
  const auto created = registry.create(host, {.name = "gateway", .type = "anthropic", .config = config}).value();
  const auto endpoint = registry.directory().endpoint(created.id).value();
  const ChatRequest request{.turns = {{.text = "hello"}}};
  CHECK(codecs::encode(endpoint, request, "id")->url == "https://gateway.example.com/claude/messages");
  CHECK(codecs::encode_probe(endpoint)->url == "https://gateway.example.com/v1/models?limit=1");
  // Another path may be another tenant's: who moves it gives the key again.
  const ProviderConfig moved{{"completionsPath", "/other/messages"}};
  CHECK(code_of(registry.update(host, created.id, {.config = moved})) == errc::secret_required_for_endpoint);
}

TEST_CASE_FIXTURE(RegistryFixture, "a key that comes near one of the type's is answered with that one") {
  for (const auto& [key, meant] :
       std::vector<std::pair<std::string, std::string>>{{"apiKey", "api_key"},
                                                        {"API_KEY", "api_key"},
                                                        {"api-key", "api_key"},
                                                        {"token", "api_key"},
                                                        {"endpont", "endpoint"},
                                                        {"base_url", "endpoint"},
                                                        {"Model", "model"},
                                                        {"organization_id", "organizationId"},
                                                        {"organization", "organizationId"}}) {
    CHECK(problems_with(registry, "openai", {{"model", "m"}, {"api_key", "k"}, {key, "v"}}) ==
          Problems{"/config/" + key + " is not a key of type openai; did you mean " + meant + "?"});
  }
}

TEST_CASE_FIXTURE(RegistryFixture, "a hostile key does not reach the error") {
  for (const std::string& key : {std::string(1'000'000, 'x'), std::string("a\nb"), std::string("a\xff")}) {
    CHECK(problems_with(registry, "ollama", {{"model", "m"}, {key, "v"}}) ==
          Problems{"/config a key is not 1 to 100 bytes of printable text"});
  }
  CHECK(problems_with(registry, "ollama", {{"model", "m"}, {"a/b~c", "v"}}) ==
        Problems{"/config/a~1b~0c is not a key of type ollama"});
}

TEST_CASE_FIXTURE(RegistryFixture, "a variable that the host does not allow is refused alike, there or not") {
  const std::string refused = "names an environment variable that the host does not allow";
  const ProviderConfig there{{"model", "env:PATH"}, {"api_key", "env:OPENINDEX_TEST_NOT_THERE"}, {"version", "env:"}};
  CHECK(problems_with(registry, "anthropic", there) ==
        Problems{"/config/api_key " + refused, "/config/model " + refused, "/config/version " + refused});
}

TEST_CASE_FIXTURE(RegistryFixture, "an update is checked like a creation, together with what is set already") {
  const auto id = registry.create(host, llama())->id;
  const auto refused = registry.update(
      host, id, {.name = "", .config = {{"endpoint", "nowhere"}, {"header", "X-Key"}, {"organizationId", ""}}});
  REQUIRE_FALSE(refused);
  CHECK(problems_of(refused.error()) == Problems{"/name must have 1 to 100 bytes",
                                                 "/config/endpoint must begin with https:// or http://",
                                                 "/config/organizationId is not a key of type ollama",
                                                 "/config/api_key is required when header is set"});
  CHECK(registry.get(id)->version == 1);
}

TEST_CASE_FIXTURE(RegistryFixture, "which keys a connection to AWS needs depends on its type") {
  const auto problems = [&](ProviderConfig config) {
    config.insert({{"region", "eu-central-1"}, {"model", "m"}});
    return problems_with(registry, "aws_bedrock_anthropic", std::move(config));
  };
  CHECK(problems({}) == Problems{"/config/connectionType is required"});
  CHECK(problems({{"connectionType", "SSO"}}) ==
        Problems{"/config/connectionType must be one of ACCESS_KEY, EXTERNAL_ROLE, CONDUCTOR_ROLE"});
  CHECK(problems({{"connectionType", "ACCESS_KEY"}}) ==
        Problems{"/config/user is required when connectionType is ACCESS_KEY",
                 "/config/api_key is required when connectionType is ACCESS_KEY"});
  CHECK(problems({{"connectionType", "EXTERNAL_ROLE"}, {"roleArn", "arn:aws:iam::1:role/x"}}) ==
        Problems{"/config/externalId is required when connectionType is EXTERNAL_ROLE"});
  CHECK(problems({{"connectionType", "CONDUCTOR_ROLE"}}).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "changing the type of a connection asks for its keys too") {
  const auto id = registry
                      .create(host, {.name = "aws",
                                     .type = "aws_bedrock_titan",
                                     .config = {{"connectionType", "ACCESS_KEY"},
                                                {"region", "us-east-1"},
                                                {"model", "m"},
                                                {"user", "AKIDEXAMPLE"},
                                                {"api_key", "sk-MARKER"}}})
                      ->id;
  CHECK(registry.update(host, id, {.config = {{"region", "us-west-2"}}}));
  const auto changed = registry.update(host, id, {.config = {{"connectionType", "EXTERNAL_ROLE"}}});
  REQUIRE_FALSE(changed);
  CHECK(problems_of(changed.error()) ==
        Problems{"/config/roleArn is required when connectionType is EXTERNAL_ROLE",
                 "/config/externalId is required when connectionType is EXTERNAL_ROLE"});
}

TEST_CASE_FIXTURE(RegistryFixture, "a region that is none never becomes a host") {
  for (const auto* region : {"evil.example/", "EU", "a b", "a@b"}) {
    CHECK(problems_with(registry, "aws_bedrock_cohere",
                        {{"connectionType", "CONDUCTOR_ROLE"}, {"region", region}, {"model", "m"}}) ==
          Problems{"/config/region is not a region, such as eu-central-1"});
  }
}
