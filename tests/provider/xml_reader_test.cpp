#include "provider/xml_reader.hpp"

#include <doctest/doctest.h>

using namespace openindex;
using providers::leaf_text;
using providers::read_xml;

TEST_CASE("the leaves of an answer are read with their paths and entities") {
  const auto leaves = read_xml(
      "<?xml version=\"1.0\"?>\n<!-- <a>no</a> -->\n<R xmlns='urn:x>y' b = "
      "\"1\"><A>1&amp;&lt;2&#62;&#x41;&quot;&apos;</A>\n"
      " <B><C> x </C><D/></B><C></C></R>\n");
  REQUIRE(leaves);
  CHECK(leaves->size() == 4);
  CHECK(leaf_text(*leaves, "R/A") == "1&<2>A\"'");
  CHECK(leaf_text(*leaves, "R/B/C") == " x ");
  CHECK(leaf_text(*leaves, "R/B/D") == "");
  CHECK(leaf_text(*leaves, "R/C") == "");
  CHECK(leaf_text(*leaves, "R/B") == "");
  CHECK(leaf_text(*leaves, "A") == "");
}

TEST_CASE("what is not well-formed, or more than an answer of AWS has, is not read") {
  std::string deep, many = "<r>";
  for (int i = 0; i < 17; ++i) deep += "<a>";
  for (int i = 0; i < 17; ++i) deep += "</a>";
  for (int i = 0; i < 257; ++i) many += "<a/>";
  const std::string texts[] = {
      "",
      " ",
      "{}",
      "text",
      "<a>",
      "</a>",
      "<a></b>",
      "<a><b></a></b>",
      "<a/><b/>",
      "<a/>text",
      "text<a/>",
      "<a",
      "<a b>",
      "<a b=1/>",
      "<a b=\"1/>",
      "<a>&unknown;</a>",
      "<a>&amp</a>",
      "<a>&#0;</a>",
      "<a>&#x;</a>",
      "<a>&#200000;</a>",
      "<!DOCTYPE a [<!ENTITY b \"c\">]><a>b</a>",
      "<a><![CDATA[b]]></a>",
      "<!-- <a/>",
      "<?xml <a/>",
      "< a/>",
      std::string("<a>\0</a>", 8),
      deep,
      many + "</r>",
      "<a>" + std::string(65'536, 'x') + "</a>",
  };
  for (const std::string& text : texts) {
    CAPTURE(text.substr(0, 40));
    CHECK_FALSE(read_xml(text));
  }
}

TEST_CASE("an answer may be as deep and as rich as the bounds say") {
  std::string deep, many = "<r>";
  for (int i = 0; i < 16; ++i) deep += "<a>";
  deep += "x";
  for (int i = 0; i < 16; ++i) deep += "</a>";
  for (int i = 0; i < 256; ++i) many += "<a/>";
  CHECK(read_xml(deep));
  CHECK(read_xml(many + "</r>"));
}
