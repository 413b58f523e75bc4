#include "codecs/wire_url.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codecs/aws_region.hpp"
#include "codecs/aws_signature.hpp"

namespace openindex::codecs {
namespace {

// `{}` stands for the model.
struct Paths {
  std::array<std::string_view, 2> versions;  // what a base URL may already end with, the longest first
  std::string_view chat;
  std::string_view stream;  // empty: as chat
  std::string_view probe;
};

Paths azure_paths(const ChatEndpoint& endpoint) {
  if (endpoint.version.empty()) {
    const bool responses = endpoint.family == WireFamily::openai_responses;
    return {{"/openai/v1", "/openai"},
            responses ? "/openai/v1/responses" : "/openai/v1/chat/completions",
            {},
            "/openai/v1/models"};
  }
  return {{"/openai/v1", "/openai"}, "/openai/deployments/{}/chat/completions", {}, "/openai/models"};
}

Paths paths_of(const ChatEndpoint& endpoint) {
  if (endpoint.dialect == WireDialect::azure) return azure_paths(endpoint);
  if (endpoint.dialect == WireDialect::mistral) return {{"/v1"}, "/v1/chat/completions", {}, "/v1/models"};
  if (endpoint.dialect == WireDialect::perplexity) return {{"/v1"}, "/v1/responses", {}, {}};
  switch (endpoint.family) {
    case WireFamily::openai_chat:
      return {{}, "/chat/completions", {}, "/models"};
    case WireFamily::openai_responses:
      return {{}, "/responses", {}, "/models"};
    case WireFamily::anthropic_messages:
      return {{"/v1"}, "/v1/messages", {}, "/v1/models?limit=1"};
    case WireFamily::ollama_chat:
      return {{"/api"}, "/api/chat", {}, "/api/tags"};
    case WireFamily::google_generate_content:
      return {{"/v1beta", "/v1"},
              "/v1beta/models/{}:generateContent",
              "/v1beta/models/{}:streamGenerateContent?alt=sse",
              "/v1beta/models?pageSize=1"};
    case WireFamily::cohere_chat:
      return {{"/v2", "/v1"}, "/v2/chat", {}, "/v1/models"};
    case WireFamily::bedrock_converse:
      return {{}, "/model/{}/converse", "/model/{}/converse-stream", "/foundation-models"};
  }
  return {};
}

bool is_region(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// Google's models stand in a place of a project; those of other publishers speak wires of their own.
Result<std::string> vertex_path(const ChatEndpoint& endpoint, std::string_view method) {
  if (endpoint.project.empty() || !is_region(endpoint.region)) {
    return Error(errc::invalid_argument, "A model at Vertex needs its project and its region");
  }
  if (!endpoint.publisher.empty() && endpoint.publisher != "google") {
    return Error(errc::invalid_argument, "Of the models at Vertex only those of the publisher google can be asked");
  }
  return fmt::format("/v1/projects/{}/locations/{}/publishers/google/models/{{}}:{}", percent_encoded(endpoint.project),
                     endpoint.region, method);
}

std::string vertex_base(std::string_view region) {
  if (region == "global") return "https://aiplatform.googleapis.com";
  if (region == "us" || region == "eu") return fmt::format("https://aiplatform.{}.rep.googleapis.com", region);
  return fmt::format("https://{}-aiplatform.googleapis.com", region);
}

// AWS and Google have hosts for each service and region.
Result<std::string> base_of(const ChatEndpoint& endpoint) {
  if (endpoint.dialect == WireDialect::vertex && endpoint.base_url.empty() && is_region(endpoint.region)) {
    return vertex_base(endpoint.region);
  }
  const bool regional = endpoint.family == WireFamily::bedrock_converse && is_region(endpoint.region);
  if (!endpoint.base_url.empty() || !regional) return endpoint.base_url;
  return aws_url("bedrock-runtime", endpoint.region);
}

// Models are listed by the control plane, which has a host of its own.
std::string control_plane_of(std::string base) {
  constexpr std::string_view runtime = "://bedrock-runtime";
  const auto at = base.find(runtime);
  return at == std::string::npos ? base : base.replace(at, runtime.size(), "://bedrock");
}

std::string model_segment(const ChatEndpoint& endpoint) {
  constexpr std::string_view collection = "models/";  // Google lists `models/gemini-…`
  std::string_view model = endpoint.model;
  if (endpoint.family == WireFamily::google_generate_content && model.starts_with(collection)) {
    model.remove_prefix(collection.size());
  }
  return percent_encoded(model);
}

// A host may be called like a version.
std::string_view path_of(std::string_view url) {
  const auto host = url.find("://");
  const auto path = host == std::string_view::npos ? host : url.find('/', host + 3);
  return path == std::string_view::npos ? std::string_view() : url.substr(path);
}

Result<std::string> compose(const ChatEndpoint& endpoint, const Result<std::string>& base_url, std::string_view path) {
  if (!base_url) return base_url;
  std::string_view base = *base_url;
  if (base.empty() || holds_control(base) || base.find_first_of("?# ") != std::string_view::npos) {
    return Error(errc::invalid_argument, "The provider's endpoint is not a base URL without query");
  }
  if (base.ends_with('/')) base.remove_suffix(1);
  for (const auto version : paths_of(endpoint).versions) {
    if (version.empty() || !path_of(base).ends_with(version)) continue;
    base.remove_suffix(version.size());
    break;
  }
  std::string url = std::string(base) + std::string(path);
  if (const auto mark = url.find("{}", base.size()); mark != std::string::npos) {
    url.replace(mark, 2, model_segment(endpoint));
  }
  if (endpoint.dialect == WireDialect::azure && !endpoint.version.empty()) {
    url += "?api-version=" + percent_encoded(endpoint.version);
  }
  return url;
}

Result<std::string> vertex_url(const ChatEndpoint& endpoint, std::string_view method) {
  auto path = vertex_path(endpoint, method);
  return path ? compose(endpoint, base_of(endpoint), *path) : path;
}

}  // namespace

bool holds_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view host_of(std::string_view url) noexcept {
  const auto start = url.find("://");
  if (start == std::string_view::npos) return {};
  const std::string_view rest = url.substr(start + 3);
  return rest.substr(0, rest.find_first_of(":/"));
}

bool is_openai_itself(const ChatEndpoint& endpoint) noexcept {
  const std::string_view host = host_of(endpoint.base_url);
  return host == "api.openai.com" || host.ends_with(".api.openai.com");
}

bool lists_models(const ChatEndpoint& endpoint) noexcept {
  return endpoint.dialect != WireDialect::perplexity && endpoint.dialect != WireDialect::vertex;
}

Result<std::string> chat_url(const ChatEndpoint& endpoint) {
  if (endpoint.dialect == WireDialect::vertex) {
    return vertex_url(endpoint, endpoint.stream ? "streamGenerateContent?alt=sse" : "generateContent");
  }
  const Paths paths = paths_of(endpoint);
  if (!endpoint.chat_path.empty()) return compose(endpoint, base_of(endpoint), endpoint.chat_path);
  return compose(endpoint, base_of(endpoint), endpoint.stream && !paths.stream.empty() ? paths.stream : paths.chat);
}

Result<std::string> probe_url(const ChatEndpoint& endpoint) {
  if (endpoint.dialect == WireDialect::vertex) return vertex_url(endpoint, "countTokens");
  const Paths paths = paths_of(endpoint);
  if (!lists_models(endpoint)) return compose(endpoint, base_of(endpoint), paths.chat);
  const bool bedrock = endpoint.family == WireFamily::bedrock_converse;
  return compose(endpoint, bedrock ? base_of(endpoint).transform(control_plane_of) : base_of(endpoint), paths.probe);
}

}  // namespace openindex::codecs
