#include <openindex/provider/provider_catalog.hpp>

#include "provider/catalog/ai_models.hpp"
#include "provider/catalog/brokers.hpp"
#include "provider/catalog/clouds.hpp"
#include "provider/catalog/databases.hpp"

namespace openindex {
inline namespace v0 {
namespace {

namespace catalog = providers::catalog;

constexpr ProviderType types[] = {
    {"amqp", "MESSAGE_BROKER", catalog::amqp, std::nullopt},
    {"anthropic", "AI_MODEL", catalog::anthropic, WireFamily::anthropic_messages},
    {"aws", "CLOUD", catalog::aws, std::nullopt},
    {"aws_bedrock_anthropic", "AI_MODEL", catalog::aws_bedrock, WireFamily::bedrock_converse},
    {"aws_bedrock_cohere", "AI_MODEL", catalog::aws_bedrock, WireFamily::bedrock_converse},
    {"aws_bedrock_titan", "AI_MODEL", catalog::aws_bedrock, WireFamily::bedrock_converse},
    {"aws_sqs", "MESSAGE_BROKER", catalog::aws, std::nullopt},
    {"azure_openai", "AI_MODEL", catalog::azure_openai, WireFamily::openai_chat, WireDialect::azure},
    {"azure_service_bus", "MESSAGE_BROKER", catalog::azure_service_bus, std::nullopt},
    {"cohere", "AI_MODEL", catalog::cohere, WireFamily::cohere_chat},
    {"gcp", "CLOUD", catalog::gcp, std::nullopt},
    {"gcp_pubsub", "MESSAGE_BROKER", catalog::gcp_pubsub, std::nullopt},
    {"git", "GIT", catalog::git, std::nullopt},
    {"google_gemini", "AI_MODEL", catalog::google_gemini, WireFamily::google_generate_content},
    {"grok", "AI_MODEL", catalog::grok, WireFamily::openai_responses},
    {"huggingface", "AI_MODEL", catalog::huggingface, WireFamily::openai_chat},
    {"ibm_mq", "MESSAGE_BROKER", catalog::ibm_mq, std::nullopt},
    {"kafka", "MESSAGE_BROKER", catalog::kafka, std::nullopt},
    {"mistral", "AI_MODEL", catalog::mistral, WireFamily::openai_chat, WireDialect::mistral},
    {"mongovectordb", "VECTOR_DB", catalog::mongovectordb, std::nullopt},
    {"nats", "MESSAGE_BROKER", catalog::nats, std::nullopt},
    {"ollama", "AI_MODEL", catalog::ollama, WireFamily::ollama_chat},
    {"openai", "AI_MODEL", catalog::openai_keys, WireFamily::openai_chat},
    {"perplexity", "AI_MODEL", catalog::perplexity, WireFamily::openai_responses, WireDialect::perplexity},
    {"pgvectordb", "VECTOR_DB", catalog::pgvectordb, std::nullopt},
    {"pineconedb", "VECTOR_DB", catalog::pineconedb, std::nullopt},
    {"relational_db", "RELATIONAL_DB", catalog::relational_db, std::nullopt},
    {"sendgrid", "EMAIL", catalog::sendgrid, std::nullopt},
    {"vertex_ai", "AI_MODEL", catalog::vertex_ai, WireFamily::google_generate_content, WireDialect::vertex},
    {"vertex_ai_gemini", "AI_MODEL", catalog::vertex_ai_gemini, WireFamily::google_generate_content,
     WireDialect::vertex},
    {"weaviatedb", "VECTOR_DB", catalog::weaviatedb, std::nullopt},
};

// Those of the types, and three of integrations that are none of them but that clients know.
constexpr std::string_view categories[] = {"AI_MODEL", "VECTOR_DB", "RELATIONAL_DB", "MESSAGE_BROKER", "CLOUD", "GIT",
                                           "EMAIL",    "API",       "MCP",           "EVENT_SOURCE"};

}  // namespace

std::span<const std::string_view> provider_categories() { return categories; }

std::span<const ProviderType> provider_catalog() { return types; }

const ProviderType* find_provider_type(std::string_view name) {
  for (const ProviderType& type : types) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace v0
}  // namespace openindex
