#include <openindex/provider/provider_catalog.hpp>

namespace openindex {
inline namespace v0 {
namespace {

// A compatible server behind an endpoint of one's own may want no key; OpenAI itself does.
constexpr ProviderKey openai[] = {
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
};

// Ollama has no keys of its own: they are for a proxy in front of it, which reads `Authorization` or a header it names.
constexpr ProviderKey ollama[] = {
    {.name = "model", .required = true},
    {.name = "endpoint", .fallback = "http://localhost:11434", .form = KeyForm::url},
    {.name = "api_key", .secret = true},
    {.name = "header", .form = KeyForm::header_name, .needs = "api_key"},
};

constexpr ProviderType types[] = {
    {"anthropic", "AI_MODEL", anthropic, WireFamily::anthropic_messages},
    {"ollama", "AI_MODEL", ollama, WireFamily::ollama_chat},
    {"openai", "AI_MODEL", openai, WireFamily::openai_chat},
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
