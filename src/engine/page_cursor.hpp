// Where a list of items goes on: behind an item, in the storage's listing at a page that has it or begins behind it.
//
// The item is named because a change may move its row behind the end of the page that had it.
#pragma once

#include <string>

#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>

namespace openindex::engine {

struct PageCursor {
  ItemKey behind = {};    ///< Empty: from the start.
  std::string page = {};  ///< `ScanRequest::after`: the storage's own; empty: its first page.

  /// Empty text: from the start. @par Errors invalid_argument
  static Result<PageCursor> read(const std::string& text);

  [[nodiscard]] std::string str() const { return behind.str() + ":" + page; }
};

}  // namespace openindex::engine
