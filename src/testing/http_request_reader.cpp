#include "testing/http_request_reader.hpp"

#include <charconv>
#include <string_view>

namespace openindex::scripted {
namespace {

constexpr std::size_t head_bytes_max = 64u * 1024;
constexpr std::size_t body_bytes_max = 64u * 1024 * 1024;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::size_t> read_number(std::string_view text, int base) {
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failed != std::errc() || end != text.data() + text.size() || number > body_bytes_max) return std::nullopt;
  return number;
}

bool read_head(std::string_view head, ServedRequest& request) {
  const auto line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.substr(last + 1, 7) != "HTTP/1.") return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  head = line_end == std::string_view::npos ? std::string_view() : head.substr(line_end + 2);
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const std::string_view field = head.substr(0, end);
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    request.headers.emplace_back(trimmed(field.substr(0, colon)), trimmed(field.substr(colon + 1)));
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
  }
  return true;
}

enum class Part { whole, missing, wrong };

// Read chunks from `at` on into the body; `at` then stands behind the last.
Part read_chunks(std::string_view input, std::size_t& at, std::string& body) {
  for (;;) {
    const auto line_end = input.find("\r\n", at);
    if (line_end == std::string_view::npos) return input.size() - at > 1024 ? Part::wrong : Part::missing;
    const std::string_view line = input.substr(at, line_end - at);
    const auto size = read_number(trimmed(line.substr(0, line.find(';'))), 16);
    if (!size || body.size() + *size > body_bytes_max) return Part::wrong;
    at = line_end + 2;
    if (*size == 0) {
      const auto end = input.find("\r\n", at);  // trailers are not sent by any client of ours
      if (end == std::string_view::npos) return Part::missing;
      at = end + 2;
      return Part::whole;
    }
    if (input.size() < at + *size + 2) return Part::missing;
    body += input.substr(at, *size);
    at += *size + 2;
  }
}

}  // namespace

ReadRequest take_request(std::string& input) {
  const auto head_end = input.find("\r\n\r\n");
  if (head_end == std::string::npos) return {{}, input.size() > head_bytes_max ? 431 : 0};
  ServedRequest request;
  if (head_end > head_bytes_max) return {{}, 431};
  if (!read_head(std::string_view(input).substr(0, head_end), request)) return {{}, 400};

  std::size_t at = head_end + 4;
  const bool wants_continue = request.header("expect") == "100-continue";
  if (!request.header("transfer-encoding").empty()) {
    const Part read = read_chunks(input, at, request.body);
    if (read == Part::wrong) return {{}, 400};
    if (read == Part::missing) return {{}, 0, wants_continue};
  } else if (const auto length = request.header("content-length"); !length.empty()) {
    const auto size = read_number(length, 10);
    if (!size) return {{}, 413};
    if (input.size() < at + *size) return {{}, 0, wants_continue};
    request.body = input.substr(at, *size);
    at += *size;
  }
  input.erase(0, at);
  return {std::move(request)};
}

}  // namespace openindex::scripted
