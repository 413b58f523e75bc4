#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include <openindex/provider/provider.hpp>

using namespace openindex;

namespace {

// The environment of one test: nothing is set but what it says.
class Environment {
 public:
  explicit Environment(std::initializer_list<std::pair<const char*, const char*>> values) {
    clear();
    for (const auto& [name, value] : values) setenv(name, value, 1);
  }
  ~Environment() { clear(); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static void clear() {
    for (const char* name : {"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "ANTHROPIC_API_KEY",
                             "ANTHROPIC_MODEL", "OLLAMA_HOST", "OLLAMA_MODEL"}) {
      unsetenv(name);
    }
  }
};

std::optional<NewProvider> provider_of(std::initializer_list<std::pair<const char*, const char*>> values) {
  const Environment environment(values);
  return NewProvider::from_environment().value();
}

std::string ollama_endpoint(const char* host) { return provider_of({{"OLLAMA_HOST", host}})->config.at("endpoint"); }

}  // namespace

TEST_CASE("an environment without keys names no provider") {
  CHECK_FALSE(provider_of({{"OPENAI_API_KEY", ""}, {"OPENAI_MODEL", "gpt"}}));
}

TEST_CASE("an OpenAI key names OpenAI before the others") {
  const auto provider = provider_of({{"OPENAI_API_KEY", "k"}, {"ANTHROPIC_API_KEY", "a"}, {"OPENAI_MODEL", "m"}});
  REQUIRE(provider);
  CHECK(provider->type == "openai");
  CHECK(provider->config == ProviderConfig{{"api_key", "k"}, {"model", "m"}});
}

TEST_CASE("a compatible server needs no key") {
  const auto provider = provider_of({{"OPENAI_BASE_URL", "http://127.0.0.1:8080/v1"}});
  REQUIRE(provider);
  CHECK(provider->config.at("endpoint") == "http://127.0.0.1:8080/v1");
  CHECK_FALSE(provider->config.contains("api_key"));
}

TEST_CASE("an Anthropic key names Anthropic") {
  const auto provider = provider_of({{"ANTHROPIC_API_KEY", "a"}, {"OLLAMA_HOST", "localhost"}});
  REQUIRE(provider);
  CHECK(provider->type == "anthropic");
  CHECK(provider->config.at("api_key") == "a");
}

TEST_CASE("an Ollama host is read as Ollama reads it") {
  CHECK(ollama_endpoint("localhost") == "http://localhost:11434");
  CHECK(ollama_endpoint("localhost:1234") == "http://localhost:1234");
  CHECK(ollama_endpoint("[::1]") == "http://[::1]:11434");
  CHECK(ollama_endpoint("::1") == "http://[::1]:11434");
  CHECK(ollama_endpoint("https://ollama.example") == "https://ollama.example");
  CHECK(ollama_endpoint("https://ollama.example:8443/api") == "https://ollama.example:8443/api");
}

TEST_CASE("an Ollama host that is every address of this machine is reached on loopback") {
  CHECK(ollama_endpoint("0.0.0.0") == "http://127.0.0.1:11434");
  CHECK(ollama_endpoint("0.0.0.0:1234") == "http://127.0.0.1:1234");
  CHECK(ollama_endpoint("http://0.0.0.0:1234/") == "http://127.0.0.1:1234/");
  CHECK(ollama_endpoint("[::]:1234") == "http://127.0.0.1:1234");
  CHECK(ollama_endpoint("::") == "http://127.0.0.1:11434");
  CHECK(ollama_endpoint(":1234") == "http://127.0.0.1:1234");
}

TEST_CASE("an address that is none is refused under the name of its variable and is not repeated") {
  for (const char* variable : {"OLLAMA_HOST", "OPENAI_BASE_URL"}) {
    const Environment environment({{variable, "no sense!!"}});
    const auto provider = NewProvider::from_environment();
    REQUIRE_FALSE(provider);
    CHECK(provider.error().code() == errc::invalid_argument);
    CHECK(provider.error().context("variable") == variable);
    CHECK(provider.error().describe().find("no sense") == std::string::npos);
  }
}
