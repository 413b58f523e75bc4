// The values of an index entry, each made once where it stays: a braced list of them would be copied.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openindex/storage/index.hpp>

namespace openindex::engine {

/// Make values of texts and numbers, in the order of the index's fields.
template <class... Values>
std::vector<IndexValue> index_values(Values&&... values) {
  std::vector<IndexValue> out;
  out.reserve(sizeof...(values));
  const auto add = [&]<class Value>(Value&& value) {
    if constexpr (std::integral<std::remove_cvref_t<Value>>) {
      out.emplace_back(std::in_place_type<std::int64_t>, value);
    } else {
      out.emplace_back(std::in_place_type<std::string>, std::forward<Value>(value));
    }
  };
  (add(std::forward<Values>(values)), ...);
  return out;
}

}  // namespace openindex::engine
