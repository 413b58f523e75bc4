#include "provider/endpoint_url.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "core/utf8.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t url_bytes_max = 2048;

struct Parts {
  std::string_view scheme;
  std::string_view authority;
  std::string_view host;
  std::string_view port;
  std::string_view path;
};

Parts split(std::string_view url) {
  Parts parts;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return parts;
  parts.scheme = url.substr(0, scheme);
  const std::string_view rest = url.substr(scheme + 3);
  const auto path = std::min(rest.find('/'), rest.size());
  parts.authority = rest.substr(0, path);
  parts.path = rest.substr(path);
  // An IPv6 address stands in brackets and has colons of its own.
  const auto bracket = parts.authority.rfind(']');
  const auto colon = parts.authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.host = parts.authority.substr(0, colon);
  if (colon != std::string_view::npos) parts.port = parts.authority.substr(colon);
  return parts;
}

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    const auto inside = [](char c) { return is_letter_or_digit(c) || c == ':' || c == '.'; };
    return host.size() > 2 && host.ends_with(']') && std::all_of(host.begin() + 1, host.end() - 1, inside);
  }
  const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
  return !host.empty() && std::all_of(host.begin(), host.end(), allowed);
}

bool is_port(std::string_view port) {
  if (port.empty()) return true;
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(port.data() + 1, port.data() + port.size(), value);
  return failed == std::errc() && end == port.data() + port.size() && value >= 1 && value <= 65535;
}

// What every URL parser reads in the same way; the rest is how one of them is led elsewhere than the other.
bool is_plain(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\\\"<>^`{|}").find(c) == std::string_view::npos;
}

}  // namespace

std::string_view endpoint_problem(std::string_view url) {
  if (url.size() > url_bytes_max) return "is longer than 2048 bytes";
  if (url.find('?') != std::string_view::npos) return "must not have a query";
  if (url.find('#') != std::string_view::npos) return "must not have a fragment";
  if (!std::all_of(url.begin(), url.end(), is_plain)) return "holds characters that a URL cannot have";
  const Parts parts = split(url);
  const std::string scheme = lower_ascii(parts.scheme);
  if (scheme != "http" && scheme != "https") return "must begin with https:// or http://";
  if (parts.authority.find('@') != std::string_view::npos) return "must not have a user name or password";
  if (!is_host(parts.host)) return "must name a host";
  if (!is_port(parts.port)) return "must have a port from 1 to 65535, or none";
  return {};
}

std::string canonical_endpoint(std::string_view url) {
  const Parts parts = split(url);
  const std::string scheme = lower_ascii(parts.scheme);
  unsigned port = scheme == "https" ? 443 : 80;
  if (!parts.port.empty()) std::from_chars(parts.port.data() + 1, parts.port.data() + parts.port.size(), port);
  std::string_view path = parts.path;
  if (path.ends_with('/')) path.remove_suffix(1);
  return scheme + "://" + lower_ascii(parts.host) + ":" + std::to_string(port) + std::string(path);
}

}  // namespace openindex::providers
