#include "codecs/json_span.hpp"

#include <algorithm>
#include <cstddef>

namespace openindex::json {
namespace {

std::size_t skip_space(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  return at;
}

// Most of an answer is in its strings: the next quote is looked for, and only backslashes right before it are counted.
// Past the end of the text when there is none.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  const std::size_t begin = at + 1;
  for (std::size_t quote = text.find('"', begin); quote != std::string_view::npos; quote = text.find('"', quote + 1)) {
    std::size_t first = quote;
    while (first > begin && text[first - 1] == '\\') --first;
    if ((quote - first) % 2 == 0) return quote + 1;
  }
  return text.size() + 1;
}

std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      if (depth == 0) break;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;  // the end of what a bare value stands in
      if (--depth == 0) return at + 1;
    }
    if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r')) return at;
    ++at;
  }
  return std::min(at, text.size());
}

}  // namespace

std::string_view member_text(std::string_view object, std::string_view name) noexcept {
  std::string_view found;
  std::size_t at = skip_space(object, 0);
  if (at >= object.size() || object[at] != '{') return found;
  at = skip_space(object, at + 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t key_end = skip_string(object, at);
    if (key_end > object.size()) return {};
    const std::string_view key = object.substr(at + 1, key_end - at - 2);
    const std::size_t colon = skip_space(object, key_end);
    const std::size_t start = skip_space(object, colon + 1);
    if (start >= object.size()) return {};
    const std::size_t end = skip_value(object, start);
    if (key == name) found = object.substr(start, end - start);
    at = skip_space(object, end);
    if (at < object.size() && object[at] == ',') at = skip_space(object, at + 1);
  }
  return found;
}

std::string_view first_element_text(std::string_view array) noexcept {
  const std::size_t open = skip_space(array, 0);
  if (open >= array.size() || array[open] != '[') return {};
  const std::size_t start = skip_space(array, open + 1);
  if (start >= array.size() || array[start] == ']') return {};
  return array.substr(start, skip_value(array, start) - start);
}

std::string_view elements_text(std::string_view array) noexcept {
  const std::size_t open = skip_space(array, 0);
  const std::size_t close = array.rfind(']');
  if (open >= array.size() || array[open] != '[' || close == std::string_view::npos || close <= open) return {};
  const std::size_t start = skip_space(array, open + 1);
  if (start >= close) return {};
  const std::size_t end = array.find_last_not_of(" \t\r\n", close - 1);
  return array.substr(start, end + 1 - start);
}

std::string_view take_element(std::string_view& rest) noexcept {
  const std::size_t before = skip_space(rest, 0);  // the bracket, or the comma after the element before
  if (before >= rest.size() || (rest[before] != '[' && rest[before] != ',')) return {};
  const std::size_t start = skip_space(rest, before + 1);
  if (start >= rest.size() || rest[start] == ']') return {};
  const std::size_t end = skip_value(rest, start);
  const std::string_view element = rest.substr(start, end - start);
  rest.remove_prefix(end);
  return element;
}

}  // namespace openindex::json
