#include "codecs/wire_url.hpp"

#include <algorithm>

namespace openindex::codecs {

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

Result<std::string> url_for(const ChatEndpoint& endpoint, std::string_view path, std::string_view version_prefix) {
  std::string_view base = endpoint.base_url;
  if (base.empty() || holds_control(base) || base.find_first_of("?# ") != std::string_view::npos) {
    return Error(errc::invalid_argument, "The provider's endpoint is not a base URL without query");
  }
  if (base.ends_with('/')) base.remove_suffix(1);
  if (!version_prefix.empty() && base.ends_with(version_prefix)) base.remove_suffix(version_prefix.size());
  return std::string(base) + std::string(path);
}

}  // namespace openindex::codecs
