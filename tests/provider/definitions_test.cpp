// Definitions that a host registers: types of its own, and other words for those of the catalog.
#include <doctest/doctest.h>

#include <algorithm>

#include <openindex/provider/integrations.hpp>
#include <openindex/provider/provider_catalog.hpp>
#include <openindex/workflow_engine.hpp>

#include "provider/registry_fixture.hpp"

namespace openindex::test {
namespace {

using FieldType = IntegrationFormField::Type;

IntegrationDefinition pager() {
  return {.name = "Pager",
          .type = "pager",
          .category = "API",
          .description = "Wakes people up",
          .icon_name = "bell",
          .tags = {"alerts"},
          .configuration = {{.field_name = "endpoint", .label = "Address", .optional = false},
                            {.field_name = "api_key", .field_type = FieldType::PASSWORD, .optional = false},
                            {.field_name = "mode",
                             .field_type = FieldType::DROPDOWN,
                             .default_value = "quiet",
                             .value_options = {"quiet", "loud"}},
                            {.field_name = "volume", .optional = false, .depends_on = {{"mode", {"loud"}}}},
                            {.field_name = "certificate", .field_type = FieldType::FILE}}};
}

IntegrationUpdate paging() {
  return {.type = "pager", .configuration = ProviderConfig{{"endpoint", "https://pager"}, {"api_key", "sk-MARKER"}}};
}

struct DefinitionsFixture : RegistryFixture {
  Integrations integrations{registry};

  Result<void> enter(std::vector<IntegrationDefinition> definitions) {
    return integrations.register_definitions(ada, definitions);
  }
  std::vector<std::string> problems_with(const IntegrationDefinition& definition) {
    const auto refused = enter({definition});
    REQUIRE(code_of(refused) == errc::invalid_argument);
    return problems_of(refused.error());
  }
  std::vector<std::string> problems_with_save(IntegrationUpdate update) {
    const auto refused = integrations.save(ada, "p", update);
    REQUIRE(code_of(refused) == errc::invalid_argument);
    return problems_of(refused.error());
  }
  std::size_t stored() { return storage.scan({.prefix = {std::string("provider_type")}})->rows.size(); }
};

TEST_CASE_FIXTURE(DefinitionsFixture, "a type of the host's own is there as any other, in another process, too") {
  CHECK(code_of(integrations.save(ada, "p", paging())) == errc::unknown_provider_type);
  REQUIRE(enter({pager()}));
  ProviderRegistry other{{.storage = storage, .secrets = secrets, .http = http, .clock = clock}};
  Integrations others{other};
  const auto saved = others.save(ada, "p", paging());
  REQUIRE(saved);
  CHECK(saved->category == "API");
  CHECK(saved->configuration == ProviderConfig{{"endpoint", "https://pager"}, {"api_key", std::string(secret_mask)}});
  const auto provider = registry.find("p").value();
  CHECK(provider.type == "pager");
  CHECK(provider.category == "API");
  CHECK(provider.secrets.contains("api_key"));
  for (const Record& row : records(storage)) CHECK(row.body.find("MARKER") == std::string::npos);
  CHECK(registry.create(ada, {.name = "q", .type = "pager", .config = *paging().configuration}));
  CHECK(integrations.list({.category = "API"})->size() == 2);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "configurations of a type of the host's own are checked by its definition") {
  REQUIRE(enter({pager()}));
  auto update = paging();
  update.configuration = ProviderConfig{{"mode", "shrill"}, {"colour", "red"}};
  CHECK(problems_with_save(update) ==
        std::vector<std::string>{"/config/colour is not a key of type pager", "/config/mode must be one of quiet, loud",
                                 "/config/endpoint is required", "/config/api_key is required"});
  update = paging();
  update.configuration->emplace("mode", "loud");
  CHECK(problems_with_save(update) == std::vector<std::string>{"/config/volume is required when mode is loud"});
  update.configuration->emplace("volume", "11");
  CHECK(integrations.save(ada, "p", update));
  CHECK(registry.check({.name = "n", .type = "pager"}, Validation::defaults).size() == 2);
  CHECK(registry.check({.name = "n", .type = "none"}, Validation::defaults).size() == 1);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "secrets of a type of the host's own stay with their server") {
  REQUIRE(enter({pager()}));
  const auto id = registry.create(ada, {.name = "p", .type = "pager", .config = *paging().configuration}).value().id;
  CHECK(code_of(registry.update(ada, id, {.config = {{"endpoint", "https://elsewhere"}}})) ==
        errc::secret_required_for_endpoint);
  CHECK(registry.update(ada, id, {.config = {{"endpoint", "https://elsewhere"}, {"api_key", "sk-2"}}}));
}

TEST_CASE_FIXTURE(DefinitionsFixture, "models of a type of the host's own seal what its definition calls a secret") {
  auto definition = pager();
  definition.configuration.push_back({.field_name = "namespace", .field_type = FieldType::PASSWORD});
  definition.configuration.push_back({.field_name = "shelf"});
  REQUIRE(enter({definition}));
  REQUIRE(integrations.save(ada, "p", paging()));
  const ProviderConfig config{{"namespace", "n-MARKER"}, {"shelf", "3"}};
  const auto model = integrations.save_model(ada, "p", "m", {.configuration = config}).value();
  CHECK(model.configuration == ProviderConfig{{"namespace", std::string(secret_mask)}, {"shelf", "3"}});
}

TEST_CASE_FIXTURE(DefinitionsFixture, "what has been registered can be neither called nor tried out") {
  REQUIRE(enter({pager()}));
  const auto id = registry.create(ada, {.name = "p", .type = "pager", .config = *paging().configuration}).value().id;
  const auto test = registry.test(ada, id).value();
  CHECK_FALSE(test.configured);
  CHECK(test.message.find("no test for types that the host has registered") != std::string::npos);
  CHECK(integrations.record_events(ada, "pager", std::vector<IntegrationEvent>{{.event = "rang"}}));
  CHECK(code_of(integrations.record_events(ada, "none", {})) == errc::unknown_provider_type);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "definitions are listed by type, those of the host among the others") {
  REQUIRE(enter({pager()}));
  const auto all = integrations.definitions().value();
  CHECK(all.size() == provider_catalog().size() + 1);
  CHECK(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.type < b.type; }));
  const auto own = integrations.definition("pager").value();
  CHECK(own.category_label == "Apps");
  CHECK(own.configuration[0].label == "Address");
  CHECK(own.configuration[3].label == "Volume");
  CHECK(own.configuration[3].depends_on == pager().configuration[3].depends_on);
  CHECK(own.tags == pager().tags);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "a type of the catalog may get other words, and gets its own back") {
  auto openai = integrations.definition("openai").value();
  const auto before = openai;
  openai.name = "Our gateway";
  openai.icon_name = "house";
  openai.enabled = false;
  openai.configuration[0].label = "Token of the gateway";
  REQUIRE(enter({openai}));
  auto now = integrations.definition("openai").value();
  CHECK(now.name == "Our gateway");
  CHECK(now.icon_name == "house");
  CHECK_FALSE(now.enabled);
  CHECK(now.configuration[0].label == "Token of the gateway");
  CHECK(now.configuration[1].label == before.configuration[1].label);
  CHECK(integrations.save(ada, "gpt", {.type = "openai", .configuration = ProviderConfig{{"api_key", "k"}}}));
  CHECK(registry.find("gpt")->secrets.contains("api_key"));
  CHECK(registry.find("gpt")->category == "AI_MODEL");
  REQUIRE(enter({{.type = "openai"}}));
  CHECK(integrations.definition("openai").value() == before);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "what a type of the catalog is stays as it is") {
  IntegrationDefinition openai{.type = "openai", .category = "API"};
  auto key = integrations.definition("openai")->configuration[0];
  REQUIRE(key.field_name == "api_key");
  key.field_type = FieldType::TEXT;
  key.optional = !key.optional;
  key.default_value = "k";
  key.value_options = {"k"};
  key.depends_on = {{"endpoint", {"x"}}};
  openai.configuration = {key, {.field_name = "colour"}};
  CHECK(problems_with(openai) ==
        std::vector<std::string>{"/0/category cannot be changed of a type of the catalog",
                                 "/0/configuration/0/fieldType cannot be changed of a type of the catalog",
                                 "/0/configuration/0/optional cannot be changed of a type of the catalog",
                                 "/0/configuration/0/defaultValue cannot be changed of a type of the catalog",
                                 "/0/configuration/0/valueOptions cannot be changed of a type of the catalog",
                                 "/0/configuration/0/dependsOn cannot be changed of a type of the catalog",
                                 "/0/configuration/1/fieldName is not a key of this type, which the catalog has"});
  CHECK(stored() == 0);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "all mistakes are named at once, and nothing is registered then") {
  auto wrong = pager();
  wrong.type = "a/b";
  wrong.category = "TOYS";
  wrong.configuration[0].field_name = "password";
  wrong.configuration[1].default_value = "sk-DEFAULT";
  wrong.configuration[2].default_value = "silent";
  wrong.configuration[3].depends_on = {{"api_key", {"x"}}, {"nothing", {}}};
  wrong.configuration[4].value_options = {"x"};
  wrong.configuration.push_back({.field_name = "mode"});
  wrong.configuration.push_back({.field_name = "", .label = "line\nbreak"});
  const auto refused = enter({pager(), wrong, pager()});
  REQUIRE(code_of(refused) == errc::invalid_argument);
  CHECK(problems_of(refused.error()) ==
        std::vector<std::string>{
            "/1/configuration/5/fieldName is there twice",
            "/1/configuration/6/fieldName must be 1 to 100 bytes of printable text",
            "/1/configuration/6/label must be at most 200 bytes of UTF-8 without control characters",
            "/1/type must be 1 to 100 letters, digits, - or _",
            "/1/category must be one of AI_MODEL, VECTOR_DB, RELATIONAL_DB, MESSAGE_BROKER, CLOUD, GIT, EMAIL, API, "
            "MCP, EVENT_SOURCE",
            "/1/configuration/0/fieldType must be PASSWORD or FILE: keys of this name are secrets",
            "/1/configuration/1/defaultValue must be empty: everybody could read a secret there",
            "/1/configuration/2/defaultValue must be one of the options",
            "/1/configuration/3/dependsOn/0/fieldName must not be a secret, whose value is not known",
            "/1/configuration/3/dependsOn/1/fieldName must be another field of this definition",
            "/1/configuration/3/dependsOn/1/values must be 1 to 4",
            "/1/configuration/4/valueOptions is for a DROPDOWN only", "/2/type is there twice"});
  CHECK(stored() == 0);
}

TEST_CASE_FIXTURE(DefinitionsFixture, "a key that is registered stays, and stays a secret or none") {
  REQUIRE(enter({pager()}));
  REQUIRE(integrations.save(ada, "p", paging()));
  auto next = pager();
  next.configuration[0].field_type = FieldType::PASSWORD;
  next.configuration[1].field_name = "token";
  next.configuration[4].field_type = FieldType::TEXT;
  CHECK(problems_with(next) ==
        std::vector<std::string>{"/0/configuration/0/fieldType must not become a secret",
                                 "/0/configuration api_key must stay: integrations may have it set",
                                 "/0/configuration/4/fieldType must stay PASSWORD or FILE"});
  next = pager();
  next.configuration[1].field_type = FieldType::FILE;
  next.configuration.push_back({.field_name = "colour"});
  CHECK(enter({next}));
  CHECK(integrations.save(ada, "p", {.configuration = ProviderConfig{{"endpoint", "https://pager"}, {"colour", "r"}}}));
}

TEST_CASE_FIXTURE(DefinitionsFixture, "registering is for administrators and the host") {
  const std::vector<IntegrationDefinition> one{pager()};
  CHECK(code_of(integrations.register_definitions(bob, one)) == errc::not_permitted);
  CHECK(code_of(integrations.register_definitions(Actor::agent("a"), one)) == errc::not_permitted);
  CHECK(stored() == 0);
  CHECK(integrations.register_definitions(host, one));
}

TEST_CASE_FIXTURE(DefinitionsFixture, "what is registered is bounded") {
  CHECK(code_of(enter(std::vector<IntegrationDefinition>(101, pager()))) == errc::invalid_argument);
  auto large = pager();
  for (int i = 0; i < 96; ++i) large.configuration.push_back({.field_name = "k" + std::to_string(i)});
  CHECK(problems_with(large) == std::vector<std::string>{"/0/configuration must have at most 100 fields"});
  for (int batch = 0; batch < 10; ++batch) {
    std::vector<IntegrationDefinition> some;
    for (int i = 0; i < 100; ++i) {
      some.push_back({.type = "t" + std::to_string(batch * 100 + i), .category = "API"});
    }
    REQUIRE(enter(some));
  }
  CHECK(problems_with(pager()) == std::vector<std::string>{" there would be more than 1,000 registered definitions"});
  CHECK(enter({{.name = "again", .type = "t0", .category = "API"}}));
  CHECK(integrations.definitions()->size() == provider_catalog().size() + 1000);
}

TEST_CASE_FIXTURE(DefinitionsFixture,
                  "what is registered stands in a chain of the audit, and the same again writes nothing") {
  REQUIRE(enter({pager()}));
  auto next = pager();
  next.configuration.push_back({.field_name = "colour", .label = "Colour"});
  REQUIRE(enter({next}));
  REQUIRE(enter({next}));
  const RecordId names[] = {engine::audit_record("provider_type.pager", 1),
                            engine::audit_record("provider_type.pager", 2),
                            engine::audit_record("provider_type.pager", 3)};
  const auto found = storage.get(names).value();
  REQUIRE(found[0]);
  REQUIRE(found[1]);
  CHECK_FALSE(found[2]);
  const auto entry = engine::read_audit(2, found[1]->body).value();
  CHECK(entry.type == "admin.integration_definition_saved");
  CHECK(entry.actor == ada.id());
  CHECK(changes_of(entry) == std::vector<std::string>{"configuration.colour:  -> TEXT, optional: Colour"});
  WorkflowEngine engine{{.storage = storage}};
  CHECK(engine.verify_all(host));
}

}  // namespace
}  // namespace openindex::test
