#include <openindex/agent/tool.hpp>

#include <doctest/doctest.h>

#include <boost/json/object.hpp>

using namespace openindex;

TEST_CASE("a tool reads its arguments by type, with a fallback for what is absent") {
  const boost::json::object arguments{{"term", "null"}, {"limit", 5}, {"ratio", 0.5}};
  const ItemKey item = "BUG-1";
  const ToolCall call{"run-1.3", item, arguments};
  CHECK(call.text("term") == "null");
  CHECK(call.text("limit").empty());
  CHECK(call.text("absent").empty());
  CHECK(call.number("limit") == 5);
  CHECK(call.number("ratio") == 0.5);
  CHECK(call.number("term", 7) == 7);
  CHECK(call.number("absent", 8) == 8);
}
