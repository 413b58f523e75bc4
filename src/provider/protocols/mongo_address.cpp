#include "provider/protocols/mongo_address.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/utf8.hpp"

namespace openindex::providers {
namespace {

std::optional<int> hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = lower_ascii(c);
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return std::nullopt;
}

// nullopt: a percent sign without two digits behind it, or a zero byte, which no name can have.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
      const auto low = high ? hex_value(text[i + 2]) : std::nullopt;
      if (!low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

// Nothing when an option that matters is malformed.
bool read_option(std::string_view option, MongoAddress& address) {
  const auto equals = std::min(option.find('='), option.size());
  const std::string name = lower_ascii(option.substr(0, equals));
  const auto value = unescaped(option.substr(std::min(equals + 1, option.size())));
  if (name == "authsource" || name == "authmechanism") {
    if (!value || value->empty()) return false;
    (name == "authsource" ? address.source : address.mechanism) = *value;
  }
  if (name == "tls" || name == "ssl") {
    if (value != "true" && value != "false") return false;
    address.tls = address.tls || value == "true";
  }
  if (name == "tlscafile" || name == "tlscertificatekeyfile") address.has_files = true;
  return true;
}

// Nothing when the part before the `@` is none.
bool read_user(std::string_view user_info, MongoAddress& address) {
  const auto colon = std::min(user_info.find(':'), user_info.size());
  auto user = unescaped(user_info.substr(0, colon));
  auto password = unescaped(user_info.substr(std::min(colon + 1, user_info.size())));
  if (!user || !password || user->empty() || user_info.find('@') != std::string_view::npos) return false;
  address.has_user = true;
  address.user = std::move(*user);
  address.password = std::move(*password);
  return true;
}

Error wrong_address(const char* text) { return Error(errc::invalid_argument, text); }

}  // namespace

Result<MongoAddress> mongo_address(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return wrong_address("The endpoint is no connection string");
  std::string_view rest = url.substr(scheme + 3);
  const auto query = std::min(rest.find('?'), rest.size());
  std::string_view options = rest.substr(std::min(query + 1, rest.size()));
  rest = rest.substr(0, query);
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string_view database = rest.substr(std::min(slash + 1, rest.size()));
  std::string_view servers = rest.substr(0, slash);
  // Half of a password would be taken for a host.
  const bool has_at = servers.find('@') != std::string_view::npos;
  if (database.find('@') != std::string_view::npos || (!has_at && options.find('@') != std::string_view::npos)) {
    return wrong_address("The endpoint's user and password must have / ? @ and % percent-encoded");
  }

  MongoAddress address;
  if (const auto at = servers.rfind('@'); at != std::string_view::npos) {
    if (!read_user(servers.substr(0, at), address)) {
      return wrong_address("The endpoint's user and password are not percent-encoded, or empty");
    }
    servers.remove_prefix(at + 1);
  }
  const auto place = first_place(servers, 27017);
  if (!place) return wrong_address("The endpoint names no server");
  address.place = *place;
  while (!options.empty()) {
    const auto end = std::min(options.find('&'), options.size());
    if (!read_option(options.substr(0, end), address)) {
      return wrong_address("The endpoint has a malformed option; check authSource, authMechanism and tls");
    }
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  if (address.source.empty()) {
    const auto named = unescaped(database);
    if (!named) return wrong_address("The endpoint's database is not percent-encoded");
    address.source = named->empty() ? "admin" : *named;
  }
  return address;
}

}  // namespace openindex::providers
