#include "codecs/aws_signature.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <new>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "engine/digest.hpp"

#include "core/utf8.hpp"

namespace openindex::codecs {
namespace {

struct Target {
  std::string_view host;  // with its port
  std::string_view path;
  std::string_view query;
};

Target target_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const auto path = std::min(url.find_first_of("/?"), url.size());
  Target target{url.substr(0, path), url.substr(path), {}};
  if (const auto mark = target.path.find('?'); mark != std::string_view::npos) {
    target.query = target.path.substr(mark + 1);
    target.path = target.path.substr(0, mark);
  }
  return target;
}

// A default port is not sent in the Host header, and so not signed.
std::string host_header(std::string_view url) {
  std::string_view host = target_of(url).host;
  const std::string_view port = url.starts_with("https://") ? ":443" : ":80";
  if (host.ends_with(port)) host.remove_suffix(port.size());
  return std::string(host);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const auto segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const auto segment : kept) out += '/' + percent_encoded(segment);
  if (kept.empty() || path.ends_with('/')) out += '/';
  return out;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) i += 2;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
  }
  return out;
}

// Encoded once, however it was sent.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto member : split(query, '&')) {
    if (member.empty()) continue;
    const auto equals = std::min(member.find('='), member.size());
    members.emplace_back(percent_encoded(percent_decoded(member.substr(0, equals))),
                         percent_encoded(percent_decoded(member.substr(std::min(equals + 1, member.size())))));
  }
  std::sort(members.begin(), members.end());
  std::string out;
  for (const auto& [name, value] : members) out += (out.empty() ? "" : "&") + name + '=' + value;
  return out;
}

// Without space at either end, and with one for many within.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t';
    if (!space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

// By name; the values of one that occurs more than once keep their order.
std::map<std::string, std::string> canonical_headers(const HttpRequest& request) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : request.headers) {
    const auto [entry, added] = out.try_emplace(lower_ascii(name), trimmed(value));
    if (!added) entry->second += ',' + trimmed(value);
  }
  return out;
}

std::string signed_names(const HttpRequest& request) {
  std::string out;
  for (const auto& [name, value] : canonical_headers(request)) out += (out.empty() ? "" : ";") + name;
  return out;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), digest.data(), &length) == nullptr) {
    throw std::bad_alloc();  // every libcrypto has SHA-256, so memory is all that can be missing
  }
  return {reinterpret_cast<const char*>(digest.data()), length};
}

struct Stamp {
  std::string date;
  std::string time;
};

Stamp stamp_of(Time now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  Stamp stamp;
  stamp.date = fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                           static_cast<unsigned>(date.day()));
  stamp.time = fmt::format("{}T{:02}{:02}{:02}Z", stamp.date, time.hours().count(), time.minutes().count(),
                           time.seconds().count());
  return stamp;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string canonical_request(const HttpRequest& request) {
  const Target target = target_of(request.url);
  std::string out =
      fmt::format("{}\n{}\n{}\n", request.method, canonical_path(target.path), canonical_query(target.query));
  for (const auto& [name, value] : canonical_headers(request)) out += fmt::format("{}:{}\n", name, value);
  return out + fmt::format("\n{}\n{}", signed_names(request), engine::sha256_hex(request.body));
}

void sign(HttpRequest& request, const AwsKey& key, const AwsScope& scope, Time now) {
  const Stamp stamp = stamp_of(now);
  request.headers.emplace_back("Host", host_header(request.url));
  request.headers.emplace_back("X-Amz-Date", stamp.time);
  if (!key.session_token.empty()) request.headers.emplace_back("X-Amz-Security-Token", key.session_token);

  const std::string where = fmt::format("{}/{}/{}/aws4_request", stamp.date, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp.time, where, engine::sha256_hex(canonical_request(request)));
  std::string derived = hmac("AWS4" + std::string(key.secret), stamp.date);
  for (const std::string_view part : {scope.region, scope.service, std::string_view("aws4_request")}) {
    derived = hmac(derived, part);
  }
  request.headers.emplace_back(
      "Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", key.id, where,
                                   signed_names(request), engine::hmac_sha256_hex(derived, to_sign)));
}

}  // namespace openindex::codecs
