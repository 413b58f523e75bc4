// BSON by the examples of its specification, and by bytes that are none.
#include "provider/protocols/bson.hpp"

#include <doctest/doctest.h>

#include "provider/protocols/wire.hpp"

using namespace openindex;
using providers::BsonReader;
using providers::BsonWriter;
using providers::little_endian;

namespace {

std::string document(const std::string& members) {
  return little_endian(static_cast<std::uint32_t>(members.size() + 5), 4) + members + '\0';
}

std::string member(char type, const std::string& value) { return type + std::string("a\0", 2) + value; }

bool is_read(const std::string& bytes) { return BsonReader::read(bytes).has_value(); }

// bsonspec.org's examples.
const std::string hello_world("\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0", 22);
const std::string awesome(
    "\x31\0\0\0\x04"
    "BSON\0\x26\0\0\0\x02"
    "0\0\x08\0\0\0awesome\0\x01"
    "1\0\x33\x33\x33\x33\x33\x33\x14\x40\x10"
    "2\0\xc2\x07\0\0\0\0",
    49);

}  // namespace

TEST_CASE("BSON is written as its specification's example has it") {
  CHECK(BsonWriter().text("hello", "world").str() == hello_world);
  CHECK(BsonWriter().str() == std::string("\5\0\0\0\0", 5));
  CHECK(BsonWriter().number("a", -2).str() == document(member(0x10, "\xFE\xFF\xFF\xFF")));
  CHECK(BsonWriter().boolean("a", true).boolean("a", false).str() ==
        document(member(8, "\1") + member(8, std::string(1, '\0'))));
  CHECK(BsonWriter().bytes("a", "xy").str() == document(member(5, std::string("\2\0\0\0\0xy", 7))));
  CHECK(BsonWriter().document("a", BsonWriter()).str() == document(member(3, std::string("\5\0\0\0\0", 5))));
}

TEST_CASE("BSON of the specification's examples is read") {
  const auto hello = BsonReader::read(hello_world);
  REQUIRE(hello);
  CHECK(hello->text("hello") == "world");
  CHECK_FALSE(hello->text("hell"));
  CHECK_FALSE(hello->number("hello"));
  CHECK_FALSE(hello->bytes("hello"));
  CHECK_FALSE(hello->lists("hello", "world"));
  const auto list = BsonReader::read(awesome);
  REQUIRE(list);
  CHECK(list->lists("BSON", "awesome"));
  CHECK_FALSE(list->lists("BSON", "awesom"));
  CHECK_FALSE(list->lists("bson", "awesome"));
}

TEST_CASE("numbers of every kind are read, and a boolean is one, too") {
  const struct {
    std::string member;
    std::optional<std::int64_t> number;
  } table[] = {
      {member(0x10, little_endian(7, 4)), 7},
      {member(0x10, little_endian(0xFFFF'FFFF, 4)), -1},
      {member(0x12, little_endian(1, 4) + little_endian(1, 4)), (std::int64_t{1} << 32) + 1},
      {member(1, std::string("\0\0\0\0\0\0\xF0\x3F", 8)), 1},
      {member(1, std::string("\0\0\0\0\0\0\xF8\x7F", 8)), std::nullopt},  // not a number
      {member(1, std::string("\0\0\0\0\0\0\xF0\x7F", 8)), std::nullopt},  // infinite
      {member(8, "\1"), std::nullopt},
  };
  for (const auto& row : table) {
    const std::string bytes = document(row.member);
    const auto read = BsonReader::read(bytes);
    REQUIRE(read);
    CHECK(read->number("a") == row.number);
  }
  const std::string yes = document(member(8, "\1")), one = document(member(0x10, little_endian(1, 4)));
  CHECK(BsonReader::read(yes)->boolean("a") == true);
  CHECK(BsonReader::read(one)->boolean("a") == true);
  CHECK_FALSE(BsonReader::read(one)->boolean("b"));
}

TEST_CASE("members of every kind are passed over, at exactly their size") {
  const std::string text = little_endian(2, 4) + std::string("x\0", 2), empty = document({});
  const std::vector<std::string> members = {
      member(1, std::string(8, 'x')),
      member(2, text),
      member(3, empty),
      member(4, empty),
      member(5, little_endian(1, 4) + std::string("\0x", 2)),
      member(6, {}),
      member(7, std::string(12, 'x')),
      member(8, "\1"),
      member(9, std::string(8, 'x')),
      member(10, {}),
      member(11, std::string("p\0o\0", 4)),
      member(12, text + std::string(12, 'x')),
      member(13, text),
      member(14, text),
      member(15, little_endian(4, 4)),
      member(16, std::string(4, 'x')),
      member(17, std::string(8, 'x')),
      member(18, std::string(8, 'x')),
      member(19, std::string(16, 'x')),
      member(0x7F, {}),
      member(static_cast<char>(0xFF), {}),
  };
  const std::string after = std::string("\x10z\0", 3) + little_endian(42, 4);
  for (const auto& one : members) {
    const std::string bytes = document(one + after);
    CAPTURE(static_cast<int>(one[0]));
    const auto read = BsonReader::read(bytes);
    REQUIRE(read);
    CHECK(read->number("z") == 42);
    for (std::size_t size = 1; size < one.size(); ++size) {  // what is cut is none
      CAPTURE(size);
      CHECK_FALSE(is_read(document(one.substr(0, size))));
    }
  }
}

TEST_CASE("what is no BSON document is refused") {
  for (std::size_t size = 0; size < awesome.size(); ++size) CHECK_FALSE(is_read(awesome.substr(0, size)));
  CHECK_FALSE(is_read(awesome + "x"));
  CHECK_FALSE(is_read(std::string("\4\0\0\0", 4)));
  CHECK_FALSE(is_read(std::string("\5\0\0\0x", 5)));
  CHECK_FALSE(is_read(document(member(0x14, {}))));  // no such kind
  CHECK_FALSE(is_read(document(std::string(1, '\0'))));
  for (const std::uint32_t size : {3u, 0x7FFF'FFFFu, 0xFFFF'FFFFu}) {
    for (const char type : {'\2', '\3', '\4', '\5', '\xC', '\xD', '\xE', '\xF'}) {
      CHECK_FALSE(is_read(document(member(type, little_endian(size, 4) + std::string(1, '\0')))));
    }
  }
  std::string many;
  for (int i = 0; i < 1000; ++i) many += member(10, {});
  CHECK(is_read(document(many)));
  CHECK_FALSE(is_read(document(many + member(10, {}))));
}

TEST_CASE("a text that does not end as texts do, and a list of something else, hold nothing") {
  const std::string endless = document(member(2, little_endian(2, 4) + "xy"));
  REQUIRE(is_read(endless));
  CHECK_FALSE(BsonReader::read(endless)->text("a"));
  const std::string nothing = document(member(2, little_endian(0, 4)));
  REQUIRE(is_read(nothing));
  CHECK_FALSE(BsonReader::read(nothing)->text("a"));
  const std::string broken = document(member(4, little_endian(6, 4) + std::string("\x02\0", 2)));
  REQUIRE(is_read(broken));
  CHECK_FALSE(BsonReader::read(broken)->lists("a", ""));
}
