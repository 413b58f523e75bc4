#include "provider/key_form.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "core/utf8.hpp"
#include "provider/endpoint_url.hpp"
#include "provider/google_account.hpp"

namespace openindex::providers {
namespace {

constexpr std::size_t value_bytes_max = 65'536;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z'); }

template <class Allowed>
bool consists_of(std::string_view text, Allowed allowed) {
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

// A header's name is a token (RFC 9110, 5.6.2).
bool is_token(std::string_view text) {
  return consists_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// It becomes part of a host's name.
bool is_region(std::string_view text) {
  return text.size() <= 40 && consists_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

// No more than an endpoint's own path may hold, and nothing that climbs out of it, written out or encoded.
bool is_path(std::string_view text) {
  if (!text.starts_with('/') || !endpoint_problem("https://host" + std::string(text)).empty()) return false;
  for (std::string_view rest = text; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string segment = lower_ascii(rest.substr(0, rest.find('/')));
    if (segment == "." || segment == ".." || segment.find("%2e") != std::string::npos) return false;
    rest.remove_prefix(segment.size());
  }
  return true;
}

bool is_number(std::string_view text, std::uint32_t largest) {
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && number >= 1 && number <= largest;
}

bool is_role(std::string_view text) {
  return text.starts_with("arn:aws") && text.find(":iam::") != std::string_view::npos &&
         text.find(":role/") != std::string_view::npos && text.find(' ') == std::string_view::npos;
}

// Without what only HTTP has: `nats://host:4222`, `broker-1:9092`, `[::1]`.
std::string_view server_problem(std::string_view server) {
  const auto scheme = server.find("://");
  if (scheme != std::string_view::npos) {
    if (!consists_of(server.substr(0, scheme), [](char c) { return is_lower(c) || is_digit(c) || c == '+'; })) {
      return "must begin with a scheme in lower case, or with none";
    }
    server.remove_prefix(scheme + 3);
  }
  if (server.ends_with('/')) server.remove_suffix(1);
  if (server.find('@') != std::string_view::npos) return "must not have a user name or password";
  if (server.find('/') != std::string_view::npos) return "must be a host, without a path";
  return endpoint_problem("https://" + std::string(server));
}

std::string_view servers_problem(std::string_view text) {
  for (;;) {
    const auto comma = text.find(',');
    if (const auto wrong = server_problem(text.substr(0, comma)); !wrong.empty()) return wrong;
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

// Drivers read credentials in a URL, and readers of the configuration would, too.
std::string_view jdbc_problem(std::string_view text) {
  const std::string url = lower_ascii(text);
  const auto scheme = url.find(':', 5);
  if (!url.starts_with("jdbc:") || scheme == std::string::npos || scheme == 5 || scheme + 1 == url.size()) {
    return "must begin with jdbc: and the kind of database, as in jdbc:postgresql://host:5432/database";
  }
  if (url.find_first_of(" %") != std::string::npos) return "holds a space or a percent sign";
  // Oracle has the credentials before an `@` that stands there without them as well.
  const bool is_oracle = url.starts_with("jdbc:oracle:");
  const auto at = url.find('@');
  if (at != std::string::npos && (!is_oracle || url[at - 1] != ':')) return "must not have a user name or password";
  const std::string parameters = url.substr(std::min(url.find_first_of("?;"), url.size()));
  for (const char* word : {"password", "passwd", "passphrase", "pwd", "user=", "username", "secret", "token", "uid="}) {
    if (parameters.find(word) != std::string::npos) return "must not have a user name or password";
  }
  return {};
}

std::string_view mongo_problem(std::string_view text) {
  if (!text.starts_with("mongodb://") && !text.starts_with("mongodb+srv://")) {
    return "must begin with mongodb:// or mongodb+srv://";
  }
  if (text.find(' ') != std::string_view::npos) return "holds a space";
  const auto host = text.find("://") + 3;
  return host == text.size() || text[host] == '/' ? "must name a host" : "";
}

std::string_view unbroken_text_problem(std::string_view value) {
  if (has_control(value)) return "holds control characters, such as a line break";
  return value.starts_with(' ') || value.ends_with(' ') ? "begins or ends with a space" : "";
}

std::string_view lines_problem(std::string_view value) {
  std::string bare(value);
  std::erase_if(bare, [](char c) { return c == '\n' || c == '\r' || c == '\t'; });
  return has_control(bare) ? "holds control characters other than line breaks" : "";
}

std::string_view form_problem(KeyForm form, std::string_view value) {
  switch (form) {
    case KeyForm::url:
      return endpoint_problem(value);
    case KeyForm::servers:
      return servers_problem(value);
    case KeyForm::jdbc_url:
      return jdbc_problem(value);
    case KeyForm::mongo_url:
      return mongo_problem(value);
    case KeyForm::header_name:
      return is_token(value) ? "" : "is not the name of an HTTP header";
    case KeyForm::region:
      return is_region(value) ? "" : "is not a region, such as eu-central-1";
    case KeyForm::path:
      return is_path(value) ? "" : "is not a path, such as /v1/messages";
    case KeyForm::port:
      return is_number(value, 65'535) ? "" : "is not a port, 1 to 65535";
    case KeyForm::count:
      return is_number(value, 999'999'999) ? "" : "is not a whole number from 1 to 999999999";
    case KeyForm::role_arn:
      return is_role(value) ? "" : "is not a role, such as arn:aws:iam::123456789012:role/name";
    case KeyForm::account_id:
      return value.size() == 12 && consists_of(value, is_digit) ? "" : "is not an account of AWS, which is 12 digits";
    case KeyForm::google_key:
      return google_account_problem(value);
    case KeyForm::transport:
    case KeyForm::text:
    case KeyForm::lines:
    case KeyForm::trust_roots:
      return {};
  }
  return {};
}

}  // namespace

std::string_view value_problem(KeyForm form, std::string_view value) {
  if (value.size() > value_bytes_max) return "is longer than 65536 bytes";
  if (!is_utf8(value)) return "is not UTF-8";
  const bool has_lines = form == KeyForm::lines || form == KeyForm::trust_roots || form == KeyForm::google_key;
  const auto wrong = has_lines ? lines_problem(value) : unbroken_text_problem(value);
  return wrong.empty() ? form_problem(form, value) : wrong;
}

bool names_server(KeyForm form) noexcept {
  switch (form) {
    case KeyForm::url:
    case KeyForm::path:
    case KeyForm::servers:
    case KeyForm::port:
    case KeyForm::jdbc_url:
    case KeyForm::transport:
    case KeyForm::trust_roots:
      return true;
    default:
      return false;
  }
}

std::string canonical_value(KeyForm form, std::string_view value) {
  const bool is_url = form == KeyForm::url && endpoint_problem(value).empty();
  return is_url ? canonical_endpoint(value) : std::string(value);
}

}  // namespace openindex::providers
