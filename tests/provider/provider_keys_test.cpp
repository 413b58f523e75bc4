// Idempotency keys on changes of providers and integrations: the same call again is one change with one answer,
// whatever became of the first try.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <utility>

#include <openindex/provider/integrations.hpp>

#include "engine/answers.hpp"
#include "provider/keys_fixture.hpp"
#include "provider/request_text.hpp"

namespace openindex::test {
namespace {

using namespace std::chrono_literals;

std::string text_of(const Result<void>& answer) { return answer ? "done" : std::string(name(answer.error().code())); }

std::string text_of(const Result<ProviderUse>& answer) {
  return answer ? "served " + std::to_string(answer->stages.size()) : std::string(name(answer.error().code()));
}

std::string text_of(const Result<Provider>& answer) {
  if (!answer) return std::string(name(answer.error().code()));
  std::string out = answer->name + " " + answer->type + " " + answer->category + " " + answer->description + " " +
                    std::to_string(answer->version) + (answer->enabled ? "" : " off") +
                    (answer->left_without ? " left" : "") + " by " + answer->created_by + "/" + answer->updated_by +
                    " " + std::to_string(answer->updated_at.time_since_epoch().count());
  for (const auto& [key, value] : answer->config) out += " " + key + "=" + value;
  for (const auto& [key, secret] : answer->secrets) out += " " + key + (secret.fingerprint.size() == 8 ? "#" : "");
  for (const auto& [user, access] : answer->grants) out += " " + user + std::to_string(access.size());
  return out;
}

std::string text_of(const Result<Integration>& answer) {
  if (!answer) return std::string(name(answer.error().code()));
  std::string out = answer->name + " " + answer->type + " " + answer->description + (answer->enabled ? "" : " off") +
                    (answer->left_without ? " left" : "") + " " + std::to_string(answer->models_count) + " " +
                    std::to_string(answer->update_time.time_since_epoch().count());
  for (const auto& [key, value] : answer->configuration) out += " " + key + "=" + value;
  for (const auto& tag : answer->tags) out += " " + tag.key;
  return out;
}

std::string text_of(const Result<IntegrationModel>& answer) {
  if (!answer) return std::string(name(answer.error().code()));
  std::string out = answer->integration_name + " " + answer->api + " " + answer->description +
                    (answer->enabled ? "" : " off") + " by " + answer->updated_by;
  for (const auto& [key, value] : answer->configuration) out += " " + key + "=" + value;
  for (const auto& tag : answer->tags) out += " " + tag.key;
  return out + (answer->limit ? " " + std::to_string(answer->limit->tokens_max) : "");
}

std::string text_of(const Result<Prompt>& answer) {
  if (!answer) return std::string(name(answer.error().code()));
  std::string out = answer->name + " " + answer->text + " " + answer->description + " " +
                    std::to_string(answer->version) + " by " + answer->updated_by;
  for (const auto& variable : answer->variables) out += " $" + variable;
  for (const auto& one : answer->integrations) out += " " + one;
  return out;
}

const CallOptions first_call{.idempotency_key = "k1"};
const std::vector<ProviderTag> fresh_tag{{"fresh", ""}};
const std::vector<ProviderTag> old_tag{{"old", ""}};

/// A change by a key, and another request under the same one.
struct Call {
  const char* name;
  std::function<std::string(const Process&)> make;
  std::function<std::string(const Process&)> make_other;
};

Integration bulk(const std::string& api_key) {
  return {.name = "bulk", .type = "openai", .configuration = {{"api_key", api_key}}, .apis = {{.api = "l"}}};
}

IntegrationDefinition own_type(const std::string& called) { return {.name = called, .type = "own", .category = "API"}; }

const std::vector<Call> calls = {
    {"create", [](const Process& of) { return text_of(of.registry.create(ada, claude(), first_call)); },
     [](const Process& of) {
       auto with_other_secret = claude();
       with_other_secret.config["api_key"] = "sk-MARKER-2";
       return text_of(of.registry.create(ada, with_other_secret, first_call));
     }},
    {"save a new one", [](const Process& of) { return text_of(of.registry.save(ada, claude(), first_call)); },
     [](const Process& of) { return text_of(of.registry.save(ada, llama(), first_call)); }},
    {"save one that is there",
     [](const Process& of) {
       return text_of(of.registry.save(ada, {.name = "gpt", .type = "openai", .description = "d"}, first_call));
     },
     [](const Process& of) { return text_of(of.registry.save(ada, {.name = "gpt", .type = "openai"}, first_call)); }},
    {"save that changes nothing",
     [](const Process& of) { return text_of(of.registry.save(ada, {.name = "gpt", .type = "openai"}, first_call)); },
     [](const Process& of) { return text_of(of.registry.save(ada, llama(), first_call)); }},
    {"grant",
     [](const Process& of) { return text_of(of.registry.grant(ada, of.gpt, "bob", {Access::UPDATE}, first_call)); },
     [](const Process& of) { return text_of(of.registry.grant(ada, of.gpt, "bob", {Access::DELETE}, first_call)); }},
    {"update",
     [](const Process& of) {
       return text_of(of.registry.update(ada, of.gpt, {.enabled = false, .config = {{"api_key", "sk-2"}}}, first_call));
     },
     [](const Process& of) {
       return text_of(of.registry.update(ada, of.gpt, {.enabled = false, .config = {{"api_key", "sk-3"}}}, first_call));
     }},
    {"remove", [](const Process& of) { return text_of(of.registry.remove(ada, of.gpt, first_call)); },
     [](const Process& of) { return text_of(of.registry.remove(ada, ProviderId("prov_x"), first_call)); }},
    {"integration save",
     [](const Process& of) {
       return text_of(of.integrations.save(ada, "gpt", {.description = "x", .enabled = false}, first_call));
     },
     [](const Process& of) {
       return text_of(of.integrations.save(ada, "gpt", {.description = "y", .enabled = false}, first_call));
     }},
    {"integration save of a new one",
     [](const Process& of) { return text_of(of.integrations.save(ada, "new", {.type = "ollama"}, first_call)); },
     [](const Process& of) { return text_of(of.integrations.save(ada, "newer", {.type = "ollama"}, first_call)); }},
    {"save_all",
     [](const Process& of) { return text_of(of.integrations.save_all(ada, std::vector{bulk("a")}, first_call)); },
     [](const Process& of) { return text_of(of.integrations.save_all(ada, std::vector{bulk("b")}, first_call)); }},
    {"integration remove", [](const Process& of) { return text_of(of.integrations.remove(ada, "gpt", first_call)); },
     [](const Process& of) { return text_of(of.integrations.remove(ada, "other", first_call)); }},
    {"save_model",
     [](const Process& of) {
       return text_of(of.integrations.save_model(ada, "gpt", "m",
                                                 {.enabled = false, .limit = TokenLimit{.tokens_max = 5}}, first_call));
     },
     [](const Process& of) {
       return text_of(of.integrations.save_model(ada, "gpt", "m", {.enabled = true}, first_call));
     }},
    {"remove_model",
     [](const Process& of) { return text_of(of.integrations.remove_model(ada, "gpt", "m", first_call)); },
     [](const Process& of) { return text_of(of.integrations.remove_model(ada, "gpt", "n", first_call)); }},
    {"put_tags", [](const Process& of) { return text_of(of.integrations.put_tags(ada, "gpt", fresh_tag, first_call)); },
     [](const Process& of) { return text_of(of.integrations.put_tags(ada, "gpt", "m", fresh_tag, first_call)); }},
    {"put_tags of a model",
     [](const Process& of) { return text_of(of.integrations.put_tags(ada, "gpt", "m", fresh_tag, first_call)); },
     [](const Process& of) { return text_of(of.integrations.put_tags(ada, "gpt", "m", old_tag, first_call)); }},
    {"remove_tags",
     [](const Process& of) { return text_of(of.integrations.remove_tags(ada, "gpt", old_tag, first_call)); },
     [](const Process& of) { return text_of(of.integrations.put_tags(ada, "gpt", old_tag, first_call)); }},
    {"remove_tags of a model",
     [](const Process& of) { return text_of(of.integrations.remove_tags(ada, "gpt", "m", old_tag, first_call)); },
     [](const Process& of) { return text_of(of.integrations.remove_tags(ada, "gpt", "m", fresh_tag, first_call)); }},
    {"save_prompt",
     [](const Process& of) { return text_of(of.integrations.save_prompt(ada, "greet", "hi ${you}", "d", first_call)); },
     [](const Process& of) { return text_of(of.integrations.save_prompt(ada, "greet", "hi ${you}", "", first_call)); }},
    {"remove_prompt",
     [](const Process& of) { return text_of(of.integrations.remove_prompt(ada, "greet", first_call)); },
     [](const Process& of) { return text_of(of.integrations.remove_prompt(ada, "other", first_call)); }},
    {"associate_prompt",
     [](const Process& of) { return text_of(of.integrations.associate_prompt(ada, "gpt", "m", "greet", first_call)); },
     [](const Process& of) { return text_of(of.integrations.associate_prompt(ada, "gpt", "n", "greet", first_call)); }},
    {"add_tokens",
     [](const Process& of) {
       return text_of(of.integrations.add_tokens(ada, "gpt", {.model = "m", .input = 3}, first_call));
     },
     [](const Process& of) {
       return text_of(of.integrations.add_tokens(ada, "gpt", {.model = "m", .output = 3}, first_call));
     }},
    {"limit_tokens",
     [](const Process& of) { return text_of(of.integrations.limit_tokens(ada, "gpt", {.tokens_max = 9}, first_call)); },
     [](const Process& of) {
       return text_of(of.integrations.limit_tokens(ada, "gpt", {.tokens_max = 8}, first_call));
     }},
    {"register_definitions",
     [](const Process& of) {
       return text_of(of.integrations.register_definitions(ada, std::vector{own_type("A")}, first_call));
     },
     [](const Process& of) {
       return text_of(of.integrations.register_definitions(ada, std::vector{own_type("B")}, first_call));
     }},
    {"record_events",
     [](const Process& of) {
       return text_of(
           of.integrations.record_events(ada, "kafka", std::vector<IntegrationEvent>{{.event = "orders"}}, first_call));
     },
     [](const Process& of) {
       return text_of(of.integrations.record_events(ada, "kafka", std::vector<IntegrationEvent>{}, first_call));
     }},
};

/// Whether an answer is none but the name of an error.
bool is_refusal(const std::string& answer) {
  return std::any_of(all_errcs().begin(), all_errcs().end(), [&](errc code) { return name(code) == answer; });
}

TEST_CASE("a call that is repeated with its key gives its first answer, also when all has changed since") {
  for (const Call& call : calls) {
    const std::string what = call.name;
    CAPTURE(what);
    KeysFixture f;
    const std::string first = call.make(f.here());
    CHECK_FALSE(is_refusal(first));
    f.clock.advance(1h);
    for (const Provider& provider : f.registry.list().value())
      REQUIRE(f.registry.update(ada, provider.id, {.name = "renamed" + provider.name}));
    (void)f.integrations.remove_prompt(ada, "greet");
    const std::string before = f.seen();
    CHECK(call.make(f.there()) == first);
    CHECK(f.seen() == before);
  }
}

TEST_CASE("a key that was used for one request is refused for another one") {
  for (const Call& call : calls) {
    const std::string what = call.name;
    CAPTURE(what);
    KeysFixture f;
    CHECK_FALSE(is_refusal(call.make(f.here())));
    const std::string before = f.seen();
    CHECK(call.make_other(f.there()) == "idempotency_conflict");
    CHECK(f.seen() == before);
  }
}

TEST_CASE("whatever became of a call, the same call again makes it once") {
  for (const Call& call : calls) {
    KeysFixture whole;
    const std::string answer = call.make(whole.here());
    for (const bool does : {false, true}) {
      for (int nth = 1;; ++nth) {
        const std::string what = call.name;
        CAPTURE(what);
        CAPTURE(does);
        CAPTURE(nth);
        REQUIRE(nth < 40);
        KeysFixture f;
        const std::string before = f.seen();
        f.vanishing.vanish_at(nth, does);
        const std::string said = call.make(f.here());
        const bool vanished = f.vanishing.has_vanished();
        f.vanishing.come_back();
        const bool happened = f.seen() != before;
        if (is_refusal(said) && happened) CHECK(said == "commit_unknown");
        if (!is_refusal(said)) CHECK(happened);
        CHECK(call.make(f.there()) == answer);
        CHECK(f.seen() == whole.seen());
        if (!vanished) break;
      }
    }
  }
}

TEST_CASE("a call with a key finds out by itself what became of a commit, also of one that nothing is audited of") {
  const std::vector<IntegrationEvent> one{{.event = "orders"}};
  for (const auto fault : {testing::FaultyStorage::Fault::before, testing::FaultyStorage::Fault::after}) {
    for (std::uint64_t nth = 1;; ++nth) {
      CAPTURE(nth);
      REQUIRE(nth < 20);
      FaultyRegistry f;
      Integrations integrations{f.registry};
      f.faulty.fail_nth(nth, fault, errc::storage_failed);
      const auto done = integrations.record_events(ada, "kafka", one, first_call);
      CHECK(code_of(done) != errc::commit_unknown);
      const bool failed = f.faulty.failed();
      f.faulty.heal();
      if (!done) CHECK(integrations.event_counts("kafka")->empty());
      CHECK(integrations.record_events(ada, "kafka", one, first_call));
      CHECK(integrations.event_counts("kafka")->front().sent == 1);
      if (!failed) break;
    }
  }
}

TEST_CASE_FIXTURE(KeysFixture, "an answer by a key has all that the first one had") {
  const auto first = registry.create(ada, claude(), first_call).value();
  const auto again = other.create(ada, claude(), first_call).value();
  CHECK(again.id == first.id);
  CHECK(again.secrets.at("api_key").fingerprint == first.secrets.at("api_key").fingerprint);
  CHECK(again.secrets.at("api_key").set_at == first.secrets.at("api_key").set_at);
  CHECK(again.version == 1);
  CHECK(again.grants == first.grants);
}

TEST_CASE_FIXTURE(KeysFixture, "keys are told apart by who brings them, and refusals are not remembered") {
  REQUIRE(integrations.save_prompt(ada, "one", "a", "", first_call));
  CHECK(integrations.save_prompt(bob, "two", "b", "", first_call)->name == "two");
  const CallOptions second{.idempotency_key = "k2"};
  CHECK(code_of(integrations.save_model(ada, "nobody", "m", {}, second)) == errc::not_found);
  CHECK(integrations.save_model(ada, "gpt", "m", {}, second));
  CHECK(code_of(integrations.save_prompt(ada, "one", "a", "", {.idempotency_key = std::string(201, 'x')})) ==
        errc::invalid_argument);
  CHECK(code_of(integrations.put_tags(Actor::agent("a"), "gpt", fresh_tag, first_call)) == errc::not_permitted);
}

TEST_CASE_FIXTURE(KeysFixture, "an answer is forgotten after a day, and swept away where no engine is at work") {
  REQUIRE(integrations.add_tokens(ada, "gpt", {.model = "m", .input = 1}, first_call));
  clock.advance(24h);
  REQUIRE(integrations.add_tokens(ada, "gpt", {.model = "m", .input = 2}, first_call));
  CHECK(integrations.tokens("gpt", "m").value() == 3);
  clock.advance(24h);
  for (int i = 0; i < 64; ++i) {
    REQUIRE(integrations.save_prompt(ada, "p", "text", "", {.idempotency_key = std::to_string(i)}));
  }
  const auto rows = remembered();
  CHECK(rows.size() <= 64);
  const auto id = engine::request_of(ada, first_call.idempotency_key, ItemKey(), "").record;
  CHECK(std::none_of(rows.begin(), rows.end(), [&](const Record& row) { return row.id == id; }));
}

TEST_CASE_FIXTURE(KeysFixture, "what is remembered holds no secret, and nothing that a guess could be tried against") {
  const NewProvider wanted = claude();
  REQUIRE(registry.create(ada, wanted, first_call));
  REQUIRE(integrations.save_model(ada, "gpt", "m", {.configuration = ProviderConfig{{"api_key", "sk-MARKER-9"}}},
                                  {.idempotency_key = "k2"}));
  const auto rows = remembered();
  REQUIRE(rows.size() == 2);
  for (const Record& row : rows) {
    CHECK(row.body.find("MARKER") == std::string::npos);
    CHECK(row.body.find("sealed:") == std::string::npos);
    CHECK(row.body.find("salt_") == std::string::npos);
  }
  const std::string text = providers::request_text("create provider", wanted);
  const std::string plain = engine::request_of(ada, first_call.idempotency_key, ItemKey(), text).digest;
  KeysFixture elsewhere;
  REQUIRE(elsewhere.registry.create(ada, wanted, first_call));
  const auto digest_of = [](const std::vector<Record>& all, const RecordId& id) {
    const auto row = std::find_if(all.begin(), all.end(), [&](const Record& one) { return one.id == id; });
    REQUIRE(row != all.end());
    return row->body.substr(0, row->body.find(",\"at\""));
  };
  const auto id = engine::request_of(ada, first_call.idempotency_key, ItemKey(), "").record;
  CHECK(digest_of(rows, id).find(plain) == std::string::npos);
  CHECK(digest_of(rows, id) != digest_of(elsewhere.remembered(), id));
}

TEST_CASE_FIXTURE(KeysFixture, "requests are told apart across a change of the host's key") {
  REQUIRE(registry.create(ada, claude(), first_call));
  const HostKey next_key = HostKey::ephemeral();
  SealedSecretStore both{next_key, {host_key}};
  ProviderRegistry changing{{.storage = storage, .secrets = both, .http = http, .clock = clock}};
  REQUIRE(changing.reseal(host));
  SealedSecretStore only_next{next_key};
  ProviderRegistry after{{.storage = storage, .secrets = only_next, .http = http, .clock = clock}};
  CHECK(after.create(ada, claude(), first_call));
  CHECK(code_of(after.create(ada, llama(), first_call)) == errc::idempotency_conflict);
}

TEST_CASE_FIXTURE(KeysFixture, "where the host's key is lost, a reseal lets calls with keys through again") {
  REQUIRE(registry.create(ada, claude(), first_call));
  SealedSecretStore lost{HostKey::ephemeral()};
  ProviderRegistry after{{.storage = storage, .secrets = lost, .http = http, .clock = clock}};
  CHECK(code_of(after.create(ada, llama(), {.idempotency_key = "k2"})) == errc::secret_unreadable);
  CHECK(after.list()->size() == 2);
  REQUIRE(after.reseal(host));
  CHECK(after.create(ada, llama(), {.idempotency_key = "k2"}));
  CHECK(code_of(after.create(ada, claude(), first_call)) == errc::idempotency_conflict);
}

TEST_CASE("two processes that use keys for the first time at once agree on what tells requests apart") {
  FaultyRegistry f;
  ProviderRegistry other{{.storage = f.storage, .secrets = f.secrets, .http = f.http, .clock = f.clock}};
  bool done = false;
  f.faulty.before_commit([&] {
    if (!std::exchange(done, true)) REQUIRE(other.create(ada, claude(), {.idempotency_key = "theirs"}));
  });
  REQUIRE(f.registry.create(ada, llama(), first_call));
  REQUIRE(done);
  CHECK(other.create(ada, llama(), first_call)->name == "llama");
  CHECK(f.registry.create(ada, claude(), {.idempotency_key = "theirs"})->name == "claude");
}

TEST_CASE("requests that differ have texts that differ, whatever they hold") {
  using providers::request_text;
  CHECK(request_text("ab", "c") != request_text("a", "bc"));
  CHECK(request_text(std::optional<std::string>()) != request_text(std::optional<std::string>("")));
  CHECK(request_text(ProviderConfig{{"a", "b"}, {"c", "d"}}) != request_text(ProviderConfig{{"a", "b2:c1:d"}}));
  CHECK(request_text(ProviderUpdate{.name = "x"}) != request_text(ProviderUpdate{.type = "x"}));
  CHECK(request_text(std::vector<ProviderTag>{{"a", ""}}) != request_text(std::vector<ProviderTag>{{"", "a"}}));
}

}  // namespace
}  // namespace openindex::test
