#include <openindex/provider_registry.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/settings_marker.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

std::uint64_t marker_version(Storage& storage) {
  const RecordId id = engine::settings_marker();
  const auto found = storage.get({&id, 1}).value();
  return found[0] ? found[0]->version : 0;
}

std::vector<std::string> names_of(const std::vector<Provider>& providers) {
  std::vector<std::string> out;
  for (const auto& provider : providers) out.push_back(provider.name);
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(RegistryFixture, "a created provider is found by id and by name, without its secret") {
  const auto created = registry.create(host, claude());
  REQUIRE(created);
  CHECK(created->id.str().starts_with("prov_"));
  CHECK(created->name == "claude");
  CHECK(created->type == "anthropic");
  CHECK(created->enabled);
  CHECK(created->config == ProviderConfig{{"model", "claude-x"}});
  REQUIRE(created->secrets.contains("api_key"));
  CHECK(created->secrets.at("api_key").fingerprint.size() == 8);
  CHECK(created->secrets.at("api_key").set_at == clock.now());
  CHECK(created->created_at == clock.now());
  CHECK(created->updated_at == clock.now());
  CHECK(created->version == 1);
  for (const auto& found : {registry.get(created->id), registry.find("claude")}) {
    REQUIRE(found);
    CHECK(found->id == created->id);
    CHECK(found->config == created->config);
    CHECK(found->secrets.at("api_key").fingerprint == created->secrets.at("api_key").fingerprint);
    CHECK(found->version == 1);
  }
}

TEST_CASE_FIXTURE(RegistryFixture, "what is not there is not found") {
  CHECK(code_of(registry.get("prov_x")) == errc::not_found);
  CHECK(registry.get("prov_x").error().context("provider") == "prov_x");
  CHECK(code_of(registry.get("")) == errc::not_found);
  CHECK(code_of(registry.find("nobody")) == errc::not_found);
  CHECK(code_of(registry.find("")) == errc::not_found);
  CHECK(code_of(registry.find(std::string(500, 'x'))) == errc::not_found);
  CHECK(code_of(registry.update(host, "prov_x", {.enabled = false})) == errc::not_found);
  CHECK(code_of(registry.remove(host, "prov_x")) == errc::not_found);
  CHECK(code_of(registry.test(host, "prov_x")) == errc::not_found);
  CHECK(registry.list().value().empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "a list is by name and complete beyond one page") {
  for (int i = 249; i >= 0; --i) {
    auto provider = llama();
    provider.name = "p" + std::to_string(1000 + i);
    REQUIRE(registry.create(host, provider));
  }
  const auto listed = registry.list();
  REQUIRE(listed);
  REQUIRE(listed->size() == 250);
  for (std::size_t i = 0; i < listed->size(); ++i) CHECK((*listed)[i].name == "p" + std::to_string(1000 + i));
}

TEST_CASE_FIXTURE(RegistryFixture, "a name is taken once") {
  REQUIRE(registry.create(host, claude()));
  auto second = gpt();
  second.name = "claude";
  const auto refused = registry.create(host, second);
  CHECK(code_of(refused) == errc::already_exists);
  CHECK(refused.error().context("name") == "claude");
  CHECK(registry.list()->size() == 1);
  second.name = "Claude";
  CHECK(registry.create(host, second));
}

TEST_CASE_FIXTURE(RegistryFixture, "an unknown type is refused with the types there are") {
  auto provider = claude();
  provider.type = "skynet";
  const auto refused = registry.create(host, provider);
  CHECK(code_of(refused) == errc::unknown_provider_type);
  std::vector<std::string> types;
  for (const ProviderType& type : provider_catalog()) types.emplace_back(type.name);
  CHECK(types.size() == 31);
  CHECK(refused.error().allowed() == types);
  CHECK(records(storage).empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "an update changes what it names and nothing else") {
  const auto created = registry.create(host, claude()).value();
  clock.advance(Duration(1000));
  const auto updated = registry.update(host, created.id, {.enabled = false, .config = {{"version", "2023-06-01"}}});
  REQUIRE(updated);
  CHECK(updated->name == "claude");
  CHECK_FALSE(updated->enabled);
  CHECK(updated->config == ProviderConfig{{"model", "claude-x"}, {"version", "2023-06-01"}});
  CHECK(updated->secrets.at("api_key").fingerprint == created.secrets.at("api_key").fingerprint);
  CHECK(updated->secrets.at("api_key").set_at == created.created_at);
  CHECK(updated->created_at == created.created_at);
  CHECK(updated->updated_at == clock.now());
  CHECK(updated->version == 2);
  const auto got = registry.get(created.id).value();
  CHECK(got.config == updated->config);
  CHECK(got.version == 2);
}

TEST_CASE_FIXTURE(RegistryFixture, "an empty value removes a key, unless the key is required") {
  auto provider = claude();
  provider.config["version"] = "2023-06-01";
  const auto id = registry.create(host, provider)->id;
  CHECK(registry.update(host, id, {.config = {{"version", ""}}})->config == ProviderConfig{{"model", "claude-x"}});
  const auto refused = registry.update(host, id, {.config = {{"model", ""}, {"api_key", ""}}});
  CHECK(code_of(refused) == errc::invalid_argument);
  CHECK(problems_of(refused.error()) == std::vector<std::string>{"/config/api_key is required"});
  CHECK(registry.get(id)->config.contains("model"));
}

TEST_CASE_FIXTURE(RegistryFixture, "an update that changes nothing writes nothing") {
  const auto id = registry.create(host, claude())->id;
  const auto version = marker_version(storage);
  const auto same = registry.update(
      host, id,
      {.name = "claude", .enabled = true, .type = "anthropic", .config = {{"model", "claude-x"}, {"version", ""}}});
  REQUIRE(same);
  CHECK(same->version == 1);
  CHECK(marker_version(storage) == version);
  CHECK(audit_of(storage, id).size() == 1);
}

TEST_CASE_FIXTURE(RegistryFixture, "a save creates, then changes, and then writes nothing") {
  auto provider = claude();
  const auto created = registry.save(host, provider);
  REQUIRE(created);
  provider.config["model"] = "opus-x";
  provider.enabled = false;
  const auto changed = registry.save(host, provider);
  REQUIRE(changed);
  CHECK(changed->id == created->id);
  CHECK(changed->config.at("model") == "opus-x");
  CHECK_FALSE(changed->enabled);
  CHECK(changed->version == 2);
  CHECK(registry.save(host, provider)->version == 2);
  CHECK(audit_of(storage, created->id).size() == 2);
  provider.type = "openai";
  CHECK(code_of(registry.save(host, provider)) == errc::provider_type_fixed);
  CHECK(code_of(registry.save(Actor::agent("alpha"), gpt())) == errc::not_permitted);
}

TEST_CASE_FIXTURE(RegistryFixture, "a type cannot be changed") {
  const auto id = registry.create(host, claude())->id;
  const auto refused = registry.update(host, id, {.type = "openai"});
  CHECK(code_of(refused) == errc::provider_type_fixed);
  CHECK(refused.error().context("type") == "anthropic");
}

TEST_CASE_FIXTURE(RegistryFixture, "a rename frees the old name and takes the new one") {
  const auto id = registry.create(host, claude())->id;
  const auto other = registry.create(host, gpt())->id;
  REQUIRE(registry.update(host, id, {.name = "opus"}));
  CHECK(registry.find("opus")->id == id);
  CHECK(code_of(registry.find("claude")) == errc::not_found);
  CHECK(code_of(registry.update(host, other, {.name = "opus"})) == errc::already_exists);
  CHECK(registry.update(host, other, {.name = "claude"})->name == "claude");
  CHECK(registry.update(host, id, {.name = "gpt"})->name == "gpt");
  CHECK(names_of(registry.list().value()) == std::vector<std::string>{"claude", "gpt"});
}

TEST_CASE_FIXTURE(RegistryFixture, "a removed provider is gone and its name is free") {
  const auto id = registry.create(host, claude())->id;
  REQUIRE(registry.remove(host, id));
  CHECK(code_of(registry.get(id)) == errc::not_found);
  CHECK(code_of(registry.find("claude")) == errc::not_found);
  CHECK(registry.list()->empty());
  const auto again = registry.create(host, claude());
  REQUIRE(again);
  CHECK(again->id != id);
}

TEST_CASE_FIXTURE(RegistryFixture, "agents and runs may not manage providers, and change nothing by trying") {
  const auto id = registry.create(host, claude())->id;
  const auto before = records(storage).size();
  for (const Actor& actor : {Actor::agent("alpha"), Actor::run("run_1", "OPS-1", "alpha", 1)}) {
    const auto created = registry.create(actor, gpt());
    CHECK(code_of(created) == errc::not_permitted);
    CHECK(code_of(registry.update(actor, id, {.enabled = false})) == errc::not_permitted);
    CHECK(code_of(registry.remove(actor, id)) == errc::not_permitted);
    CHECK(code_of(registry.test(actor, id)) == errc::not_permitted);
    if (actor.kind() == ActorKind::run) CHECK(created.error().message() == "Agent run token cannot manage settings");
  }
  CHECK(records(storage).size() == before);
  CHECK(registry.create(Actor::person("ana"), gpt()));
}

TEST_CASE_FIXTURE(RegistryFixture, "every change is audited with who, when and what, in one chain") {
  auto provider = claude();
  provider.config["endpoint"] = "https://proxy.example/v1";
  const auto id = registry.create(host, provider)->id;
  clock.advance(Duration(1000));
  const Actor ana = Actor::person("ana");
  REQUIRE(registry.update(ana, id,
                          {.name = "opus",
                           .enabled = false,
                           .config = {{"api_key", "sk-MARKER-2"}, {"endpoint", ""}, {"model", "opus-x"}}}));
  REQUIRE(registry.remove(ana, id));

  const auto entries = audit_of(storage, id);
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].type == "admin.ai_provider_created");
  CHECK(entries[0].actor == "host");
  CHECK(entries[0].actor_kind == "system");
  CHECK(changes_of(entries[0]) ==
        std::vector<std::string>{"name:  -> claude", "type:  -> anthropic", "config.api_key:  -> set",
                                 "config.endpoint:  -> https://proxy.example/v1", "config.model:  -> claude-x"});
  CHECK(entries[1].type == "admin.ai_provider_updated");
  CHECK(entries[1].actor == "ana");
  CHECK(entries[1].at == clock.now());
  CHECK(changes_of(entries[1]) ==
        std::vector<std::string>{"config.api_key: set -> changed", "config.endpoint: https://proxy.example/v1 -> ",
                                 "config.model: claude-x -> opus-x", "name: claude -> opus", "enabled: true -> false"});
  CHECK(entries[2].type == "admin.ai_provider_deleted");
  CHECK(changes_of(entries[2]) == std::vector<std::string>{"name: opus -> ", "type: anthropic -> "});
  for (std::uint64_t number = 2; number <= 3; ++number) {
    const RecordId before = engine::audit_record("provider." + id.str(), number - 1);
    CHECK(entries[number - 1].previous == engine::audit_digest(storage.get({&before, 1}).value()[0]->body));
  }
}

TEST_CASE_FIXTURE(RegistryFixture, "a long value stands in the audit by its size") {
  auto provider = llama();
  provider.config["model"] = std::string(300, 'm');
  const auto id = registry.create(host, provider)->id;
  CHECK(changes_of(audit_of(storage, id)[0]).back() == "config.model:  -> (300 bytes)");
}

TEST_CASE_FIXTURE(RegistryFixture, "every change moves the settings marker, so that dispatchers look again") {
  const auto id = registry.create(host, claude())->id;
  CHECK(marker_version(storage) == 1);
  REQUIRE(registry.update(host, id, {.enabled = false}));
  CHECK(marker_version(storage) == 2);
  REQUIRE(registry.remove(host, id));
  CHECK(marker_version(storage) == 3);
}

TEST_CASE_FIXTURE(RegistryFixture, "a provider of a type from a later version can be seen, disabled and removed") {
  ChangeSet changes;
  changes.id = "com_1";
  changes.puts.push_back({{"provider", "prov_1"},
                          R"({"name":"new","type":"later","enabled":true,"config":{"model":"m"},"tier":"gold"})",
                          {}});
  changes.puts.push_back({{"provider_name", "new"}, R"({"id":"prov_1"})", {}});
  REQUIRE(storage.commit({&changes, 1})[0]);

  CHECK(registry.find("new")->type == "later");
  CHECK(code_of(registry.update(host, "prov_1", {.config = {{"model", "n"}}})) == errc::unknown_provider_type);
  CHECK_FALSE(registry.update(host, "prov_1", {.enabled = false})->enabled);
  const RecordId id{"provider", "prov_1"};
  CHECK(storage.get({&id, 1}).value()[0]->body.find(R"("tier":"gold")") != std::string::npos);
  const auto test = registry.test(host, "prov_1");
  REQUIRE(test);
  CHECK_FALSE(test->configured);
  CHECK(registry.remove(host, "prov_1"));
}
