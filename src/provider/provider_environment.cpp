#include <openindex/provider/provider.hpp>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "provider/endpoint_url.hpp"

namespace openindex {
inline namespace v0 {
namespace {

std::string read_variable(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): reads, and we never set one
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// `localhost`, `:11434`, `::1`, `0.0.0.0` and `https://ollama.example/path` are all valid there.
std::string ollama_endpoint(std::string_view value) {
  const auto mark = value.find("://");
  const std::string_view scheme = mark == std::string_view::npos ? "http" : value.substr(0, mark);
  const std::string_view rest = mark == std::string_view::npos ? value : value.substr(mark + 3);
  const auto path = std::min(rest.find('/'), rest.size());
  std::string host(rest.substr(0, path));
  std::string port = mark == std::string_view::npos ? ":11434" : "";
  if (std::count(host.begin(), host.end(), ':') > 1 && host.front() != '[') host = "[" + host + "]";
  const auto bracket = host.rfind(']');
  if (const auto colon = host.find(':', bracket == std::string::npos ? 0 : bracket); colon != std::string::npos) {
    port = host.substr(colon);
    host.resize(colon);
  }
  // All addresses of this machine: where a server listens, and nothing that one can connect to.
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return fmt::format("{}://{}{}{}", scheme, host, port, rest.substr(path));
}

Result<void> check_endpoint(std::string_view variable, std::string_view url) {
  const std::string_view wrong = providers::endpoint_problem(url);
  if (wrong.empty()) return {};
  return Error(errc::invalid_argument, fmt::format("The address in the environment variable {} {}", variable, wrong))
      .with("variable", variable);
}

}  // namespace

Result<std::optional<NewProvider>> NewProvider::from_environment() {
  const std::string openai = read_variable("OPENAI_API_KEY");
  const std::string openai_url = read_variable("OPENAI_BASE_URL");
  if (!openai.empty() || !openai_url.empty()) {
    NewProvider provider{"openai", "openai", {{"model", read_variable("OPENAI_MODEL", "gpt-5-mini")}}};
    if (!openai.empty()) provider.config["api_key"] = openai;
    if (!openai_url.empty()) {
      if (auto sound = check_endpoint("OPENAI_BASE_URL", openai_url); !sound) return sound.error();
      provider.config["endpoint"] = openai_url;
    }
    return provider;
  }
  if (const std::string key = read_variable("ANTHROPIC_API_KEY"); !key.empty()) {
    return NewProvider{
        "anthropic", "anthropic", {{"api_key", key}, {"model", read_variable("ANTHROPIC_MODEL", "claude-sonnet-4-5")}}};
  }
  if (const std::string host = read_variable("OLLAMA_HOST"); !host.empty()) {
    const std::string endpoint = ollama_endpoint(host);
    if (auto sound = check_endpoint("OLLAMA_HOST", endpoint); !sound) return sound.error();
    return NewProvider{
        "ollama", "ollama", {{"endpoint", endpoint}, {"model", read_variable("OLLAMA_MODEL", "llama3.2")}}};
  }
  return std::nullopt;
}

}  // namespace v0
}  // namespace openindex
