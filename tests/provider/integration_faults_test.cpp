// What becomes of a change of an integration when the storage fails, or its answer is lost: it is done once or not at
// all.
#include <doctest/doctest.h>

#include <functional>
#include <utility>

#include <openindex/provider/integrations.hpp>
#include <openindex/testing/faulty_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "provider/registry_fixture.hpp"

namespace openindex::test {
namespace {

using testing::FaultyStorage;

struct FaultyIntegrations : FaultyRegistry {
  Integrations integrations{registry};

  void prepare() {
    REQUIRE(integrations.save(ada, "gpt", {.type = "openai", .configuration = ProviderConfig{{"api_key", "k"}}}));
    REQUIRE(integrations.save_model(ada, "gpt", "m", {}));
    REQUIRE(integrations.save_prompt(ada, "greet", "hello", ""));
  }

  /// All that readers see, in a few words.
  std::string seen() {
    faulty.heal();
    std::string out;
    for (const auto& one : integrations.list({.active_only = false, .with_models = true}).value()) {
      out += one.name + "(" + one.description + ")";
      for (const auto& tag : one.tags) out += "#" + tag.key;
      for (const auto& model : one.apis) {
        out += " " + model.api + (model.enabled ? "" : "-off");
        for (const auto& prompt : integrations.prompts_of(one.name, model.api).value()) out += "<" + prompt.name;
      }
      CHECK(one.models_count == one.apis.size());
      for (const auto& [model, sum] : integrations.tokens(one.name).value()) out += " " + std::to_string(sum);
      out += "/" + std::to_string(integrations.token_limit(one.name)->tokens_max) + ";";
    }
    for (const auto& prompt : integrations.prompts().value()) out += prompt.name + std::to_string(prompt.version);
    WorkflowEngine engine{{.storage = storage}};
    CHECK(engine.verify_all(host));
    return out;
  }
};

struct Change {
  const char* name;
  std::function<bool(Integrations&)> make;
  const char* after;
};

const std::string before = "gpt() m/0;greet1";

const Change changes[] = {
    {"save", [](Integrations& all) { return all.save(ada, "gpt", {.description = "x"}).has_value(); },
     "gpt(x) m/0;greet1"},
    {"save_all",
     [](Integrations& all) {
       return all
           .save_all(ada, std::vector<Integration>{{.name = "a", .type = "ollama", .apis = {{.api = "l"}}},
                                                   {.name = "gpt", .type = "openai", .apis = {{.api = "n"}}}})
           .has_value();
     },
     "a() l/0;gpt() m n/0;greet1"},
    {"save_model", [](Integrations& all) { return all.save_model(ada, "gpt", "m", {.enabled = false}).has_value(); },
     "gpt() m-off/0;greet1"},
    {"remove_model", [](Integrations& all) { return all.remove_model(ada, "gpt", "m").has_value(); }, "gpt()/0;greet1"},
    {"put_tags",
     [](Integrations& all) {
       return all.put_tags(ada, "gpt", std::vector<ProviderTag>{{"t", "v"}}).has_value();
     },
     "gpt()#t m/0;greet1"},
    {"save_prompt", [](Integrations& all) { return all.save_prompt(ada, "greet", "good day", "").has_value(); },
     "gpt() m/0;greet2"},
    {"remove_prompt", [](Integrations& all) { return all.remove_prompt(ada, "greet").has_value(); }, "gpt() m/0;"},
    {"associate_prompt", [](Integrations& all) { return all.associate_prompt(ada, "gpt", "m", "greet").has_value(); },
     "gpt() m<greet/0;greet1"},
    {"add_tokens",
     [](Integrations& all) { return all.add_tokens(ada, "gpt", {.model = "m", .input = 3, .output = 4}).has_value(); },
     "gpt() m 7/0;greet1"},
    {"limit_tokens", [](Integrations& all) { return all.limit_tokens(ada, "gpt", {.tokens_max = 9}).has_value(); },
     "gpt() m/9;greet1"},
    {"remove", [](Integrations& all) { return all.remove(ada, "gpt").has_value(); }, "greet1"},
};

void fail_each(FaultyStorage::Fault fault, errc code) {
  for (const Change& change : changes) {
    for (std::uint64_t nth = 1;; ++nth) {
      const std::string name = change.name;
      CAPTURE(name);
      CAPTURE(nth);
      REQUIRE(nth < 40);
      FaultyIntegrations world;
      world.prepare();
      REQUIRE(world.seen() == before);
      world.faulty.fail_nth(nth, fault, code);
      const bool done = change.make(world.integrations);
      const bool failed = world.faulty.failed();
      CHECK(world.seen() == (done ? std::string(change.after) : before));
      if (!done) CHECK(change.make(world.integrations));
      CHECK(world.seen() == change.after);
      if (!failed) break;
    }
  }
}

TEST_CASE("a change of an integration whose storage fails is not made, and can be made again") {
  fail_each(FaultyStorage::Fault::before, errc::storage_failed);
}

TEST_CASE("a change of an integration whose answer is lost is found, and not made twice") {
  fail_each(FaultyStorage::Fault::after, errc::storage_failed);
}

TEST_CASE("of two changes at once neither is lost") {
  FaultyIntegrations world;
  world.prepare();
  ProviderRegistry other{
      {.storage = world.storage, .secrets = world.secrets, .http = world.http, .clock = world.clock}};
  Integrations others{other};
  bool done = false;
  const auto once = [&](std::function<void()> act) {
    done = false;
    world.faulty.before_commit([&done, act = std::move(act)] {
      if (!std::exchange(done, true)) act();
    });
  };
  once([&] { REQUIRE(others.save_prompt(ada, "greet", "good day", "")); });
  CHECK(world.integrations.save_prompt(ada, "greet", "good evening", "")->version == 3);
  once([&] { REQUIRE(others.save_model(ada, "gpt", "n", {})); });
  REQUIRE(world.integrations.save_model(ada, "gpt", "o", {}));
  once([&] { REQUIRE(others.put_tags(ada, "gpt", "m", std::vector<ProviderTag>{{"a", ""}})); });
  REQUIRE(world.integrations.put_tags(ada, "gpt", "m", std::vector<ProviderTag>{{"b", ""}}));
  const std::vector<IntegrationEvent> one{{"orders", IntegrationEvent::Type::SEND, world.clock.now()}};
  once([&] { REQUIRE(others.record_events(ada, "kafka", one)); });
  REQUIRE(world.integrations.record_events(ada, "kafka", one));
  CHECK(done);
  CHECK(world.integrations.get("gpt")->models_count == 3);
  CHECK(world.integrations.tags("gpt", "m")->size() == 2);
  CHECK(world.integrations.event_counts("kafka")->front().sent == 2);
}

}  // namespace
}  // namespace openindex::test
