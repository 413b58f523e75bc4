// Where a listing of what is available goes on: behind a place in the queue, and in the storage's own listing at a page
// that has that place in it or before it.
#pragma once

#include <optional>
#include <string>

#include <openindex/storage/scan_range.hpp>

namespace openindex::queue {

struct QueueCursor {
  std::optional<IndexPlace> behind = {};  ///< Nothing: from the start.
  std::string page = {};                  ///< `ScanRequest::after`: the storage's own; empty: its first page.

  /// Empty text: from the start. @par Errors invalid_argument
  static Result<QueueCursor> read(const std::string& text);

  [[nodiscard]] std::string str() const;
};

}  // namespace openindex::queue
