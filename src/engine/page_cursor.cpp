#include "engine/page_cursor.hpp"

namespace openindex::engine {

Result<PageCursor> PageCursor::read(const std::string& text) {
  if (text.empty()) return PageCursor();
  const auto mark = text.find(':');
  if (mark == std::string::npos) {
    return Error(errc::invalid_argument, "This is not a cursor of this listing").with("after", text);
  }
  return PageCursor{ItemKey(text.substr(0, mark)), text.substr(mark + 1)};
}

}  // namespace openindex::engine
