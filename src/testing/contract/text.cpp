// What text may be stored: bodies of any bytes, names and index text of any plain UTF-8, and nothing of it changed.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

constexpr std::uint32_t plane_size = 0x10000;
constexpr std::uint32_t plane_count = 17;

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

std::string character(std::uint32_t point) {
  std::string text;
  append_utf8(text, point);
  return text;
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

/// Bytes of which no two stretches are alike, so that nothing can be dropped, doubled or moved unnoticed.
std::string patterned(std::size_t size, std::uint32_t seed) {
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    seed = seed * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

/// Put each body, and read it in every way there is.
Result<void> keep(Trial& trial, const std::vector<std::string>& bodies) {
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto key = std::to_string(i);
    trial.put(key, bodies[i], {in_due("hold", 1, key)});
    trial.that("body " + key + " comes back from a get", trial.get(named(key)).body == bodies[i]);
    const auto page = trial.scan({.index = Index::due, .prefix = {"hold", 1, key}});
    trial.that("body " + key + " comes back from a scan", page.rows.size() == 1 && page.rows[0].body == bodies[i]);
  }
  return trial.verdict();
}

Result<void> bodies_of_any_bytes_come_back(const StorageUnderTest& tested) {
  Trial trial(tested);
  return keep(trial,
              {"", " ", "{}", "null", every_byte(), "\xff\xfe not UTF-8", "cut \xe2\x82", "\xed\xa0\x80", "\xc0\x80",
               "\xf4\x90\x80\x80", patterned(10'000, 1), "\r\n\r", "\x1a", "'; DROP TABLE records; --"});
}

Result<void> nul_bytes_come_back(const StorageUnderTest& tested) {
  Trial trial(tested);
  std::vector<std::string> bodies = {std::string("before\0after", 12), std::string("\0first", 6),
                                     std::string("last\0", 5), std::string("{\"a\":\"\0\"}", 9)};
  for (const std::size_t size : {1U, 2U, 3U, 4'096U, 1'000'000U}) bodies.emplace_back(size, '\0');
  return keep(trial, bodies);
}

Result<void> every_plane_of_unicode_comes_back(const StorageUnderTest& tested) {
  Trial trial(tested);
  std::vector<std::string> bodies;
  for (std::uint32_t plane = 0; plane < plane_count; ++plane) {
    bodies.push_back(characters(plane * plane_size, (plane + 1) * plane_size));
  }
  bodies.push_back(character(0xfeff) + "behind a byte order mark");
  bodies.push_back("e" + character(0x301) + " is not " + character(0xe9));
  return keep(trial, bodies);
}

Result<void> bodies_of_a_megabyte_come_back(const StorageUnderTest& tested) {
  constexpr std::size_t megabyte = 1'000'000;
  Trial trial(tested);
  ChangeSet many = putting({});
  for (std::uint32_t i = 0; i < 6; ++i) {
    many.puts.push_back({named("many " + std::to_string(i)), patterned(megabyte + i, i), {}});
  }
  trial.commit(many);
  for (const auto& put : many.puts) trial.that(put.id.key + " of one set", trial.get(put.id).body == put.body);
  const auto page = trial.scan({.index = Index::key, .prefix = {"host.contract"}});
  trial.equal("a page of large rows is whole", page.rows.size(), many.puts.size());
  for (std::size_t i = 0; i < page.rows.size() && i < many.puts.size(); ++i) {
    trial.that("a large row of a page", page.rows[i].body == many.puts[i].body);
  }
  trial.put("many 0", "small");
  trial.that("a small body replaces a large one", trial.get(named("many 0")).body == "small");
  return keep(
      trial, {patterned(65'535, 7), patterned(65'536, 8), patterned(megabyte, 9), patterned(std::size_t{4} << 20, 10)});
}

Result<void> what_is_not_understood_is_kept(const StorageUnderTest& tested) {
  Trial trial(tested);
  const std::vector<std::string> bodies = {
      R"({"known":1,"unknown_member":{"deep":[1,2,{"er":null}]}})",
      R"({ "b" : 1 ,  "a":2, "a":3 })",
      R"([1.0, 1e2, -0, 12345678901234567890123, 0.1000])",
      R"({"text":"\u0000\/\u00e9\ud83d\ude00"})",
      "{}\n\n",
      R"({"cut)",
  };
  const std::vector<std::string> kinds = {"host.contract", "kind.of_tomorrow", "a", std::string(40, 'z'), "_", "host"};
  for (const auto& kind : kinds) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const RecordId id{kind, std::to_string(i)};
      trial.commit(putting({{id, bodies[i], {}}}));
      const auto record = trial.get(id);
      trial.equal("a body is kept as it is written", record.body, bodies[i]);
      trial.that("under the kind it was given", record.id == id);
    }
    trial.equal("each kind has its records", trial.count({.index = Index::key, .prefix = {kind}}),
                std::uint64_t{bodies.size()});
  }
  return trial.verdict();
}

/// Texts of no control characters that somebody might take for one another, or for something else, in order of bytes.
std::vector<std::string> plain_texts() {
  std::vector<std::string> texts = {
      " ", "  ", "' OR 1=1 --", "%", "*", "A", "A ", "\\0", "_", "a", "a ", "a b'\"%_\\;--/*", "e" + character(0x301),
      "ss"};
  for (const std::uint32_t point : {0xa0U, 0xadU, 0xdfU, 0xe9U, 0x130U, 0x131U, 0x301U, 0x200bU, 0x200dU, 0x2028U,
                                    0x202eU, 0xd7ffU, 0xe000U, 0xfdd0U, 0xfeffU, 0xfffdU, 0xfffeU, 0xffffU}) {
    texts.push_back(character(point));
  }
  for (std::uint32_t plane = 1; plane < plane_count; ++plane) {
    for (const std::uint32_t place : {0U, 0xf600U, 0xfffeU, 0xffffU})
      texts.push_back(character(plane * plane_size + place));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

Result<void> names_and_index_text_may_be_any_plain_text(const StorageUnderTest& tested) {
  Trial trial(tested);
  const auto texts = plain_texts();
  for (const auto& text : texts) trial.put(text, text, {in_due(text, 1, text)});
  for (const auto& text : texts) {
    const auto record = trial.get(named(text));
    trial.that(fmt::format("the record {} is found by its key", text), record.id.key == text && record.body == text);
    trial.equal("and by its entry", trial.keys({.index = Index::due, .prefix = {text, 1, text}}), Keys{text});
    trial.equal("and by a predicate",
                trial.keys({.index = Index::due, .prefix = {}, .where = {{2, Predicate::Op::equal, text}}}),
                Keys{text});
  }
  trial.equal("keys stand in the order of their bytes",
              trial.keys({.index = Index::key, .prefix = {}, .limit_count = 1000}), texts);
  trial.equal("and so does index text", trial.keys({.index = Index::due, .prefix = {}, .limit_count = 1000}), texts);
  trial.equal("page by page, too", trial.all_keys({.index = Index::due, .prefix = {}, .limit_count = 7}), texts);
  return trial.verdict();
}

Result<void> the_longest_and_the_shortest_texts_are_kept(const StorageUnderTest& tested) {
  Trial trial(tested);
  const std::string key(400, 'k');
  const std::string wide = characters(0x10000, 0x10000 + 125);  // 500 bytes
  trial.put(key, "{}", {in_due("hold", 1, std::string(500, 's'))});
  trial.put("wide", "{}", {in_due(wide, 1, wide)});
  trial.put("empty text", "{}", {in_due("", 0, "")});
  trial.that("the longest key and entry",
             trial.get(named(key)).index == std::vector{in_due("hold", 1, std::string(500, 's'))});
  trial.that("bounds count bytes", trial.get(named("wide")).index == std::vector{in_due(wide, 1, wide)});
  trial.equal("empty text is text", trial.keys({.index = Index::due, .prefix = {""}}), Keys{"empty text"});
  trial.equal("pages of the longest places", trial.all_keys({.index = Index::due, .prefix = {}, .limit_count = 1}),
              Keys{"empty text", key, "wide"});
  return trial.verdict();
}

/// Text that no name and no index field may hold.
std::vector<std::string> refused_texts() {
  std::vector<std::string> texts = {
      "\xff", "cut \xe2\x82", "overlong \xc0\xaf", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"};
  for (std::uint32_t point = 0; point < 0xa0; ++point) {
    if (point < 0x20 || point >= 0x7f) texts.push_back("in" + character(point) + "side");
  }
  for (const auto* control : {"\t", "\n", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"}) {
    texts.emplace_back(control);
    texts.push_back("last" + std::string(control));
    texts.push_back(control + std::string("first"));
  }
  texts.emplace_back("nul\0", 4);
  texts.emplace_back(1, '\0');
  return texts;
}

Result<void> names_refuse_control_characters(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("nul");
  for (const auto& text : refused_texts()) {
    trial.refuse("a key is plain text", errc::invalid_argument, putting({{named(text), "{}", {}}}));
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
  trial.equal("nothing was written", trial.keys({.index = Index::key, .prefix = {}}), Keys{"nul"});
  return trial.verdict();
}

/// An entry with a small value in every field.
IndexEntry plain_entry(const IndexSchema& schema) {
  IndexEntry entry{schema.index, {}};
  for (const auto& field : schema.fields) {
    entry.values.push_back(field.type == IndexType::text ? IndexValue("a") : IndexValue(1));
  }
  return entry;
}

Result<void> index_fields_refuse_control_characters(const StorageUnderTest& tested) {
  Trial trial(tested);
  const auto texts = refused_texts();
  for (const auto& schema : index_schemas().subspan(1)) {
    for (std::size_t field = 0; field < schema.fields.size(); ++field) {
      if (schema.fields[field].type != IndexType::text) continue;
      for (const auto& text : texts) {
        auto entry = plain_entry(schema);
        entry.values[field] = text;
        const auto error = trial.refuse("index text is plain text", errc::invalid_argument,
                                        putting({{named("good"), "{}", {}}, {named("a"), "{}", {entry}}}));
        trial.equal("the error names the field", error.context("field"),
                    std::string_view(fmt::format("{}.{}", schema.name, schema.fields[field].name)));
        trial.equal("and the record", error.context("key"), std::string_view("a"));
      }
    }
  }
  ChangeSet appends = putting({});
  appends.appends = {{named("a"), "{}", {in_due("hold", 1, "tab\t")}}};
  trial.refuse("of an append, too", errc::invalid_argument, appends);
  trial.equal("nothing was written", trial.count({.index = Index::key, .prefix = {}}), std::uint64_t{0});
  return trial.verdict();
}

Result<void> text_that_cannot_be_stored_is_not_found(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (const std::string key : {"nul", "in", "last", "first", "overlong ", "cut "})
    trial.put(key, "{}", {in_due(key, 1, key)});
  const auto finds_nothing = [&](std::string_view fact, const ScanRequest& request) {
    const auto page = trial.storage().scan(request);
    trial.that(fact, page ? page->rows.empty() : page.error().code() == errc::invalid_argument);
  };
  for (const auto& text : refused_texts()) {
    trial.that("a get by text that is no key", !trial.exists(named(text)));
    finds_nothing("a scan by text that no field holds", {.index = Index::due, .prefix = {text}});
    finds_nothing("a scan by text that is no key", {.index = Index::key, .prefix = {"host.contract", text}});
    finds_nothing("a predicate", {.index = Index::due, .prefix = {}, .where = {{2, Predicate::Op::equal, text}}});
  }
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> text_cases() {
  return {
      {"bodies of any bytes come back as they were", bodies_of_any_bytes_come_back},
      {"NUL bytes in bodies come back", nul_bytes_come_back},
      {"every character of every Unicode plane comes back in bodies", every_plane_of_unicode_comes_back},
      {"bodies of a megabyte come back, several in one change set", bodies_of_a_megabyte_come_back},
      {"unknown kinds and unknown members are kept as they were", what_is_not_understood_is_kept},
      {"keys and index text may be any plain text", names_and_index_text_may_be_any_plain_text},
      {"the longest and the shortest texts are kept", the_longest_and_the_shortest_texts_are_kept},
      {"keys refuse control characters and broken UTF-8", names_refuse_control_characters},
      {"index fields refuse control characters and broken UTF-8, and the error names the field",
       index_fields_refuse_control_characters},
      {"text that cannot be stored is not found", text_that_cannot_be_stored_is_not_found},
  };
}

}  // namespace openindex::contract
