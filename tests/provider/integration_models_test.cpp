// Models of integrations: their configuration, tags, prompts, and what a removal takes with it.
#include <doctest/doctest.h>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider/provider_catalog.hpp>
#include <openindex/workflow_engine.hpp>

#include "provider/catalog/offered_models.hpp"
#include "provider/registry_fixture.hpp"

namespace openindex::test {
namespace {

struct ModelsFixture : RegistryFixture {
  Integrations integrations{registry};
  ProviderId id = registry.create(ada, gpt()).value().id;

  /// Everything that is stored, as one text.
  std::string everything() {
    std::string out;
    for (const char* kind : {"provider", "provider_name", "provider_model", "prompt", "audit", "token_use"}) {
      ScanRequest request;
      request.prefix = {IndexValue(std::string(kind))};
      const auto page = storage.scan(request).value();
      for (const Record& row : page.rows) out += row.id.kind + " " + row.id.key + " " + row.body + "\n";
    }
    return out;
  }
};

TEST_CASE_FIXTURE(ModelsFixture, "a model is registered, read, changed and removed") {
  const auto saved = integrations.save_model(
      ada, "gpt", "gpt-4o", {.description = "big", .configuration = ProviderConfig{{"endpoint", "https://x.example"}}});
  REQUIRE(saved);
  CHECK(saved->integration_name == "gpt");
  CHECK(saved->enabled);
  clock.advance(Duration(1000));
  REQUIRE(integrations.save_model(ada, "gpt", "gpt-4o", {.enabled = false}));
  const auto read = integrations.model("gpt", "gpt-4o").value();
  CHECK(read.description == "big");
  CHECK_FALSE(read.enabled);
  CHECK(read.configuration == ProviderConfig{{"endpoint", "https://x.example"}});
  CHECK(read.update_time - read.create_time == Duration(1000));
  CHECK(integrations.models("gpt")->empty());
  CHECK(integrations.models("gpt", false)->size() == 1);
  CHECK(integrations.get("gpt")->models_count == 1);
  REQUIRE(integrations.remove_model(ada, "gpt", "gpt-4o"));
  CHECK(code_of(integrations.model("gpt", "gpt-4o")) == errc::not_found);
  CHECK(integrations.get("gpt")->models_count == 0);
}

TEST_CASE_FIXTURE(ModelsFixture, "a model of Hugging Face that a configuration names is registered by itself") {
  IntegrationUpdate update{.type = "huggingface",
                           .configuration = ProviderConfig{{"api_key", "k"}, {"namespace", "me"}, {"model", "a/b"}}};
  REQUIRE(integrations.save(ada, "hub", update));
  CHECK(integrations.names().value() == std::vector<std::string>{"gpt", "hub:a/b"});
  REQUIRE(integrations.save_model(ada, "hub", "a/b", {.enabled = false}));
  update.description = "x";
  REQUIRE(integrations.save(ada, "hub", update));
  CHECK_FALSE(integrations.model("hub", "a/b")->enabled);
  update.configuration->insert_or_assign("model", "c");
  REQUIRE(integrations.save(ada, "hub", update));
  CHECK(integrations.models("hub", false)->size() == 2);
}

TEST_CASE_FIXTURE(ModelsFixture, "models that servers of a type are known to offer are told, and of most types none") {
  REQUIRE(integrations.save(ada, "search", {.type = "perplexity", .configuration = ProviderConfig{{"api_key", "k"}}}));
  CHECK(integrations.offered_models("search").value() == std::vector<std::string>{"perplexity/sonar"});
  REQUIRE(integrations.save(ada, "own", {.type = "ollama"}));
  REQUIRE(integrations.save_model(ada, "own", "llama3:8b", {}));
  CHECK(integrations.offered_models("own")->empty());
  CHECK(integrations.offered_models("nobody").error().message() == "No such integration: nobody");
}

TEST_CASE("a model that is offered is of a type of the catalog") {
  std::string last;
  for (const auto& [type, model] : providers::catalog::offered_models) {
    CHECK(find_provider_type(type) != nullptr);
    const std::string place = std::string(type) + " " + std::string(model);
    CHECK(last < place);
    last = place;
  }
}

TEST_CASE_FIXTURE(ModelsFixture, "names of models may hold anything that can be read") {
  for (const char* name : {"a/b", "llama3:8b", "with space",
                           "m\xc3\xb6"
                           "del",
                           "all"}) {
    CAPTURE(name);
    REQUIRE(integrations.save_model(ada, "gpt", name, {}));
    CHECK(integrations.model("gpt", name)->api == name);
  }
  for (const char* name : {"", ".", "..", "a\nb", "\xff"}) {
    CHECK(code_of(integrations.save_model(ada, "gpt", name, {})) == errc::invalid_argument);
  }
  CHECK(integrations.get("gpt")->models_count == 5);
}

TEST_CASE_FIXTURE(ModelsFixture, "secrets of a model are sealed, masked and kept by the mask") {
  const ProviderConfig config{{"api_key", "sk-MARKER-m"}, {"apikey", "sk-MARKER-n"}, {"model", "x"}};
  REQUIRE(integrations.save_model(ada, "gpt", "m", {.configuration = config}));
  const auto read = integrations.model("gpt", "m")->configuration;
  CHECK(read ==
        ProviderConfig{{"api_key", std::string(secret_mask)}, {"apikey", std::string(secret_mask)}, {"model", "x"}});
  const auto version = registry.get(id)->version;
  REQUIRE(integrations.save_model(ada, "gpt", "m", {.configuration = read}));
  REQUIRE(integrations.save_model(ada, "gpt", "m", {.configuration = config}));  // the same values
  CHECK(registry.get(id)->version == version);
  CHECK(everything().find("MARKER") == std::string::npos);
  REQUIRE(integrations.save_model(ada, "gpt", "m", {.configuration = ProviderConfig{{"apikey", ""}}}));
  CHECK(integrations.model("gpt", "m")->configuration == ProviderConfig{{"api_key", std::string(secret_mask)}});
}

TEST_CASE_FIXTURE(ModelsFixture, "secrets of models are sealed anew with the others") {
  const HostKey old_key = HostKey::ephemeral();
  SealedSecretStore old_store{old_key};
  ProviderRegistry old_registry{{.storage = storage, .secrets = old_store, .http = http, .clock = clock}};
  REQUIRE(old_registry.remove(ada, id));
  REQUIRE(old_registry.create(ada, gpt()));
  REQUIRE(Integrations(old_registry)
              .save_model(ada, "gpt", "m", {.configuration = ProviderConfig{{"api_key", "sk-MARKER-m"}}}));
  SealedSecretStore both{HostKey::ephemeral(), {old_key}};
  ProviderRegistry rotated{{.storage = storage, .secrets = both, .http = http, .clock = clock}};
  const auto done = rotated.reseal(host).value();
  CHECK(done.secrets == 2);
  CHECK(done.broken.empty());
  CHECK(rotated.reseal(host)->secrets == 0);
  REQUIRE(rotated.grant(host, rotated.find("gpt")->id, "ada", full_access()));
  const auto version = rotated.find("gpt")->version;
  REQUIRE(
      Integrations(rotated).save_model(ada, "gpt", "m", {.configuration = ProviderConfig{{"api_key", "sk-MARKER-m"}}}));
  CHECK(rotated.find("gpt")->version == version);  // it can be opened, and is the same
}

TEST_CASE_FIXTURE(ModelsFixture, "tags are pairs: added once, removed by both") {
  const std::vector<ProviderTag> two{{"team", "b"}, {"team", "a"}};
  REQUIRE(integrations.put_tags(ada, "gpt", two));
  REQUIRE(integrations.put_tags(ada, "gpt", two));
  CHECK(integrations.tags("gpt").value() == std::vector<ProviderTag>{{"team", "a"}, {"team", "b"}});
  REQUIRE(integrations.remove_tags(ada, "gpt", std::vector<ProviderTag>{{"team", "a"}, {"team", "z"}}));
  CHECK(integrations.get("gpt")->tags == std::vector<ProviderTag>{{"team", "b"}});
  CHECK(code_of(integrations.put_tags(ada, "gpt", std::vector<ProviderTag>{{"", "x"}})) == errc::invalid_argument);
  CHECK(code_of(integrations.put_tags(bob, "gpt", two)) == errc::not_permitted);

  REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
  REQUIRE(integrations.put_tags(ada, "gpt", "m", two));
  REQUIRE(integrations.remove_tags(ada, "gpt", "m", std::vector<ProviderTag>{{"team", "b"}}));
  CHECK(integrations.tags("gpt", "m").value() == std::vector<ProviderTag>{{"team", "a"}});
  CHECK(integrations.model("gpt", "m")->tags.size() == 1);
  CHECK(code_of(integrations.put_tags(ada, "gpt", "none", two)) == errc::not_found);
}

TEST_CASE_FIXTURE(ModelsFixture, "a provider has at most a hundred tags") {
  std::vector<ProviderTag> tags;
  for (int i = 0; i < 100; ++i) tags.push_back({"k" + std::to_string(i), ""});
  REQUIRE(integrations.put_tags(ada, "gpt", tags));
  CHECK(code_of(integrations.put_tags(ada, "gpt", std::vector<ProviderTag>{{"one", "more"}})) ==
        errc::invalid_argument);
}

TEST_CASE_FIXTURE(ModelsFixture, "prompts are associated with models") {
  const auto saved = integrations.save_prompt(bob, "greet", "Say ${word} to ${name}, ${word}!", "greets");
  REQUIRE(saved);
  CHECK(saved->variables == std::vector<std::string>{"word", "name"});
  CHECK(saved->version == 1);
  REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
  REQUIRE(integrations.associate_prompt(ada, "gpt", "m", "greet"));
  REQUIRE(integrations.associate_prompt(ada, "gpt", "m", "greet"));
  const auto of_model = integrations.prompts_of("gpt", "m").value();
  REQUIRE(of_model.size() == 1);
  CHECK(of_model[0].name == "greet");
  CHECK(of_model[0].integrations == std::vector<std::string>{"gpt:m"});
  CHECK(integrations.prompt("greet")->integrations == std::vector<std::string>{"gpt:m"});
  CHECK(integrations.save_prompt(bob, "greet", "Say ${word}", "greets")->version == 2);
  CHECK(code_of(integrations.associate_prompt(ada, "gpt", "m", "none")) == errc::not_found);
  CHECK(integrations.prompt("none").error().message() == "No such prompt: none");
  CHECK(code_of(integrations.associate_prompt(bob, "gpt", "m", "greet")) == errc::not_permitted);
}

TEST_CASE_FIXTURE(ModelsFixture, "a prompt that has the name of one that was removed is another one") {
  REQUIRE(integrations.save_prompt(ada, "greet", "hello", ""));
  REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
  REQUIRE(integrations.associate_prompt(ada, "gpt", "m", "greet"));
  REQUIRE(integrations.remove_prompt(ada, "greet"));
  CHECK(integrations.prompts_of("gpt", "m")->empty());
  CHECK(integrations.prompts()->empty());
  CHECK(code_of(integrations.remove_prompt(ada, "greet")) == errc::not_found);
  REQUIRE(integrations.save_prompt(ada, "greet", "good day", ""));
  CHECK(integrations.prompts_of("gpt", "m")->empty());
  CHECK(integrations.prompt("greet")->version == 1);
  WorkflowEngine engine{{.storage = storage}};
  CHECK(engine.verify_all(host));
}

TEST_CASE_FIXTURE(ModelsFixture, "prompts of any name keep the chains of the audit whole") {
  for (const char* name : {"a", "a/b", "a/0", "customer-retention", "a~1b"}) {
    CAPTURE(name);
    REQUIRE(integrations.save_prompt(bob, name, "x", ""));
    CHECK(integrations.prompt(name)->name == name);
  }
  REQUIRE(integrations.remove_prompt(bob, "a/0"));
  CHECK(integrations.prompts()->size() == 4);
  WorkflowEngine engine{{.storage = storage}};
  CHECK(engine.verify_all(host));
}

TEST_CASE_FIXTURE(ModelsFixture, "a prompt is changed by who wrote it, and by administrators") {
  const Actor eve = Actor::person("eve", Scope::read_write);
  REQUIRE(integrations.save_prompt(bob, "greet", "x", ""));
  CHECK(code_of(integrations.save_prompt(eve, "greet", "y", "")) == errc::not_permitted);
  CHECK(code_of(integrations.remove_prompt(eve, "greet")) == errc::not_permitted);
  CHECK(integrations.save_prompt(bob, "greet", "y", ""));
  CHECK(integrations.remove_prompt(ada, "greet"));
}

TEST_CASE_FIXTURE(ModelsFixture, "prompts that are gone take no room of a model") {
  REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
  for (int i = 0; i < 101; ++i) {
    const std::string name = "p" + std::to_string(i);
    REQUIRE(integrations.save_prompt(ada, name, "x", ""));
    REQUIRE(integrations.associate_prompt(ada, "gpt", "m", name));
    if (i < 100) REQUIRE(integrations.remove_prompt(ada, name));
  }
  CHECK(integrations.prompts_of("gpt", "m")->size() == 1);
}

TEST_CASE_FIXTURE(ModelsFixture, "credentials in addresses of a model are refused, as those of a provider are") {
  for (const auto& [key, value] : ProviderConfig{{"endpoint", "https://u:MARKER@h/v1"},
                                                 {"datasourceURL", "jdbc:postgresql://h/d?password=MARKER"},
                                                 {"schemaRegistryUrl", "https://u:MARKER@h"}}) {
    const std::string shown = key;
    CAPTURE(shown);
    CHECK(code_of(integrations.save_model(ada, "gpt", "m", {.configuration = ProviderConfig{{key, value}}})) ==
          errc::invalid_argument);
  }
}

TEST_CASE_FIXTURE(ModelsFixture,
                  "a key that is a secret of any type is one of a model, unless its own type says otherwise") {
  const ProviderConfig database{
      {"jdbcDriver", "postgresql"}, {"user", "u"}, {"password", "k"}, {"datasourceURL", "jdbc:postgresql://h/d"}};
  REQUIRE(integrations.save(ada, "tables", {.type = "relational_db", .configuration = database}));
  const ProviderConfig config{{"endpoint", "https://host.example"}};
  CHECK(integrations.save_model(ada, "tables", "m", {.configuration = config})->configuration.at("endpoint") ==
        secret_mask);
  CHECK(integrations.save_model(ada, "gpt", "m", {.configuration = config})->configuration == config);
}

TEST_CASE_FIXTURE(ModelsFixture, "a mask with nothing behind it is no secret") {
  const ProviderConfig masked{{"api_key", std::string(secret_mask)}};
  CHECK(code_of(integrations.save_model(ada, "gpt", "m", {.configuration = masked})) == errc::invalid_argument);
  const auto refused = integrations.save(ada, "new", {.type = "openai", .configuration = masked});
  REQUIRE(code_of(refused) == errc::invalid_argument);
  CHECK(problems_of(refused.error()).front().find("is the mask of a secret") != std::string::npos);
  CHECK(code_of(registry.create(ada, {.name = "new", .type = "openai", .config = masked})) == errc::invalid_argument);
}

TEST_CASE_FIXTURE(ModelsFixture, "references count as given again, and stay when they are not named") {
  const ProviderConfig config{{"api_key", "env:OPENINDEX_TEST_SECRET"}, {"model", "m"}};
  REQUIRE(integrations.save(ada, "ref", {.type = "openai", .configuration = config}));
  auto moved = config;
  moved["endpoint"] = "https://elsewhere.example/v1";
  CHECK(integrations.save(ada, "ref", {.configuration = moved}));
  REQUIRE(integrations.save(ada, "ref", {.configuration = ProviderConfig{{"endpoint", moved["endpoint"]}}}));
  CHECK(registry.find("ref")->config.contains("api_key"));
  CHECK_FALSE(registry.find("ref")->config.contains("model"));
  const ProviderConfig away{{"endpoint", "https://third.example/v1"}};
  CHECK(code_of(integrations.save(ada, "ref", {.configuration = away})) == errc::secret_required_for_endpoint);
}

TEST_CASE_FIXTURE(ModelsFixture, "a list restores a deployment elsewhere but for its secrets, and keeps limits") {
  REQUIRE(integrations.save(ada, "hub",
                            {.type = "huggingface",
                             .configuration = ProviderConfig{
                                 {"api_key", "env:OPENINDEX_TEST_SECRET"}, {"namespace", "n"}, {"model", "a/b"}}}));
  REQUIRE(integrations.save_model(ada, "hub", "a/b", {.limit = TokenLimit{.tokens_max = 7}}));
  REQUIRE(integrations.remove(ada, "gpt"));
  auto all = integrations.list({.with_models = true}).value();
  RegistryFixture other;
  Integrations there{other.registry};
  REQUIRE(there.save_all(ada, all));
  CHECK(there.get("hub")->models_count == 1);
  CHECK(there.model("hub", "a/b")->limit == TokenLimit{.tokens_max = 7});
  all[0].apis[0].limit.reset();
  REQUIRE(there.save_all(ada, all));
  CHECK(there.model("hub", "a/b")->limit == TokenLimit{.tokens_max = 7});
}

TEST_CASE_FIXTURE(ModelsFixture, "a model has at most a hundred keys, those that are kept included") {
  for (int round = 0; round < 2; ++round) {
    ProviderConfig config;
    for (int i = 0; i < 60; ++i) config["secret" + std::to_string(round) + "_" + std::to_string(i)] = "v";
    CHECK(integrations.save_model(ada, "gpt", "m", {.configuration = config}).has_value() == (round == 0));
  }
}

TEST_CASE("hostile prompts are refused or read in no time") {
  RegistryFixture fixture;
  Integrations integrations{fixture.registry};
  std::string many;
  for (int i = 0; i < 80'000; ++i) many += "${";
  CHECK(integrations.save_prompt(host, "p", many, "")->variables.empty());
  CHECK(code_of(integrations.save_prompt(host, "p", std::string(300'000, 'x'), "")) == errc::invalid_argument);
  CHECK(code_of(integrations.save_prompt(host, "p", "\xff", "")) == errc::invalid_argument);
  CHECK(code_of(integrations.save_prompt(Actor::agent("a"), "p", "x", "")) == errc::not_permitted);
}

TEST_CASE_FIXTURE(ModelsFixture, "a removal takes models, tokens and secrets along") {
  REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
  REQUIRE(integrations.save_model(ada, "gpt", "n", {}));
  REQUIRE(integrations.add_tokens(ada, "gpt", {.model = "m", .input = 3, .output = 4}));
  REQUIRE(integrations.remove(ada, "gpt"));
  const std::string left = everything();
  CHECK(left.find("provider_model ") == std::string::npos);
  CHECK(left.find("token_use ") == std::string::npos);
  REQUIRE(registry.create(ada, gpt()));
  CHECK(integrations.models("gpt")->empty());
  CHECK(integrations.tokens("gpt")->empty());
}

TEST_CASE_FIXTURE(ModelsFixture, "every change of a model stands in its provider's audit") {
  REQUIRE(integrations.save_model(ada, "gpt", "m", {.enabled = false, .limit = TokenLimit{.tokens_max = 5}}));
  CHECK(changes_of(audit_of(storage, id).back()) == std::vector<std::string>{"models.m.name:  -> m",
                                                                             "models.m.enabled: true -> false",
                                                                             "models.m.limit:  -> 5 a day"});
  REQUIRE(integrations.remove_model(ada, "gpt", "m"));
  CHECK(changes_of(audit_of(storage, id).back()) == std::vector<std::string>{"models.m: set -> "});
}

TEST_CASE_FIXTURE(ModelsFixture, "nothing is changed by who may not") {
  REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
  const auto before = everything();
  CHECK(code_of(integrations.save_model(bob, "gpt", "n", {})) == errc::not_permitted);
  CHECK(code_of(integrations.remove_model(bob, "gpt", "m")) == errc::not_permitted);
  CHECK(code_of(integrations.remove(bob, "gpt")) == errc::not_permitted);
  CHECK(code_of(integrations.limit_tokens(bob, "gpt", {.tokens_max = 1})) == errc::not_permitted);
  CHECK(code_of(integrations.add_tokens(bob, "gpt", {.model = "m", .input = 1})) == errc::not_permitted);
  CHECK(code_of(integrations.save_model(Actor::run("r", "OPS-1", "a", 1), "gpt", "n", {})) == errc::not_permitted);
  CHECK(everything() == before);
  REQUIRE(registry.grant(ada, id, "bob", {Access::CREATE}));
  CHECK(integrations.save_model(bob, "gpt", "n", {}));
  CHECK(code_of(integrations.save_model(bob, "gpt", "m", {.enabled = false})) == errc::not_permitted);
}

}  // namespace
}  // namespace openindex::test
