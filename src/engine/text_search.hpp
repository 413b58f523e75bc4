// Looking for words in titles and descriptions: by their bits in an index, and then in the texts themselves.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openindex::engine {

/// A bit for each three bytes in a row that occur, letters in lower case: what a text holds has no bit that the text
/// has not. It is stored: another hash needs another index.
using TextBits = std::array<std::int64_t, 8>;

void add_bits(TextBits& bits, std::string_view text);

class TextSearch {
 public:
  explicit TextSearch(std::string_view words);

  /// Tell whether every word stands in one of the texts. No word: always.
  [[nodiscard]] bool matches(std::string_view title, std::string_view description) const;

  /// The bits of every text that matches.
  [[nodiscard]] TextBits bits() const;

 private:
  std::vector<std::string> words_;  ///< In lower case.
};

}  // namespace openindex::engine
