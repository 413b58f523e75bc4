#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
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

std::string ollama_endpoint(const std::string& host) {
  const Environment environment({{"OLLAMA_HOST", host.c_str()}});
  return NewProvider::from_environment()->config.at("endpoint");
}

}  // namespace

TEST_CASE("an environment without keys names no provider") {
  const Environment environment({{"OPENAI_API_KEY", ""}, {"OPENAI_MODEL", "gpt"}});
  CHECK_FALSE(NewProvider::from_environment());
}

TEST_CASE("an OpenAI key names OpenAI before the others") {
  const Environment environment({{"OPENAI_API_KEY", "k"}, {"ANTHROPIC_API_KEY", "a"}, {"OPENAI_MODEL", "m"}});
  const auto provider = NewProvider::from_environment();
  REQUIRE(provider);
  CHECK(provider->type == "openai");
  CHECK(provider->config == ProviderConfig{{"api_key", "k"}, {"model", "m"}});
}

TEST_CASE("a compatible server needs no key") {
  const Environment environment({{"OPENAI_BASE_URL", "http://127.0.0.1:8080/v1"}});
  const auto provider = NewProvider::from_environment();
  REQUIRE(provider);
  CHECK(provider->config.at("endpoint") == "http://127.0.0.1:8080/v1");
  CHECK_FALSE(provider->config.contains("api_key"));
}

TEST_CASE("an Anthropic key names Anthropic") {
  const Environment environment({{"ANTHROPIC_API_KEY", "a"}, {"OLLAMA_HOST", "localhost"}});
  const auto provider = NewProvider::from_environment();
  REQUIRE(provider);
  CHECK(provider->type == "anthropic");
  CHECK(provider->config.at("api_key") == "a");
}

TEST_CASE("an Ollama host is read as Ollama reads it") {
  CHECK(ollama_endpoint("localhost") == "http://localhost:11434");
  CHECK(ollama_endpoint("0.0.0.0:1234") == "http://0.0.0.0:1234");
  CHECK(ollama_endpoint("[::1]") == "http://[::1]:11434");
  CHECK(ollama_endpoint("https://ollama.example") == "https://ollama.example");
}
