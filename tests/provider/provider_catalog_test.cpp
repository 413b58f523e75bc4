#include <openindex/provider/provider_catalog.hpp>

#include <doctest/doctest.h>

#include "provider/endpoint_url.hpp"

using namespace openindex;

TEST_CASE("every type is found by its name, and nothing else is") {
  for (const ProviderType& type : provider_catalog()) CHECK(find_provider_type(type.name) == &type);
  CHECK(find_provider_type("") == nullptr);
  CHECK(find_provider_type("OpenAI") == nullptr);
}

TEST_CASE("the types that exist so far chat, each over its own wire") {
  CHECK(find_provider_type("openai")->family == WireFamily::openai_chat);
  CHECK(find_provider_type("anthropic")->family == WireFamily::anthropic_messages);
  CHECK(find_provider_type("ollama")->family == WireFamily::ollama_chat);
}

TEST_CASE("rows refer to keys of their own type and fall back to valid endpoints") {
  for (const ProviderType& type : provider_catalog()) {
    CAPTURE(type.name);
    CHECK_FALSE(type.category.empty());
    for (const ProviderKey& key : type.keys) {
      CAPTURE(key.name);
      CHECK(type.find_key(key.name) == &key);
      if (!key.unless.empty()) CHECK(type.find_key(key.unless) != nullptr);
      if (!key.needs.empty()) CHECK(type.find_key(key.needs) != nullptr);
      if (key.form == KeyForm::url && !key.fallback.empty()) CHECK(providers::endpoint_problem(key.fallback) == "");
    }
  }
}
