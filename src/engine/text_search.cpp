#include "engine/text_search.hpp"

#include <algorithm>

#include "core/utf8.hpp"

namespace openindex::engine {
namespace {

bool contains(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char a, char b) { return lower_ascii(a) == b; }) != text.end();
}

}  // namespace

void add_bits(TextBits& bits, std::string_view text) {
  constexpr std::uint32_t spread = 0x9E3779B1;
  std::uint32_t three = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    three = (three << 8 | static_cast<unsigned char>(lower_ascii(text[i]))) & 0xFFFFFF;
    if (i < 2) continue;
    const std::uint32_t bit = (three * spread) >> 23;  // of 512
    bits[bit / 64] =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(bits[bit / 64]) | std::uint64_t{1} << bit % 64);
  }
}

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
      word += lower_ascii(c);
    }
  }
  finish();
}

TextBits TextSearch::bits() const {
  TextBits out{};
  for (const std::string& word : words_) add_bits(out, word);
  return out;
}

bool TextSearch::matches(std::string_view title, std::string_view description) const {
  return std::all_of(words_.begin(), words_.end(),
                     [&](const std::string& word) { return contains(title, word) || contains(description, word); });
}

}  // namespace openindex::engine
