#include <openindex/provider/provider_catalog.hpp>

#include <algorithm>
#include <string>
#include <vector>

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
              {"vertex_ai", WireFamily::google_generate_content, WireDialect::vertex},
              {"vertex_ai_gemini", WireFamily::google_generate_content, WireDialect::vertex},
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
      for (const KeyCondition& condition : key.when) {
        const ProviderKey* other = type.find_key(condition.key);
        REQUIRE(other != nullptr);
        CHECK(!other->secret);  // its value would not be known
        for (const auto value : condition.values) {
          if (value.empty() || other->choices.empty()) continue;
          CHECK(std::find(other->choices.begin(), other->choices.end(), value) != other->choices.end());
        }
      }
      if (key.form == KeyForm::url && !key.fallback.empty()) CHECK(providers::endpoint_problem(key.fallback) == "");
    }
  }
}

namespace {

struct Asked {
  const char* type;
  const char* category;
  const char* required;
  const char* optional;
  const char* secrets;
};

// The page "Create or Update Integration Provider", and the categories of the product's documentation. What stands
// here as optional may be required on a condition. Pinecone's projectName is required there, and found out here.
constexpr Asked asked[] = {
    {"ollama", "AI_MODEL", "endpoint", "header, api_key", "api_key"},
    {"azure_openai", "AI_MODEL", "api_key, endpoint", "", "api_key"},
    {"openai", "AI_MODEL", "api_key", "endpoint, organizationId", "api_key"},
    {"perplexity", "AI_MODEL", "api_key", "", "api_key"},
    {"grok", "AI_MODEL", "api_key", "", "api_key"},
    {"cohere", "AI_MODEL", "api_key, endpoint", "", "api_key"},
    {"mistral", "AI_MODEL", "api_key, endpoint", "", "api_key"},
    {"anthropic", "AI_MODEL", "api_key, endpoint", "completionsPath, version, betaVersion", "api_key"},
    {"vertex_ai", "AI_MODEL", "projectName, environment, publisher, file", "", "file"},
    {"vertex_ai_gemini", "AI_MODEL", "projectName, environment, file", "", "file"},
    {"huggingface", "AI_MODEL", "api_key, namespace", "", "api_key"},
    {"aws_bedrock_anthropic", "AI_MODEL", "connectionType, region", "awsAccountId, user, api_key, roleArn, externalId",
     "api_key, awsAccountId, externalId"},
    {"aws_bedrock_cohere", "AI_MODEL", "connectionType, region", "awsAccountId, user, api_key, roleArn, externalId",
     "api_key, awsAccountId, externalId"},
    {"aws_bedrock_titan", "AI_MODEL", "connectionType, region", "awsAccountId, user, api_key, roleArn, externalId",
     "api_key, awsAccountId, externalId"},
    {"pineconedb", "VECTOR_DB", "api_key, environment", "projectName", "api_key"},
    {"weaviatedb", "VECTOR_DB", "api_key, endpoint", "", "api_key"},
    {"pgvectordb", "VECTOR_DB", "user, password, datasourceURL, dimensions, distance_metric, indexing_method",
     "inverted_list_count", "password"},
    {"mongovectordb", "VECTOR_DB", "endpoint, namespace, dimensions, distance_metric", "inverted_list_count",
     "endpoint"},
    {"amqp", "MESSAGE_BROKER", "protocol, user, password, endpoint, port, namespace", "", "password"},
    {"kafka", "MESSAGE_BROKER", "endpoint, connectionType, protocol", "groupId, user, password, mechanism",
     "password, keyStorePassword, schemaRegistryApiSecret, file"},
    {"nats", "MESSAGE_BROKER", "endpoint, connectionType, authenticationType, protocol, tls", "user, password, api_key",
     "password, keyStorePassword, file, tlsFile, api_key"},
    {"aws_sqs", "MESSAGE_BROKER", "connectionType, region", "awsAccountId, user, api_key, roleArn, externalId",
     "api_key, awsAccountId, externalId"},
    {"azure_service_bus", "MESSAGE_BROKER", "connectionType", "endpoint, namespace", "endpoint"},
    {"gcp_pubsub", "MESSAGE_BROKER", "projectName, location, file", "subscription", "file"},
    {"ibm_mq", "MESSAGE_BROKER",
     "endpoint, port, queueManager, channel, protocol, pubSubMethod, authenticationType, tls", "user, password",
     "password, keyStorePassword, file"},
    {"aws", "CLOUD", "connectionType, region", "awsAccountId, user, api_key, roleArn, externalId",
     "api_key, awsAccountId, externalId"},
    {"gcp", "CLOUD", "projectName, environment, file", "", "file"},
    {"relational_db", "RELATIONAL_DB", "jdbcDriver, user, password, datasourceURL", "", "password"},
    {"sendgrid", "EMAIL", "api_key", "", "api_key"},
    {"git", "GIT", "user, api_key", "", "api_key"},
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = std::min(text.find(", "), text.size());
    out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 2, text.size()));
  }
  return out;
}

}  // namespace

TEST_CASE("the thirty types ask for the keys that they are documented to ask for") {
  CHECK(std::size(asked) == 30);
  for (const Asked& row : asked) {
    const std::string shown = row.type;
    CAPTURE(shown);
    const ProviderType* type = find_provider_type(row.type);
    REQUIRE(type != nullptr);
    CHECK(type->category == row.category);
    std::vector<std::string> required, secrets;
    for (const ProviderKey& key : type->keys) {
      if (key.required) required.emplace_back(key.name);
      if (key.secret) secrets.emplace_back(key.name);
    }
    const auto sorted = [](std::vector<std::string> list) {
      std::sort(list.begin(), list.end());
      return list;
    };
    CHECK(sorted(required) == sorted(words(row.required)));
    CHECK(sorted(secrets) == sorted(words(row.secrets)));
    for (const std::string& key : words(row.optional)) {
      CAPTURE(key);
      REQUIRE(type->find_key(key) != nullptr);
      CHECK(!type->find_key(key)->required);
    }
  }
}
