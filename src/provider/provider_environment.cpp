#include <openindex/provider/provider.hpp>

#include <cstdlib>

namespace openindex {
inline namespace v0 {
namespace {

std::string read_variable(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): reads, and we never set one
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// `localhost`, `0.0.0.0:11434` and `https://ollama.example` are all valid there.
std::string ollama_endpoint(std::string host) {
  if (host.find("://") != std::string::npos) return host;
  const auto after_address = host.rfind(']') == std::string::npos ? 0 : host.rfind(']');
  if (host.find(':', after_address) == std::string::npos) host += ":11434";
  return "http://" + host;
}

}  // namespace

std::optional<NewProvider> NewProvider::from_environment() {
  const std::string openai = read_variable("OPENAI_API_KEY");
  const std::string openai_url = read_variable("OPENAI_BASE_URL");
  if (!openai.empty() || !openai_url.empty()) {
    NewProvider provider{"openai", "openai", {{"model", read_variable("OPENAI_MODEL", "gpt-5-mini")}}};
    if (!openai.empty()) provider.config["api_key"] = openai;
    if (!openai_url.empty()) provider.config["endpoint"] = openai_url;
    return provider;
  }
  if (const std::string key = read_variable("ANTHROPIC_API_KEY"); !key.empty()) {
    return NewProvider{
        "anthropic", "anthropic", {{"api_key", key}, {"model", read_variable("ANTHROPIC_MODEL", "claude-sonnet-4-5")}}};
  }
  if (const std::string host = read_variable("OLLAMA_HOST"); !host.empty()) {
    return NewProvider{"ollama",
                       "ollama",
                       {{"endpoint", ollama_endpoint(host)}, {"model", read_variable("OLLAMA_MODEL", "llama3.2")}}};
  }
  return std::nullopt;
}

}  // namespace v0
}  // namespace openindex
