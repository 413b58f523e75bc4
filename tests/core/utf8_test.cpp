#include <doctest/doctest.h>

#include "core/utf8.hpp"

using namespace openindex;

TEST_CASE("well-formed UTF-8 is told from the rest") {
  for (const char* good : {"", "a", "é", "日本", "🤯", "\xf4\x8f\xbf\xbf"}) CHECK(is_utf8(good));
  for (const char* bad : {"\xff", "\xc0\xaf", "\xc3", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("a cut never breaks a character") {
  CHECK(cut_utf8("日本", 6) == "日本");
  CHECK(cut_utf8("日本", 5) == "日");
  CHECK(cut_utf8("日本", 2) == "");
  CHECK(cut_utf8("a🤯", 4) == "a");
}

TEST_CASE("control characters of both blocks are found, and nothing else is taken for one") {
  for (const char* bad : {"\x01", "a\tb", "a\n", "\x7f", "\xc2\x80", "x\xc2\x9b[2J", "\xc2\x9f"})
    CHECK(has_control(bad));
  for (const char* good : {"", "a b", "\xc2\xa0", "é", "Ā", "日本", "🤯"}) CHECK_FALSE(has_control(good));
}
