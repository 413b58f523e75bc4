// Keys of the types that are AI models; those of AWS are in clouds.hpp. (conductor-integrations.md 8.1)
#pragma once

#include <openindex/provider/provider_catalog.hpp>

#include "provider/catalog/clouds.hpp"

namespace openindex::providers::catalog {

// A compatible server behind an endpoint of one's own may want no key; OpenAI itself does.
inline constexpr ProviderKey openai_keys[] = {
    {.name = "api_key", .required = true, .secret = true, .unless = "endpoint"},
    {.name = "model"},
    {.name = "endpoint", .fallback = "https://api.openai.com/v1", .form = KeyForm::url},
    {.name = "organizationId"},
};

inline constexpr ProviderKey anthropic[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .required = true, .fallback = "https://api.anthropic.com", .form = KeyForm::url},
    {.name = "version", .fallback = "2023-06-01"},
    {.name = "betaVersion"},
    {.name = "completionsPath", .form = KeyForm::path},
};

// Ollama has no keys of its own: they are for a proxy in front of it, which reads `Authorization` or a header it names.
inline constexpr ProviderKey ollama[] = {
    {.name = "model"},
    {.name = "endpoint", .required = true, .fallback = "http://localhost:11434", .form = KeyForm::url},
    {.name = "api_key", .secret = true},
    {.name = "header", .form = KeyForm::header_name, .needs = "api_key"},
};

// The model is the name of the deployment. With a version, the API that is dated so; without, the one that is not.
inline constexpr ProviderKey azure_openai[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .required = true, .form = KeyForm::url},
    {.name = "version"},
};

inline constexpr ProviderKey perplexity[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .fallback = "https://api.perplexity.ai", .form = KeyForm::url},
};

inline constexpr ProviderKey grok[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .fallback = "https://api.x.ai/v1", .form = KeyForm::url},
};

inline constexpr ProviderKey cohere[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .required = true, .fallback = "https://api.cohere.com", .form = KeyForm::url},
};

inline constexpr ProviderKey mistral[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .required = true, .fallback = "https://api.mistral.ai", .form = KeyForm::url},
};

// The namespace is put before a model that is named without one.
inline constexpr ProviderKey huggingface[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "namespace", .required = true},
    {.name = "model"},
    {.name = "endpoint", .fallback = "https://router.huggingface.co/v1", .form = KeyForm::url},
};

inline constexpr ProviderKey google_gemini[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "model"},
    {.name = "endpoint", .fallback = "https://generativelanguage.googleapis.com", .form = KeyForm::url},
};

// A region of Google, or `global`. Google's own models are those of this publisher.
inline constexpr ProviderKey vertex_ai_gemini[] = {
    google_project, google_region, google_file, {.name = "model"}, own_endpoint};

inline constexpr ProviderKey vertex_ai[] = {
    google_project, google_region,     {.name = "publisher", .required = true, .fallback = "google"},
    google_file,    {.name = "model"}, own_endpoint};

}  // namespace openindex::providers::catalog
