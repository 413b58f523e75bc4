// A registry in Conductor's words: what its clients do in the order in which their own tests do it, and more.
#include <doctest/doctest.h>

#include <algorithm>

#include <openindex/provider/integrations.hpp>

#include "provider/registry_fixture.hpp"

namespace openindex::test {
namespace {

IntegrationUpdate openai(const std::string& key = "sk-MARKER") {
  return {.type = "openai", .category = "AI_MODEL", .configuration = ProviderConfig{{"api_key", key}}};
}

struct IntegrationsFixture : RegistryFixture {
  Integrations integrations{registry};

  std::vector<std::string> names_of(const IntegrationFilter& filter = {}) {
    std::vector<std::string> out;
    for (const auto& one : integrations.list(filter).value()) out.push_back(one.name);
    return out;
  }
};

TEST_CASE_FIXTURE(IntegrationsFixture, "a save creates an integration, and another one updates it") {
  const auto created = integrations.save(ada, "my openai", openai());
  REQUIRE(created);
  CHECK(created->type == "openai");
  CHECK(created->category == "AI_MODEL");
  CHECK(created->enabled);
  CHECK(created->created_by == "ada");
  auto update = openai();
  update.description = "for the desk";
  REQUIRE(integrations.save(ada, "my openai", update));
  const auto found = integrations.get("my openai").value();
  CHECK(found.description == "for the desk");
  CHECK(found.name == "my openai");
  CHECK(names_of() == std::vector<std::string>{"my openai"});
}

TEST_CASE_FIXTURE(IntegrationsFixture, "an integration is a provider, and a provider an integration") {
  REQUIRE(integrations.save(ada, "gpt", openai()));
  const auto provider = registry.find("gpt").value();
  CHECK(provider.secrets.contains("api_key"));
  CHECK(provider.category == "AI_MODEL");
  REQUIRE(registry.create(host, claude()));
  const auto integration = integrations.get("claude").value();
  CHECK(integration.configuration == ProviderConfig{{"api_key", std::string(secret_mask)}, {"model", "claude-x"}});
  CHECK(code_of(registry.create(ada, {.name = "gpt", .type = "ollama"})) == errc::already_exists);
}

TEST_CASE_FIXTURE(IntegrationsFixture, "types are told and kept") {
  CHECK(code_of(integrations.save(ada, "x", {.type = "nope"})) == errc::unknown_provider_type);
  const auto typeless = integrations.save(ada, "x", {});
  REQUIRE(code_of(typeless) == errc::invalid_argument);
  CHECK(problems_of(typeless.error()) == std::vector<std::string>{"/type is required to create an integration"});
  REQUIRE(integrations.save(ada, "x", openai()));
  CHECK(code_of(integrations.save(ada, "x", {.type = "mistral"})) == errc::provider_type_fixed);
  CHECK(integrations.save(ada, "x", {.description = "no type named"}));
}

TEST_CASE_FIXTURE(IntegrationsFixture, "what is missing is told in the words that clients look for") {
  const auto missing = integrations.get("nobody");
  REQUIRE(code_of(missing) == errc::not_found);
  CHECK(missing.error().message() == "No such integration: nobody");
  CHECK(integrations.remove(ada, "nobody").error().message() == "No such integration: nobody");
  CHECK(integrations.models("nobody").error().message() == "No such integration: nobody");
  CHECK(integrations.save_model(ada, "nobody", "m", {}).error().message() == "No such integration: nobody");
  REQUIRE(integrations.save(ada, "gpt", openai()));
  CHECK(integrations.model("gpt", "m").error().message() == "No such integration: gpt:m");
  CHECK(integrations.remove_model(ada, "gpt", "m").error().message() == "No such integration: gpt:m");
  CHECK(integrations.get("a/b").error().message() == "No such integration: a/b");
  CHECK(integrations.get("\xff").error().message() == "No such integration: (not text)");
}

TEST_CASE_FIXTURE(IntegrationsFixture, "a mask that is sent back keeps the secret, a new value replaces it") {
  REQUIRE(integrations.save(ada, "gpt", openai()));
  const auto before = registry.find("gpt")->secrets.at("api_key").fingerprint;
  auto read = integrations.get("gpt").value();
  CHECK(read.configuration.at("api_key") == secret_mask);
  read.configuration["organizationId"] = "org";
  REQUIRE(integrations.save(ada, "gpt", {.configuration = read.configuration}));
  CHECK(registry.find("gpt")->secrets.at("api_key").fingerprint == before);
  CHECK(registry.find("gpt")->config.at("organizationId") == "org");
  REQUIRE(integrations.save(ada, "gpt", openai("sk-OTHER")));
  CHECK(registry.find("gpt")->secrets.at("api_key").fingerprint != before);
}

TEST_CASE_FIXTURE(IntegrationsFixture, "a configuration replaces the former one, but no secret that it does not name") {
  auto update = openai();
  update.configuration->emplace("organizationId", "org");
  REQUIRE(integrations.save(ada, "gpt", update));
  REQUIRE(integrations.save(ada, "gpt", {.configuration = ProviderConfig{{"model", "gpt-x"}}}));
  const auto provider = registry.find("gpt").value();
  CHECK(provider.config == ProviderConfig{{"model", "gpt-x"}});
  CHECK(provider.secrets.contains("api_key"));
  const auto removed = integrations.save(ada, "gpt", {.configuration = ProviderConfig{{"api_key", ""}}});
  REQUIRE(code_of(removed) == errc::invalid_argument);
  CHECK(problems_of(removed.error()) == std::vector<std::string>{"/config/api_key is required unless endpoint is set"});
}

TEST_CASE_FIXTURE(IntegrationsFixture, "lists leave out what is disabled, and choose by category") {
  REQUIRE(integrations.save(ada, "gpt", openai()));
  REQUIRE(integrations.save(ada, "off", {.type = "ollama", .enabled = false}));
  REQUIRE(integrations.save(ada, "mail", {.type = "sendgrid", .configuration = ProviderConfig{{"api_key", "k"}}}));
  REQUIRE(integrations.save(ada, "app", {.type = "ollama", .category = "API"}));
  CHECK(names_of() == std::vector<std::string>{"app", "gpt", "mail"});
  CHECK(names_of({.active_only = false}) == std::vector<std::string>{"app", "gpt", "mail", "off"});
  CHECK(names_of({.category = "AI_MODEL", .active_only = false}) == std::vector<std::string>{"gpt", "off"});
  CHECK(names_of({.category = "API"}) == std::vector<std::string>{"app"});
  CHECK(code_of(integrations.list({.category = "NOPE"})) == errc::invalid_argument);
  CHECK(code_of(integrations.save(ada, "y", {.type = "ollama", .category = "NOPE"})) == errc::invalid_argument);
}

TEST_CASE_FIXTURE(IntegrationsFixture, "names are those of models, or of an integration without any") {
  REQUIRE(integrations.save(ada, "gpt", openai()));
  REQUIRE(integrations.save(ada, "llama", {.type = "ollama"}));
  REQUIRE(integrations.save_model(ada, "llama", "llama3:8b", {}));
  REQUIRE(integrations.save_model(ada, "llama", "meta/llama", {}));
  REQUIRE(integrations.save_model(ada, "llama", "old", {.enabled = false}));
  CHECK(integrations.names().value() == std::vector<std::string>{"gpt", "llama:llama3:8b", "llama:meta/llama"});
  CHECK(integrations.names({.active_only = false})->size() == 4);
}

TEST_CASE_FIXTURE(IntegrationsFixture, "creating needs the scope of an administrator, in both words") {
  CHECK(code_of(integrations.save(bob, "gpt", openai())) == errc::not_permitted);
  CHECK(code_of(registry.create(bob, claude())) == errc::not_permitted);
  CHECK(code_of(integrations.save_all(bob, std::vector{Integration{.name = "x", .type = "ollama"}})) ==
        errc::not_permitted);
  CHECK(registry.list()->empty());
}

TEST_CASE_FIXTURE(IntegrationsFixture, "grants say who may change what a person has created") {
  const auto id = registry.create(ada, llama()).value().id;
  const Actor eve = Actor::person("eve");  // an administrator, but it is not hers
  CHECK(code_of(registry.update(eve, id, {.enabled = false})) == errc::not_permitted);
  CHECK(code_of(integrations.save(bob, "llama", {.description = "b"})) == errc::not_permitted);
  CHECK(code_of(registry.grant(bob, id, "bob", full_access())) == errc::not_permitted);
  REQUIRE(registry.grant(ada, id, "bob", {Access::UPDATE}));
  CHECK(integrations.save(bob, "llama", {.description = "b"}));
  CHECK(code_of(registry.remove(bob, id)) == errc::not_permitted);
  CHECK(code_of(registry.test(bob, id)) == errc::not_permitted);
  REQUIRE(registry.grant(eve, id, "eve", {Access::DELETE, Access::EXECUTE}));
  CHECK(registry.test(eve, id));
  CHECK(registry.get(id)->grants.at("bob") == AccessSet{Access::UPDATE});
  REQUIRE(registry.grant(ada, id, "bob", {}));
  CHECK(code_of(integrations.save(bob, "llama", {.description = "c"})) == errc::not_permitted);
  CHECK(registry.update(host, id, {.enabled = false}));
  CHECK(registry.remove(eve, id));
}

TEST_CASE_FIXTURE(IntegrationsFixture, "what the host creates is any administrator's") {
  const auto id = registry.create(host, llama()).value().id;
  CHECK(registry.update(ada, id, {.enabled = false}));
  CHECK(code_of(registry.update(bob, id, {.enabled = true})) == errc::not_permitted);
}

TEST_CASE_FIXTURE(IntegrationsFixture, "grants outlive a restart, and stand in the audit") {
  const auto id = registry.create(ada, llama()).value().id;
  REQUIRE(registry.grant(ada, id, "bob", {Access::UPDATE, Access::READ}));
  CHECK(changes_of(audit_of(storage, id).back()) == std::vector<std::string>{"grants.bob:  -> READ, UPDATE"});
  ProviderRegistry again{{.storage = storage, .secrets = secrets, .http = http, .clock = clock}};
  CHECK(again.get(id)->grants == Grants{{"ada", full_access()}, {"bob", {Access::READ, Access::UPDATE}}});
  CHECK(code_of(registry.grant(ada, id, "", full_access())) == errc::invalid_argument);
}

TEST_CASE_FIXTURE(IntegrationsFixture, "a bulk save writes all or nothing, and says where it failed") {
  std::vector<Integration> wanted{
      {.name = "a", .type = "ollama", .tags = {{"team", "x"}}, .apis = {{.api = "llama3"}, {.api = "phi"}}},
      {.name = "b", .type = "openai", .configuration = {{"api_key", "k"}}}};
  REQUIRE(integrations.save_all(ada, wanted));
  CHECK(integrations.names().value() == std::vector<std::string>{"a:llama3", "a:phi", "b"});
  CHECK(integrations.tags("a").value() == std::vector<ProviderTag>{{"team", "x"}});

  auto broken = wanted;
  broken[0].description = "changed";
  broken.push_back({.name = "c", .type = "openai"});
  const auto refused = integrations.save_all(ada, broken);
  REQUIRE(code_of(refused) == errc::invalid_argument);
  CHECK(problems_of(refused.error()) ==
        std::vector<std::string>{"/2/config/api_key is required unless endpoint is set"});
  CHECK(integrations.get("a")->description.empty());

  broken = {{.name = "a", .type = "ollama", .apis = {{.api = std::string(300, 'x')}}}};
  CHECK(problems_of(integrations.save_all(ada, broken).error()) ==
        std::vector<std::string>{"/0/apis/0/api must be 1 to 200 bytes of UTF-8 without control characters"});
  broken = {{.name = "a", .type = "ollama", .apis = {{.integration_name = "z", .api = "m"}}}};
  CHECK(code_of(integrations.save_all(ada, broken)) == errc::invalid_argument);
  broken = {{.name = "a", .type = "ollama"}, {.name = "a", .type = "ollama"}};
  CHECK(problems_of(integrations.save_all(ada, broken).error()) == std::vector<std::string>{"/1/name is there twice"});
}

TEST_CASE_FIXTURE(IntegrationsFixture, "a list that is saved back changes nothing") {
  REQUIRE(integrations.save(ada, "gpt", openai()));
  REQUIRE(integrations.save_model(ada, "gpt", "gpt-x", {.configuration = ProviderConfig{{"api_key", "k"}}}));
  const auto all = integrations.list({.active_only = false, .with_models = true}).value();
  const auto before = records(storage);
  REQUIRE(integrations.save_all(ada, all));
  const auto after = records(storage);
  REQUIRE(after.size() == before.size());
  CHECK(std::equal(after.begin(), after.end(), before.begin(),
                   [](const Record& one, const Record& other) { return one.version == other.version; }));
}

TEST_CASE_FIXTURE(IntegrationsFixture, "definitions say what each type needs") {
  const auto all = integrations.definitions().value();
  CHECK(all.size() == provider_catalog().size());
  const auto bedrock = integrations.definition("aws_bedrock_anthropic").value();
  CHECK(bedrock.icon_name == "aws");
  CHECK(bedrock.category_label == "AI models");
  const auto field = [&](const char* name) {
    return *std::find_if(bedrock.configuration.begin(), bedrock.configuration.end(),
                         [&](const auto& one) { return one.field_name == name; });
  };
  CHECK(field("connectionType").field_type == IntegrationFormField::Type::DROPDOWN);
  CHECK(field("connectionType").value_options ==
        std::vector<std::string>{"ACCESS_KEY", "EXTERNAL_ROLE", "CONDUCTOR_ROLE"});
  CHECK(field("user").depends_on.front().field_name == "connectionType");
  CHECK(field("user").depends_on.front().values == std::vector<std::string>{"ACCESS_KEY"});
  CHECK(field("api_key").field_type == IntegrationFormField::Type::PASSWORD);
  CHECK(code_of(integrations.definition("nope")) == errc::unknown_provider_type);
  for (const auto& one : all) {
    CAPTURE(one.type);
    CHECK_FALSE(one.description.empty());
    CHECK_FALSE(one.category_label.empty());
    CHECK_FALSE(one.configuration.empty());
  }
}

}  // namespace
}  // namespace openindex::test
