#include "agent/plain_text.hpp"

#include <doctest/doctest.h>

using namespace openindex;

TEST_CASE("a detail is one line, bounded, and says that it was cut") {
  CHECK(agent::shortened("one\ntwo\x1b") == "one two");
  CHECK(agent::shortened("äöü", 3) == "ä…");
}
