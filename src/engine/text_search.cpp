#include "engine/text_search.hpp"

#include <algorithm>

namespace openindex::engine {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

}  // namespace

TextSearch::TextSearch(std::string_view words) {
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words_.push_back(std::move(word));
    word.clear();
  };
  for (const char c : words) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      finish();
    } else {
      word += lower(c);
    }
  }
  finish();
}

bool TextSearch::matches(std::string_view title, std::string_view description) const {
  return std::all_of(words_.begin(), words_.end(),
                     [&](const std::string& word) { return contains(title, word) || contains(description, word); });
}

}  // namespace openindex::engine
