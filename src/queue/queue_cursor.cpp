#include "queue/queue_cursor.hpp"

#include "storage/scan_cursor.hpp"

namespace openindex::queue {
namespace {

ScanRequest unheld() { return {.index = Index::queue, .prefix = {std::string()}}; }

}  // namespace

Result<QueueCursor> QueueCursor::read(const std::string& text) {
  QueueCursor cursor;
  if (text.empty()) return cursor;
  const auto mark = text.find(':');
  ScanRequest request = unheld();
  request.after = text.substr(0, mark);
  auto behind = storage::read_cursor(request);
  if (mark == std::string::npos || !behind) {
    return Error(errc::invalid_argument, "This is not a cursor of this listing").with("after", text);
  }
  cursor.behind = std::move(*behind);
  cursor.page = text.substr(mark + 1);
  return cursor;
}

std::string QueueCursor::str() const { return (behind ? write_cursor(unheld(), *behind) : "") + ":" + page; }

}  // namespace openindex::queue
