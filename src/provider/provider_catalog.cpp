#include <openindex/provider/provider_catalog.hpp>

namespace openindex {
inline namespace v0 {
namespace {

// A compatible server behind an endpoint of one's own may want no key; OpenAI itself does.
constexpr ProviderKey openai_keys[] = {
    {.name = "api_key", .required = true, .secret = true, .unless = "endpoint"},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://api.openai.com/v1", .form = KeyForm::url},
    {.name = "organizationId"},
};

constexpr ProviderKey anthropic[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://api.anthropic.com", .form = KeyForm::url},
    {.name = "version", .fallback = "2023-06-01"},
    {.name = "betaVersion"},
    {.name = "completionsPath", .form = KeyForm::path},
};

// Ollama has no keys of its own: they are for a proxy in front of it, which reads `Authorization` or a header it names.
constexpr ProviderKey ollama[] = {
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "http://localhost:11434", .form = KeyForm::url},
    {.name = "api_key", .secret = true},
    {.name = "header", .form = KeyForm::header_name, .needs = "api_key"},
};

// The model is the name of the deployment. With a version, the API that is dated so; without, the one that is not.
constexpr ProviderKey azure_openai[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .required = true, .form = KeyForm::url},
    {.name = "version"},
};

constexpr ProviderKey perplexity[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://api.perplexity.ai", .form = KeyForm::url},
};

constexpr ProviderKey grok[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://api.x.ai/v1", .form = KeyForm::url},
};

constexpr ProviderKey cohere[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://api.cohere.com", .form = KeyForm::url},
};

constexpr ProviderKey mistral[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://api.mistral.ai", .form = KeyForm::url},
};

// The namespace is put before a model that is named without one.
constexpr ProviderKey huggingface[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "namespace", .required = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://router.huggingface.co/v1", .form = KeyForm::url},
};

constexpr ProviderKey google_gemini[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "https://generativelanguage.googleapis.com", .form = KeyForm::url},
};

constexpr std::string_view aws_connections[] = {"ACCESS_KEY", "EXTERNAL_ROLE", "CONDUCTOR_ROLE"};

constexpr ProviderKey aws_bedrock[] = {
    {.name = "connectionType", .required = true, .choices = aws_connections},
    {.name = "region", .required = true, .form = KeyForm::region},
    {.name = "model", .required = true},
    {.name = "user", .when = "connectionType", .when_value = "ACCESS_KEY"},
    {.name = "api_key", .secret = true, .when = "connectionType", .when_value = "ACCESS_KEY"},
    {.name = "roleArn", .when = "connectionType", .when_value = "EXTERNAL_ROLE"},
    {.name = "externalId", .secret = true, .when = "connectionType", .when_value = "EXTERNAL_ROLE"},
    {.name = "awsAccountId", .secret = true},
    {.name = "endpoint", .form = KeyForm::url},
};

constexpr ProviderType types[] = {
    {"anthropic", "AI_MODEL", anthropic, WireFamily::anthropic_messages},
    {"aws_bedrock_anthropic", "AI_MODEL", aws_bedrock, WireFamily::bedrock_converse},
    {"aws_bedrock_cohere", "AI_MODEL", aws_bedrock, WireFamily::bedrock_converse},
    {"aws_bedrock_titan", "AI_MODEL", aws_bedrock, WireFamily::bedrock_converse},
    {"azure_openai", "AI_MODEL", azure_openai, WireFamily::openai_chat, WireDialect::azure},
    {"cohere", "AI_MODEL", cohere, WireFamily::cohere_chat},
    {"google_gemini", "AI_MODEL", google_gemini, WireFamily::google_generate_content},
    {"grok", "AI_MODEL", grok, WireFamily::openai_responses},
    {"huggingface", "AI_MODEL", huggingface, WireFamily::openai_chat},
    {"mistral", "AI_MODEL", mistral, WireFamily::openai_chat, WireDialect::mistral},
    {"ollama", "AI_MODEL", ollama, WireFamily::ollama_chat},
    {"openai", "AI_MODEL", openai_keys, WireFamily::openai_chat},
    {"perplexity", "AI_MODEL", perplexity, WireFamily::openai_responses, WireDialect::perplexity},
};

}  // namespace

std::span<const ProviderType> provider_catalog() { return types; }

const ProviderType* find_provider_type(std::string_view name) {
  for (const ProviderType& type : types) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace v0
}  // namespace openindex
