// A receipt by itself: whatever is done to its bytes is refused, at the line where it was done.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "engine/engine_fixture.hpp"

using namespace openindex;
using tests::EngineFixture;

namespace {

// Four entries, with text that JSON escapes and text that it does not.
std::string small_receipt() {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.comment(f.mia, bug, "one"));
  REQUIRE(f.engine.set_fields(f.mia, bug, {{"component", "par\"sér"}}));
  REQUIRE(f.engine.update(f.noa, bug, {.priority = Priority::high}));
  return f.engine.export_receipt(f.host, bug).value();
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(text.substr(at, text.find('\n', at) + 1 - at));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line;
  return text;
}

// Where a receipt is refused: a line, counted from 1.
std::string blamed(const std::string& receipt) {
  const auto verdict = verify_receipt(receipt);
  if (verdict) return "nothing";
  CHECK(verdict.error().code() == errc::receipt_broken);
  return std::string(verdict.error().context("line"));
}

// Written once, so that what was exported by an earlier version stays readable.
// clang-format off
constexpr std::string_view written_by_version_1 =
    R"x({"format":"openindex-audit-receipt","version":1,"stream":"BUG-1","count":3,"head":"c0fccf0ba4e5df4c36d2cfc586764cea832fa448b33e84cee30980815f586c4a"})x" "\n"
    R"x({"number":1,"type":"work_item.created","at":"2026-01-01T00:00:00.000Z","actor":"host","actorKind":"system","stage":"intake","changes":[{"what":"status","after":"new"}],"commit":"c_NDoPaXBZScyqNyC42gnw.2"})x" "\n"
    R"x({"number":2,"type":"work_item.custom_fields_updated","at":"2026-01-01T00:00:00.000Z","actor":"mia","actorKind":"person","stage":"intake","changes":[{"what":"component","after":"par\"sér\\"}],"previous":"4a8ca14661b0d67ea1b01e6086001afe60e994360cf6c6d2bd93731a710e0df0","commit":"c_NDoPaXBZScyqNyC42gnw.3"})x" "\n"
    R"x({"number":3,"type":"work_item.comment_created","at":"2026-01-01T00:00:00.000Z","actor":"noa","actorKind":"person","stage":"intake","changes":[{"what":"comment","after":"(3 bytes)"}],"previous":"bd747c413309416d18558568b43c064191e41e900ec06223c05c05c783a6ec5f","commit":"c_NDoPaXBZScyqNyC42gnw.4"})x" "\n"
    R"x({"format":"openindex-audit-receipt","version":1,"stream":"BUG-1","count":3,"head":"c0fccf0ba4e5df4c36d2cfc586764cea832fa448b33e84cee30980815f586c4a","sha256":"a533c8bc7c85404562b2fa9527bbd0d52db497b19bde2b104d364c2ec00fb9c3"})x" "\n";
// clang-format on

constexpr std::array<std::byte, 32> receipt_key{std::byte{1}, std::byte{2}};

}  // namespace

TEST_CASE("a receipt says what chain it is of and where that stood") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.comment(f.mia, bug, "one"));
  const auto receipt = f.engine.export_receipt(f.host, bug);
  REQUIRE(receipt);
  const auto head = verify_receipt(*receipt);
  REQUIRE(head);
  CHECK(head->stream == "BUG-1");
  CHECK(head->count == 2);
  CHECK(*head == f.engine.audit_head(f.host, bug).value());
}

TEST_CASE("a receipt holds the stored bytes of every entry, one a line") {
  EngineFixture f;
  const ItemKey bug = f.bug();
  REQUIRE(f.engine.comment(f.mia, bug, "one"));
  const auto lines = split(f.engine.export_receipt(f.host, bug).value());
  REQUIRE(lines.size() == 4);
  const std::array ids{RecordId{"audit", "BUG-1/00000001"}, RecordId{"audit", "BUG-1/00000002"}};
  const auto stored = f.memory.get(ids).value();
  CHECK(lines[1] == stored[0]->body + "\n");
  CHECK(lines[2] == stored[1]->body + "\n");
}

TEST_CASE("a changed byte anywhere in a receipt is found in its line") {
  const std::string sound = small_receipt();
  REQUIRE(blamed(sound) == "nothing");
  std::size_t line = 1;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    const char original = sound[i];
    for (const char other : {static_cast<char>(original ^ 1), original == '\n' ? ' ' : '\n', '\0', '\xff'}) {
      CAPTURE(i);
      CAPTURE(static_cast<int>(other));
      std::string changed = sound;
      changed[i] = other;
      CHECK(blamed(changed) == std::to_string(line));
    }
    if (original == '\n') ++line;
  }
}

TEST_CASE("an added or a removed byte anywhere in a receipt is refused") {
  const std::string sound = small_receipt();
  for (std::size_t i = 0; i <= sound.size(); ++i) {
    CAPTURE(i);
    for (const char more : {' ', '\n', '0'}) {
      std::string longer = sound;
      CHECK(blamed(longer.insert(i, 1, more)) != "nothing");
    }
    std::string shorter = sound;
    if (i < sound.size()) CHECK(blamed(shorter.erase(i, 1)) != "nothing");
  }
}

TEST_CASE("a receipt that was cut off anywhere is refused where it ends") {
  const std::string sound = small_receipt();
  for (std::size_t size = 0; size < sound.size(); ++size) {
    CAPTURE(size);
    const std::string cut = sound.substr(0, size);
    CHECK(blamed(cut) == std::to_string(1 + std::count(cut.begin(), cut.end(), '\n')));
  }
}

TEST_CASE("a dropped line of a receipt is found at its place") {
  const auto sound = split(small_receipt());
  for (std::size_t i = 0; i < sound.size(); ++i) {
    CAPTURE(i);
    auto lines = sound;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(blamed(joined(lines)) == std::to_string(i + 1));
  }
}

TEST_CASE("a line of a receipt that is there twice is found at its second place") {
  const auto sound = split(small_receipt());
  for (std::size_t i = 0; i < sound.size(); ++i) {
    CAPTURE(i);
    auto lines = sound;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i), sound[i]);
    CHECK(blamed(joined(lines)) == std::to_string(i + 2));
  }
}

TEST_CASE("lines of a receipt that changed places are found at the first of them") {
  const auto sound = split(small_receipt());
  for (std::size_t i = 0; i < sound.size(); ++i) {
    for (std::size_t j = i + 1; j < sound.size(); ++j) {
      CAPTURE(i);
      CAPTURE(j);
      auto lines = sound;
      std::swap(lines[i], lines[j]);
      CHECK(blamed(joined(lines)) == std::to_string(i + 1));
    }
  }
}

TEST_CASE("the place of a broken receipt is an entry's number where it is an entry") {
  auto lines = split(small_receipt());
  lines[2].replace(lines[2].find("mia"), 3, "eve");
  const auto verdict = verify_receipt(joined(lines));
  REQUIRE_FALSE(verdict);
  CHECK(verdict.error().context("entry") == "2");
  CHECK(verdict.error().context("line") == "3");
}

TEST_CASE("what is no receipt is refused") {
  for (const char* text : {"", "\n", "\n\n\n", "{}", "[]\n[]\n[]\n", "{\"format\":\"openindex-audit-receipt\"}\n"}) {
    CAPTURE(text);
    CHECK(blamed(text) == "1");
  }
}

TEST_CASE("a receipt written by version 1 of the format stays readable") {
  const auto head = verify_receipt(written_by_version_1);
  REQUIRE(head);
  CHECK(*head == AuditHead{"BUG-1", 3, "c0fccf0ba4e5df4c36d2cfc586764cea832fa448b33e84cee30980815f586c4a"});
}

TEST_CASE("a sealed head reads back with its key and with no other") {
  const AuditHead head{"OPS-42", 7, std::string(64, 'a')};
  const std::string line = seal_head(head, receipt_key);
  CHECK(line.find('\n') == std::string::npos);
  const auto opened = open_sealed_head(line, receipt_key);
  REQUIRE(opened);
  CHECK(*opened == head);
  auto other = receipt_key;
  other[31] = std::byte{1};
  CHECK(open_sealed_head(line, other).error().code() == errc::receipt_broken);
}

TEST_CASE("a changed or cut off sealed head is refused") {
  const std::string line = seal_head({"OPS-42", 7, std::string(64, 'a')}, receipt_key);
  for (std::size_t i = 0; i < line.size(); ++i) {
    CAPTURE(i);
    std::string changed = line;
    changed[i] ^= 1;
    CHECK_FALSE(open_sealed_head(changed, receipt_key));
    CHECK_FALSE(open_sealed_head(line.substr(0, i), receipt_key));
  }
  CHECK_FALSE(open_sealed_head(line + "\n", receipt_key));
}

TEST_CASE("a receipt is no sealed head, and its digest no seal") {
  const std::string receipt = small_receipt();
  CHECK_FALSE(open_sealed_head(split(receipt).back(), receipt_key));
}
