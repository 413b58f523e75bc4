#include <openindex/provider/provider_catalog.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include "provider/endpoint_url.hpp"

using namespace openindex;

TEST_CASE("every type is found by its name, and nothing else is") {
  for (const ProviderType& type : provider_catalog()) CHECK(find_provider_type(type.name) == &type);
  CHECK(find_provider_type("") == nullptr);
  CHECK(find_provider_type("OpenAI") == nullptr);
}

TEST_CASE("the types that chat do so over a wire of theirs") {
  const struct {
    const char* name;
    WireFamily family;
    WireDialect dialect;
  } chat[] = {{"openai", WireFamily::openai_chat, WireDialect::plain},
              {"anthropic", WireFamily::anthropic_messages, WireDialect::plain},
              {"ollama", WireFamily::ollama_chat, WireDialect::plain},
              {"azure_openai", WireFamily::openai_chat, WireDialect::azure},
              {"perplexity", WireFamily::openai_responses, WireDialect::perplexity},
              {"grok", WireFamily::openai_responses, WireDialect::plain},
              {"cohere", WireFamily::cohere_chat, WireDialect::plain},
              {"mistral", WireFamily::openai_chat, WireDialect::mistral},
              {"huggingface", WireFamily::openai_chat, WireDialect::plain},
              {"google_gemini", WireFamily::google_generate_content, WireDialect::plain},
              {"aws_bedrock_anthropic", WireFamily::bedrock_converse, WireDialect::plain},
              {"aws_bedrock_cohere", WireFamily::bedrock_converse, WireDialect::plain},
              {"aws_bedrock_titan", WireFamily::bedrock_converse, WireDialect::plain}};
  for (const auto& [name, family, dialect] : chat) {
    const std::string shown(name);
    CAPTURE(shown);
    const ProviderType* type = find_provider_type(name);
    REQUIRE(type != nullptr);
    CHECK(type->category == "AI_MODEL");
    CHECK(type->family == family);
    CHECK(type->dialect == dialect);
  }
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
      if (!key.when.empty()) {
        const ProviderKey* condition = type.find_key(key.when);
        REQUIRE(condition != nullptr);
        CHECK(std::find(condition->choices.begin(), condition->choices.end(), key.when_value) !=
              condition->choices.end());
      }
      if (key.form == KeyForm::url && !key.fallback.empty()) CHECK(providers::endpoint_problem(key.fallback) == "");
    }
  }
}
