#include "codecs/text.hpp"

#include <algorithm>
#include <array>

#include "core/utf8.hpp"

namespace openindex::codecs {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Return how many bytes the code point at `at` takes; 0 when there is none.
std::size_t code_point_bytes(std::string_view text, std::size_t at) noexcept {
  for (std::size_t bytes = 1; bytes <= 4 && at + bytes <= text.size(); ++bytes) {
    if (is_utf8(text.substr(at, bytes))) return bytes;
  }
  return 0;
}

bool is_key_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '*' || c == '.';
}

constexpr std::array<std::string_view, 8> key_prefixes = {"sk-", "sk_",  "xai-",    "pplx-",
                                                          "hf_", "AIza", "oi_pat_", "oi_run_"};

/// Return the length of a word at `at` that looks like somebody's key; 0 when it does not.
std::size_t key_like(std::string_view text, std::size_t at) noexcept {
  if (at > 0 && is_key_char(text[at - 1])) return 0;
  const std::string_view here = text.substr(at);
  if (std::none_of(key_prefixes.begin(), key_prefixes.end(), [&](auto prefix) { return here.starts_with(prefix); }))
    return 0;
  std::size_t length = 0;
  while (length < here.size() && is_key_char(here[length])) ++length;
  return length;
}

/// Return how many bytes at `at` are the secret, or a piece of it long enough to be worth hiding.
std::size_t secret_at(std::string_view text, std::size_t at, std::string_view secret) noexcept {
  constexpr std::size_t piece_min = 8;
  const std::string_view here = text.substr(at);
  if (secret.empty()) return 0;
  if (here.starts_with(secret)) return secret.size();
  std::size_t longest = 0;
  for (std::size_t from = 0; from + piece_min <= secret.size(); ++from) {
    const std::string_view piece = secret.substr(from);
    const auto differs = std::mismatch(piece.begin(), piece.end(), here.begin(), here.end()).first;
    longest = std::max(longest, static_cast<std::size_t>(differs - piece.begin()));
  }
  return longest >= piece_min ? longest : 0;
}

std::size_t hidden_at(std::string_view text, std::size_t at, const ChatEndpoint& endpoint) noexcept {
  constexpr std::size_t header_value_min = 8;
  std::size_t hidden = std::max(key_like(text, at), secret_at(text, at, endpoint.api_key));
  hidden = std::max(hidden, secret_at(text, at, endpoint.session_token));
  for (const auto& [name, value] : endpoint.headers) {
    if (value.size() >= header_value_min && text.substr(at).starts_with(value)) hidden = std::max(hidden, value.size());
  }
  return hidden;
}

bool is_control(std::string_view code_point) noexcept {
  const auto first = static_cast<unsigned char>(code_point[0]);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(code_point[1]) < 0xa0);
}

}  // namespace

std::string to_utf8(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = code_point_bytes(text, at);
    out += bytes == 0 ? replacement : text.substr(at, bytes);
    at += std::max<std::size_t>(bytes, 1);
  }
  return out;
}

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void write_text(json::Writer& writer, std::string_view text) {
  if (is_utf8(text)) {
    writer.string(text);
  } else {
    writer.string(to_utf8(text));
  }
}

std::string scrubbed(std::string_view text, const ChatEndpoint& endpoint, std::size_t bytes_max) {
  std::string out;
  text = text.substr(0, 16 * bytes_max);  // a hostile body may be megabytes that scrub away to nothing
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t hidden = hidden_at(text, at, endpoint); hidden > 0) {
      out += "***";
      at += hidden;
    } else {
      const std::size_t bytes = code_point_bytes(text, at);
      const std::string_view code_point = bytes == 0 ? replacement : text.substr(at, bytes);
      if (!is_control(code_point)) {
        out += code_point;
      } else if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
      at += std::max<std::size_t>(bytes, 1);
    }
    if (out.size() > bytes_max) return std::string(cut_utf8(out, bytes_max)) + "…";
  }
  return out;
}

}  // namespace openindex::codecs
