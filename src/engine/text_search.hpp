// Looking for words in titles and descriptions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace openindex::engine {

class TextSearch {
 public:
  explicit TextSearch(std::string_view words);

  /// Tell whether every word stands in one of the texts. No word: always.
  [[nodiscard]] bool matches(std::string_view title, std::string_view description) const;

 private:
  std::vector<std::string> words_;  ///< In lower case.
};

}  // namespace openindex::engine
