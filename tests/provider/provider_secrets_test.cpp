#include <openindex/provider_registry.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "provider/provider_directory.hpp"
#include "provider/registry_fixture.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

void set_env(const char* variable, const char* value) {
  if (value == nullptr) {
    ::unsetenv(variable);
  } else {
    ::setenv(variable, value, 1);
  }
}

std::string text_of(const Provider& provider) {
  std::string out = provider.id.str() + provider.name + provider.type;
  for (const auto& [key, value] : provider.config) out += key + value;
  for (const auto& [key, info] : provider.secrets) out += key + info.fingerprint;
  return out;
}

bool is_clean(const std::string& text) { return text.find("MARKER") == std::string::npos; }

// A vault that answers with what it was given: the worst one to have.
class LeakyVault final : public SecretStore {
 public:
  Result<std::string> seal(const SecretName&, std::string_view value) override {
    throw std::runtime_error("cannot seal " + std::string(value));
  }
  Result<std::string> open(const SecretName&, std::string_view) override { throw 42; }
};

}  // namespace

TEST_CASE_FIXTURE(RegistryFixture, "a secret is in no record, view, audit entry, error or test result") {
  http.answer = [](const HttpRequest& request) {
    // A server that repeats what it was sent.
    std::string body;
    for (const auto& [name, value] : request.headers) body += name + value;
    return HttpResponse{401, {}, body};
  };
  std::string seen;
  const auto id = registry.create(host, claude())->id;
  seen += text_of(registry.update(host, id, {.config = {{"api_key", "sk-MARKER-3"}}}).value());
  seen += text_of(registry.get(id).value()) + text_of(registry.list()->at(0));
  seen += registry.test(host, id)->message;
  http.answer = [](const HttpRequest& request) {
    return Result<HttpResponse>(Error(errc::http_unreachable, "no route for " + request.headers.back().second)
                                    .with("header", request.headers.back().second));
  };
  seen += registry.test(host, id)->message;
  seen += registry.create(host, claude()).error().describe();
  seen += registry.update(host, id, {.config = {{"endpoint", "https://MARK.example"}}}).error().describe();
  for (const char* key : {"apiKey", "endpoint", "header", "version"}) {
    auto provider = claude();
    provider.name = "other";
    provider.config[key] = "sk-MARKER\n";
    seen += registry.create(host, provider).error().describe();
  }
  auto misplaced = claude();
  misplaced.name = "other";
  misplaced.config["endpoint"] = "https://sk-MARKER@host?key=sk-MARKER";
  seen += registry.create(host, misplaced).error().describe();
  misplaced.config["endpoint"] = "env:sk-MARKER";
  seen += registry.create(host, misplaced).error().describe();
  REQUIRE(registry.update(host, id, {.config = {{"api_key", "sk-MARKER-4"}}}));
  REQUIRE(registry.remove(host, id));
  for (const Record& record : records(storage)) seen += record.id.key + record.body;
  REQUIRE(registry.create(host, claude()));
  for (const Record& record : records(storage)) seen += record.id.key + record.body;

  CHECK_FALSE(http.requests.empty());
  CHECK(is_clean(seen));
}

TEST_CASE_FIXTURE(RegistryFixture, "the inside gets the secret back, with the endpoint it is for") {
  auto provider = gpt();
  provider.config["organizationId"] = "org-1";
  const auto endpoint = registry.directory().endpoint(registry.create(host, provider)->id);
  REQUIRE(endpoint);
  CHECK(endpoint->family == WireFamily::openai_chat);
  CHECK(endpoint->base_url == "https://api.openai.com/v1");
  CHECK(endpoint->api_key == "sk-MARKER-2");
  CHECK(endpoint->model == "gpt-x");
  CHECK(endpoint->headers == HttpHeaders{{"OpenAI-Organization", "org-1"}});

  provider = claude();
  provider.config["version"] = "2023-01-01";
  provider.config["betaVersion"] = "tools-1";
  const auto anthropic = registry.directory().endpoint(registry.create(host, provider)->id);
  REQUIRE(anthropic);
  CHECK(anthropic->base_url == "https://api.anthropic.com");
  CHECK(anthropic->version == "2023-01-01");
  CHECK(anthropic->headers == HttpHeaders{{"anthropic-beta", "tools-1"}});
}

TEST_CASE_FIXTURE(RegistryFixture, "a header that ollama's key goes to carries it instead of Authorization") {
  auto provider = llama();
  CHECK(registry.directory().endpoint(registry.create(host, provider)->id)->base_url == "http://localhost:11434");
  provider.name = "guarded";
  provider.config["api_key"] = "sk-MARKER";
  provider.config["header"] = "X-Proxy-Key";
  const auto endpoint = registry.directory().endpoint(registry.create(host, provider)->id);
  REQUIRE(endpoint);
  CHECK(endpoint->api_key.empty());
  CHECK(endpoint->headers == HttpHeaders{{"X-Proxy-Key", "sk-MARKER"}});
}

TEST_CASE_FIXTURE(RegistryFixture, "a disabled or removed provider gives no endpoint") {
  const auto id = registry.create(host, claude())->id;
  REQUIRE(registry.update(host, id, {.enabled = false}));
  CHECK(code_of(registry.directory().endpoint(id)) == errc::provider_disabled);
  REQUIRE(registry.remove(host, id));
  CHECK(code_of(registry.directory().endpoint(id)) == errc::not_found);
}

TEST_CASE_FIXTURE(RegistryFixture, "under another host key a secret is unreadable until it is set again") {
  const auto id = registry.create(host, claude())->id;
  SealedSecretStore others(HostKey::ephemeral());
  ProviderRegistry reopened({.storage = storage, .secrets = others, .http = http, .clock = clock});
  CHECK(reopened.get(id));
  CHECK(code_of(reopened.directory().endpoint(id)) == errc::secret_unreadable);
  const auto test = reopened.test(host, id);
  REQUIRE_FALSE(test);
  CHECK(test.error().code() == errc::secret_unreadable);
  CHECK(test.error().context("key") == "api_key");
  REQUIRE(reopened.update(host, id, {.config = {{"api_key", "sk-new"}}}));
  CHECK(reopened.directory().endpoint(id)->api_key == "sk-new");
}

TEST_CASE_FIXTURE(RegistryFixture, "a new endpoint needs the secret given again") {
  const auto id = registry.create(host, claude())->id;
  for (const char* moved : {"https://evil.example", "http://api.anthropic.com", "https://api.anthropic.com:8443",
                            "https://api.anthropic.com/v1", "env:OPENINDEX_TEST_ENDPOINT"}) {
    CAPTURE(moved);
    const auto refused = registry.update(host, id, {.config = {{"endpoint", moved}}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::secret_required_for_endpoint);
    CHECK(refused.error().missing() == std::vector<std::string>{"api_key"});
  }
  CHECK(registry.get(id)->version == 1);
  const auto moved = registry.update(host, id, {.config = {{"endpoint", "https://b.example"}, {"api_key", "sk-b"}}});
  REQUIRE(moved);
  CHECK(registry.directory().endpoint(id)->api_key == "sk-b");
  CHECK(code_of(registry.update(host, id, {.config = {{"endpoint", ""}}})) == errc::secret_required_for_endpoint);
}

TEST_CASE_FIXTURE(RegistryFixture, "another spelling of the same endpoint keeps the secret") {
  const auto id = registry.create(host, claude())->id;
  CHECK(registry.update(host, id, {.config = {{"endpoint", "HTTPS://api.anthropic.com:443/"}}}));
  CHECK(registry.update(host, id, {.config = {{"endpoint", ""}}}));
  CHECK(registry.directory().endpoint(id)->api_key == "sk-MARKER-1");
}

TEST_CASE_FIXTURE(RegistryFixture, "where no secret is kept, the endpoint moves freely") {
  const auto id = registry.create(host, llama())->id;
  CHECK(registry.update(host, id, {.config = {{"endpoint", "http://gpu:11434"}}}));
  REQUIRE(registry.update(host, id, {.config = {{"api_key", "sk-MARKER"}}}));
  CHECK(code_of(registry.update(host, id, {.config = {{"endpoint", ""}}})) == errc::secret_required_for_endpoint);
  CHECK(registry.update(host, id, {.config = {{"endpoint", ""}, {"api_key", ""}}})->secrets.empty());
}

TEST_CASE_FIXTURE(RegistryFixture, "equal secrets of one provider look equal") {
  const auto created = registry.create(host, claude()).value();
  const auto print = created.secrets.at("api_key").fingerprint;
  clock.advance(Duration(1000));
  const auto other = registry.update(host, created.id, {.config = {{"api_key", "sk-other"}}}).value();
  CHECK(other.secrets.at("api_key").fingerprint != print);
  CHECK(other.secrets.at("api_key").set_at == clock.now());
  const auto same = registry.update(host, created.id, {.config = {{"api_key", "sk-MARKER-1"}}}).value();
  CHECK(same.secrets.at("api_key").fingerprint == print);
}

TEST_CASE_FIXTURE(RegistryFixture, "the secret that is set already changes nothing, but goes with a new endpoint") {
  const auto created = registry.create(host, claude()).value();
  clock.advance(Duration(1000));
  ProviderUpdate update{.config = {{"api_key", "sk-MARKER-1"}}};
  const auto same = registry.update(host, created.id, update).value();
  CHECK(same.version == 1);
  CHECK(same.secrets.at("api_key").set_at == created.created_at);
  update.config["endpoint"] = "https://b.example";
  CHECK(registry.update(host, created.id, update)->version == 2);
  CHECK(registry.directory().endpoint(created.id)->api_key == "sk-MARKER-1");
}

TEST_CASE_FIXTURE(RegistryFixture, "the secret that is set already is sealed anew where it can no longer be opened") {
  const auto id = registry.create(host, claude())->id;
  SealedSecretStore others(HostKey::ephemeral());
  ProviderRegistry reopened({.storage = storage, .secrets = others, .http = http, .clock = clock});
  CHECK(reopened.update(host, id, {.config = {{"api_key", "sk-MARKER-1"}}})->version == 2);
  CHECK(reopened.directory().endpoint(id)->api_key == "sk-MARKER-1");
}

TEST_CASE_FIXTURE(RegistryFixture, "a reference to an allowed variable is shown as such and read at each use") {
  auto provider = claude();
  provider.config["api_key"] = "env:OPENINDEX_TEST_SECRET";
  const auto created = registry.create(host, provider).value();
  CHECK(created.config.at("api_key") == "env:OPENINDEX_TEST_SECRET");
  CHECK(created.secrets.empty());
  set_env("OPENINDEX_TEST_SECRET", "sk-one");
  CHECK(registry.directory().endpoint(created.id)->api_key == "sk-one");
  set_env("OPENINDEX_TEST_SECRET", "sk-two");
  CHECK(registry.directory().endpoint(created.id)->api_key == "sk-two");
  for (const char* nothing : {static_cast<const char*>(nullptr), ""}) {
    set_env("OPENINDEX_TEST_SECRET", nothing);
    const auto unset = registry.directory().endpoint(created.id);
    REQUIRE_FALSE(unset);
    CHECK(unset.error().code() == errc::secret_unreadable);
    CHECK(unset.error().context("variable") == "OPENINDEX_TEST_SECRET");
  }
}

TEST_CASE_FIXTURE(RegistryFixture, "a referenced secret is bound to its endpoint too") {
  auto provider = claude();
  provider.config["api_key"] = "env:OPENINDEX_TEST_SECRET";
  const auto id = registry.create(host, provider)->id;
  ProviderUpdate update{.config = {{"endpoint", "https://b.example"}}};
  CHECK(code_of(registry.update(host, id, update)) == errc::secret_required_for_endpoint);
  update.config["api_key"] = "env:OPENINDEX_TEST_SECRET";
  CHECK(registry.update(host, id, update));
}

TEST_CASE_FIXTURE(RegistryFixture, "a variable that is not a sound value is refused without its value") {
  auto provider = llama();
  provider.config["endpoint"] = "env:OPENINDEX_TEST_ENDPOINT";
  const auto id = registry.create(host, provider)->id;
  set_env("OPENINDEX_TEST_ENDPOINT", "http://sk-MARKER@host");
  const auto endpoint = registry.directory().endpoint(id);
  REQUIRE_FALSE(endpoint);
  CHECK(endpoint.error().code() == errc::invalid_argument);
  CHECK(is_clean(endpoint.error().describe()));
  const auto test = registry.test(host, id);
  REQUIRE(test);
  CHECK_FALSE(test->configured);
  CHECK(test->message.starts_with("Environment variable OPENINDEX_TEST_ENDPOINT must not have a user name"));
  set_env("OPENINDEX_TEST_ENDPOINT", "http://gpu:11434");
  CHECK(registry.directory().endpoint(id)->base_url == "http://gpu:11434");
}

TEST_CASE_FIXTURE(RegistryFixture, "a variable that the host no longer allows is not read any more") {
  auto provider = claude();
  provider.config["api_key"] = "env:OPENINDEX_TEST_SECRET";
  const auto id = registry.create(host, provider)->id;
  set_env("OPENINDEX_TEST_SECRET", "sk-one");
  ProviderRegistry stricter({.storage = storage, .secrets = secrets, .http = http, .clock = clock});
  CHECK(code_of(stricter.directory().endpoint(id)) == errc::secret_unreadable);
}

TEST_CASE_FIXTURE(RegistryFixture, "sealing a secret in place of a reference, and back, leaves one of them") {
  const auto id = registry.create(host, claude())->id;
  auto view = registry.update(host, id, {.config = {{"api_key", "env:OPENINDEX_TEST_SECRET"}}}).value();
  CHECK(view.secrets.empty());
  CHECK(view.config.at("api_key") == "env:OPENINDEX_TEST_SECRET");
  view = registry.update(host, id, {.config = {{"api_key", "sk-MARKER-5"}}}).value();
  CHECK(view.secrets.contains("api_key"));
  CHECK_FALSE(view.config.contains("api_key"));
  const auto entries = audit_of(storage, id);
  CHECK(changes_of(entries[1]) == std::vector<std::string>{"config.api_key: set -> env:OPENINDEX_TEST_SECRET"});
  CHECK(changes_of(entries[2]) == std::vector<std::string>{"config.api_key: env:OPENINDEX_TEST_SECRET -> changed"});
}

TEST_CASE_FIXTURE(RegistryFixture, "a vault that throws is an error without the secret, and nothing is stored") {
  LeakyVault vault;
  ProviderRegistry leaky({.storage = storage, .secrets = vault, .http = http, .clock = clock});
  const auto refused = leaky.create(host, claude());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::host_callback_failed);
  CHECK(is_clean(refused.error().describe()));
  CHECK(records(storage).empty());
  const auto id = registry.create(host, claude())->id;
  CHECK(code_of(leaky.directory().endpoint(id)) == errc::host_callback_failed);
}

namespace {

// A vault whose values somebody changes there.
class ChangingVault final : public SecretStore {
 public:
  std::string value = {};
  Result<std::string> seal(const SecretName&, std::string_view) override { return std::string("handle"); }
  Result<std::string> open(const SecretName&, std::string_view) override { return value; }
};

}  // namespace

TEST_CASE_FIXTURE(RegistryFixture, "what a vault answers is refused where the key could not have been given it") {
  ChangingVault vault;
  ProviderRegistry vaulted({.storage = storage, .secrets = vault, .http = http, .clock = clock});
  const auto id = vaulted.create(host, claude())->id;
  const struct {
    std::string value;
    const char* problem;
  } answers[] = {
      {"sk-MARKER\r\nX-Evil: 1", "holds control characters, such as a line break"},
      {"sk-MARKER\n", "holds control characters, such as a line break"},
      {"sk-MARKER ", "begins or ends with a space"},
      {"sk-MARKER\xff", "is not UTF-8"},
      {std::string(70'000, 'x'), "is longer than 65536 bytes"},
      {"", "is empty"},
  };
  for (const auto& answer : answers) {
    const char* const problem = answer.problem;
    CAPTURE(problem);
    vault.value = answer.value;
    const auto endpoint = vaulted.directory().endpoint(id);
    REQUIRE_FALSE(endpoint);
    CHECK(endpoint.error().code() == errc::invalid_argument);
    CHECK(endpoint.error().message() ==
          std::string("What the secret store keeps for api_key of provider claude ") + problem);
    CHECK(endpoint.error().context("provider") == id.str());
    CHECK(endpoint.error().context("key") == "api_key");
    CHECK(is_clean(endpoint.error().describe()));
    const auto test = vaulted.test(host, id);
    REQUIRE(test);
    CHECK_FALSE(test->configured);
  }
  CHECK(http.requests.empty());
  vault.value = "sk-sound";
  CHECK(vaulted.directory().endpoint(id)->api_key == "sk-sound");
}

namespace {

class PlayedFiles final : public SecretFiles {
 public:
  [[nodiscard]] bool allows(std::string_view path) const override { return path.starts_with("/run/secrets/"); }
  Result<std::string> read(std::string_view path) override {
    if (text.empty()) return Error(errc::secret_unreadable).with("path", path);
    return text;
  }
  std::string text = {};
};

}  // namespace

TEST_CASE_FIXTURE(RegistryFixture, "a reference to an allowed file is shown as such and read at each use") {
  PlayedFiles files;
  ProviderRegistry mounted({.storage = storage, .secrets = secrets, .http = http, .clock = clock, .files = &files});
  auto provider = claude();
  provider.config["api_key"] = "file:/run/secrets/claude";
  const auto created = mounted.create(host, provider).value();
  CHECK(created.config.at("api_key") == "file:/run/secrets/claude");
  CHECK(created.secrets.empty());
  files.text = "sk-one";
  CHECK(mounted.directory().endpoint(created.id)->api_key == "sk-one");
  files.text = "sk-two";
  CHECK(mounted.directory().endpoint(created.id)->api_key == "sk-two");
  files.text = "";
  CHECK(code_of(mounted.directory().endpoint(created.id)) == errc::secret_unreadable);
  files.text = "sk-MARKER\r\nX-Evil: 1";
  const auto unsound = mounted.directory().endpoint(created.id);
  REQUIRE_FALSE(unsound);
  CHECK(unsound.error().code() == errc::invalid_argument);
  CHECK(is_clean(unsound.error().describe()));
  // It is bound to its endpoint, as a value is.
  const ProviderConfig moved{{"endpoint", "https://b.example"}};
  CHECK(code_of(mounted.update(host, created.id, {.config = moved})) == errc::secret_required_for_endpoint);
  // Where the host allows no files it is not read, nor taken.
  CHECK(code_of(registry.directory().endpoint(created.id)) == errc::secret_unreadable);
  provider.name = "another";
  CHECK(problems_of(registry.create(host, provider).error()) ==
        std::vector<std::string>{"/config/api_key names a file that the host does not allow"});
  provider.config["api_key"] = "file:/etc/shadow";
  CHECK(problems_of(mounted.create(host, provider).error()) ==
        std::vector<std::string>{"/config/api_key names a file that the host does not allow"});
}

TEST_CASE("the host's key is replaced while everybody goes on reading") {
  RegistryFixture f;
  const HostKey old_key = HostKey::ephemeral(), new_key = HostKey::ephemeral();
  SealedSecretStore before(old_key, {new_key}), after(new_key, {old_key}), later(new_key);
  const auto registry_of = [&](SecretStore& secrets) {
    return std::make_unique<ProviderRegistry>(
        ProviderRegistry::Options{.storage = f.storage, .secrets = secrets, .http = f.http, .clock = f.clock});
  };
  const auto first = registry_of(before), second = registry_of(after), third = registry_of(later);
  const auto one = first->create(host, claude())->id, other = first->create(host, gpt())->id;
  static_cast<void>(first->create(host, llama()).value());  // which has no secret
  CHECK(code_of(second->reseal(Actor::agent("a"))) == errc::not_permitted);
  CHECK(second->reseal(host)->secrets == 2);
  CHECK(second->reseal(host)->secrets == 0);
  for (const auto& registry : {first.get(), second.get(), third.get()}) {
    CHECK(registry->directory().endpoint(one)->api_key == "sk-MARKER-1");
    CHECK(registry->directory().endpoint(other)->api_key == "sk-MARKER-2");
  }
  const auto entry = audit_of(f.storage, one).back();
  CHECK(entry.type == "admin.ai_provider_updated");
  CHECK(changes_of(entry) == std::vector<std::string>{"config.api_key: set -> sealed anew"});
  CHECK(second->get(one)->secrets.at("api_key").fingerprint == first->get(one)->secrets.at("api_key").fingerprint);

  // What cannot be opened stays, is told, and keeps nothing else from going on.
  SealedSecretStore lost(HostKey::ephemeral());
  const auto fourth = registry_of(lost);
  const auto told = fourth->reseal(host).value();
  CHECK(told.secrets == 0);
  REQUIRE(told.broken.size() == 2);
  CHECK(told.broken.front().code() == errc::secret_unreadable);
  CHECK(told.broken.front().context("key") == "api_key");
  CHECK(third->directory().endpoint(one)->api_key == "sk-MARKER-1");
}
