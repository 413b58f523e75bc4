// What may be stored: bodies of any bytes, names and index text of plain UTF-8, everything within its bounds.
#include <cstdint>
#include <string>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

void append_utf8(std::string& text, std::uint32_t point) {
  const auto tail = [&](unsigned shift) { text.push_back(static_cast<char>(0x80 | ((point >> shift) & 0x3f))); };
  if (point < 0x80) {
    text.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    text.push_back(static_cast<char>(0xc0 | (point >> 6)));
    tail(0);
  } else if (point < 0x10000) {
    text.push_back(static_cast<char>(0xe0 | (point >> 12)));
    tail(6), tail(0);
  } else {
    text.push_back(static_cast<char>(0xf0 | (point >> 18)));
    tail(12), tail(6), tail(0);
  }
}

/// Every character from one code point up to another; surrogates are none.
std::string characters(std::uint32_t from, std::uint32_t below) {
  std::string text;
  for (std::uint32_t point = from; point < below; ++point) {
    if (point < 0xd800 || point > 0xdfff) append_utf8(text, point);
  }
  return text;
}

std::string every_byte() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

Result<void> bodies_come_back_as_they_were(const StorageFactory& make) {
  Trial trial(make);
  const std::vector<std::string> bodies = {
      "",
      "{}",
      std::string("\0", 1),
      std::string("before\0after", 12),
      every_byte(),
      "\xff\xfe not UTF-8",
      std::string(1'000'000, 'x'),
      std::string(std::size_t{4} << 20, 'y'),
      characters(0, 0x20000),
      characters(0x20000, 0x110000),
  };
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto key = std::to_string(i);
    trial.put(key, bodies[i], {in_due("hold", 1, key)});
    trial.that("body " + key + " comes back from a get", trial.get(named(key)).body == bodies[i]);
    const auto page = trial.scan({.index = Index::due, .prefix = {"hold", 1, key}});
    trial.that("body " + key + " comes back from a scan", page.rows.size() == 1 && page.rows[0].body == bodies[i]);
  }
  return trial.verdict();
}

/// Characters that are anything but ASCII letters, yet no control characters.
const std::string unusual = "a b'\"%_\\;--/*\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf";

Result<void> names_and_index_text_may_be_any_plain_text(const StorageFactory& make) {
  Trial trial(make);
  trial.put(unusual, "{}", {in_due(unusual, 1, unusual)});
  trial.equal("the record is found by its key", trial.get(named(unusual)).id.key, unusual);
  trial.equal("and by its entry", trial.keys({.index = Index::due, .prefix = {unusual, 1, unusual}}), Keys{unusual});
  trial.put(std::string(400, 'k'), "{}", {in_due("hold", 1, std::string(500, 's'))});
  trial.equal("the longest texts are kept",
              trial.get(named(std::string(400, 'k'))).index.at(0) == in_due("hold", 1, std::string(500, 's')), true);
  trial.put("empty text", "{}", {in_due("", 0, "")});
  trial.equal("empty text is text", trial.keys({.index = Index::due, .prefix = {""}}), Keys{"empty text"});
  return trial.verdict();
}

/// Text that no name and no index field may hold.
std::vector<std::string> refused_texts() {
  return {
      std::string("nul\0", 4), "tab\t",    "line\n", "\x1f",         "delete\x7f",        "\xc2\x80",
      "next\xc2\x85",          "\xc2\x9f", "\xff",   "cut \xe2\x82", "overlong \xc0\xaf", "\xed\xa0\x80",
      "\xf4\x90\x80\x80",
  };
}

Result<void> control_characters_and_broken_utf8_are_refused(const StorageFactory& make) {
  Trial trial(make);
  for (const auto& text : refused_texts()) {
    trial.refuse("a key is plain text", errc::invalid_argument, putting({{named(text), "{}", {}}}));
    trial.refuse("index text is plain text", errc::invalid_argument,
                 putting({{named("a"), "{}", {in_due("hold", 1, text)}}}));
    ChangeSet expects = putting({});
    expects.expectations = {{named(text), 0}};
    trial.refuse("an expected key is plain text", errc::invalid_argument, expects);
    ChangeSet erases = putting({});
    erases.erases = {named(text)};
    trial.refuse("an erased key is plain text", errc::invalid_argument, erases);
    ChangeSet appends = putting({});
    appends.appends = {{named(text), "{}", {}}};
    trial.refuse("an appended key is plain text", errc::invalid_argument, appends);
  }
  trial.equal("nothing was written", trial.count({.index = Index::key, .prefix = {}}), std::uint64_t{0});
  return trial.verdict();
}

Result<void> names_have_bounds(const StorageFactory& make) {
  Trial trial(make);
  for (const std::string kind : {"", "Upper", "digit1", "da-sh", "sp ace"}) {
    trial.refuse("kind", errc::invalid_argument, putting({{{kind, "a"}, "{}", {}}}));
  }
  trial.refuse("a long kind", errc::invalid_argument, putting({{{std::string(41, 'k'), "a"}, "{}", {}}}));
  trial.refuse("an empty key", errc::invalid_argument, putting({{named(""), "{}", {}}}));
  trial.refuse("a long key", errc::invalid_argument, putting({{named(std::string(401, 'k')), "{}", {}}}));
  trial.refuse("a long body", errc::invalid_argument,
               putting({{named("a"), std::string((std::size_t{4} << 20) + 1, 'x'), {}}}));
  const auto error =
      trial.refuse("an error names the record", errc::invalid_argument, putting({{{"Bad", "a"}, "", {}}}));
  trial.equal("kind", error.context("kind"), std::string_view("Bad"));
  trial.equal("key", error.context("key"), std::string_view("a"));
  return trial.verdict();
}

Result<void> index_entries_fit_their_index(const StorageFactory& make) {
  Trial trial(make);
  const auto refuse = [&](std::string_view fact, std::vector<IndexEntry> entries) {
    trial.refuse(fact, errc::invalid_argument, putting({{named("a"), "{}", std::move(entries)}}));
  };
  refuse("a value for each field", {{Index::due, {"hold", 1}}});
  refuse("no more values than fields", {{Index::due, {"hold", 1, "a", "b"}}});
  refuse("a number where a number belongs", {{Index::due, {"hold", "1", "a"}}});
  refuse("text where text belongs", {{Index::due, {"hold", 1, 1}}});
  refuse("no long text", {in_due("hold", 1, std::string(501, 's'))});
  refuse("no entry for the key index", {{Index::key, {"host.contract", "a"}}});
  refuse("one entry for an index", {in_due("hold", 1, "a"), in_due("hold", 2, "a")});
  trial.that("nothing was written", !trial.exists(named("a")));
  return trial.verdict();
}

Result<void> a_set_writes_a_record_once(const StorageFactory& make) {
  Trial trial(make);
  const Put put{named("a"), "{}", {}};
  trial.refuse("two puts", errc::invalid_argument, putting({put, put}));
  auto both = putting({put});
  both.appends = {put};
  trial.refuse("a put and an append", errc::invalid_argument, both);
  both.puts.clear();
  both.appends = {put, put};
  trial.refuse("two appends", errc::invalid_argument, both);
  both = putting({put});
  both.erases = {put.id};
  trial.refuse("a put and an erase", errc::invalid_argument, both);
  trial.that("nothing was written", !trial.exists(named("a")));
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> bound_cases() {
  return {
      {"bodies come back byte for byte", bodies_come_back_as_they_were},
      {"keys and index text may be any plain text", names_and_index_text_may_be_any_plain_text},
      {"control characters and broken UTF-8 are refused", control_characters_and_broken_utf8_are_refused},
      {"kinds, keys and bodies have bounds", names_have_bounds},
      {"index entries fit their index", index_entries_fit_their_index},
      {"a change set writes a record once", a_set_writes_a_record_once},
  };
}

}  // namespace openindex::contract
