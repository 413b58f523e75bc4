#include <doctest/doctest.h>

#include <thread>

#include <openindex/work/rules.hpp>

#include "workflow/small_definition.hpp"

using namespace openindex;
using namespace std::chrono_literals;

namespace {

// Says why a workflow with this one field refuses a new item with this value; empty: it does not.
std::string refusal(Field field, FieldValue value) {
  Workflow workflow = tests::small_workflow();
  workflow.fields.push_back(std::move(field));
  workflow.fields.back().key = "f";
  const auto compiled = CompiledWorkflow::compile(std::move(workflow), 1);
  REQUIRE(compiled);
  NewItem item;
  item.title = "x";
  item.fields.emplace("f", std::move(value));
  const auto decision = decide_create(**compiled, item, Actor::person("mia"));
  if (decision) return {};
  CHECK(decision.error().code() == errc::invalid_field_value);
  CHECK(decision.error().context("field") == "f");
  REQUIRE(decision.error().problems().size() == 1);
  CHECK(decision.error().problems().front().pointer == "/fields/f");
  return decision.error().problems().front().text;
}

std::string refusal_of(std::string pattern, std::string value) {
  return refusal({.bytes_max = 262'144, .pattern = std::move(pattern)}, std::move(value));
}

}  // namespace

TEST_CASE("a text must match its pattern as a whole") {
  const std::string ticket = R"([A-Z]{2,5}-\d+)";
  CHECK(refusal_of(ticket, "BUG-17").empty());
  CHECK(refusal_of(ticket, "see BUG-17") == R"(must match the pattern [A-Z]{2,5}-\d+ as a whole)");
  CHECK_FALSE(refusal_of(ticket, "BUG-17 ").empty());
  CHECK_FALSE(refusal_of(ticket, "BUG-17\n").empty());
  CHECK_FALSE(refusal_of(ticket, "").empty());
  CHECK_FALSE(refusal_of("^BUG-1$", "BUG-1\n").empty());
  CHECK_FALSE(refusal_of("a|ab", "abb").empty());
  CHECK(refusal_of("a|ab", "ab").empty());
}

TEST_CASE("a pattern sees characters and not bytes") {
  CHECK(refusal_of(".{3}", "äöü").empty());
  CHECK(refusal_of("[äöü€😀]+", "ü€😀ä").empty());
  CHECK_FALSE(refusal_of("[äöü]+", "é").empty());
  CHECK_FALSE(refusal_of(".", "a\xcc\x88").empty());  // a letter and a combining mark are two
}

TEST_CASE("a dot of a pattern stops at the end of a line unless the pattern says otherwise") {
  CHECK_FALSE(refusal_of(".*", "two\nlines").empty());
  CHECK(refusal_of("(?s).*", "two\nlines").empty());
  CHECK_FALSE(refusal_of("a$.^b", "a\nb").empty());
}

TEST_CASE("a pattern that takes for ever is given up, and the value refused") {
  const std::string text = refusal_of("(a+)+b", std::string(40, 'a'));
  CHECK(text == "cannot be matched with the pattern (a+)+b in reasonable time; must match it as a whole");
  CHECK_FALSE(refusal_of("(.*)(.*)(.*)(.*)x", std::string(262'144, 'a')).empty());
  CHECK(refusal_of("[a-z ]*", std::string(262'144, 'a')).empty());
}

TEST_CASE("threads match one compiled pattern at the same time") {
  Workflow workflow = tests::small_workflow();
  workflow.fields.push_back({.key = "f", .pattern = "(a|b)+c"});
  const auto compiled = CompiledWorkflow::compile(std::move(workflow), 1).value();
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& mistakes : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        mistakes += compiled->fit_pattern(0, "ababc") != PatternFit::fits;
        mistakes += compiled->fit_pattern(0, "abab") != PatternFit::differs;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("a text has a shortest and a longest length in bytes") {
  const Field field{.bytes_max = 4, .bytes_min = 2};
  CHECK(refusal(field, "ab").empty());
  CHECK(refusal(field, "abcd").empty());
  CHECK(refusal(field, "a") == "is 1 bytes long; at least 2");
  CHECK(refusal(field, "abcde") == "is 5 bytes long; at most 4");
  CHECK(refusal(field, "") == "is 0 bytes long; at least 2");
}

TEST_CASE("a date has a first and a last day") {
  const Field field{.type = FieldType::date, .earliest = Date(2026y / 1 / 1), .latest = Date(2026y / 12 / 31)};
  CHECK(refusal(field, Date(2026y / 1 / 1)).empty());
  CHECK(refusal(field, Date(2026y / 12 / 31)).empty());
  CHECK(refusal(field, Date(2025y / 12 / 31)) == "must be 2026-01-01 or later");
  CHECK(refusal(field, Date(2027y / 1 / 1)) == "must be 2026-12-31 or earlier");
  CHECK(refusal(field, "2026-06-01") == "must be a date, YYYY-MM-DD");
}

TEST_CASE("clearing a field is always possible") {
  CHECK(refusal({.bytes_min = 2, .pattern = "x+"}, FieldValue()).empty());
  CHECK(refusal({.type = FieldType::date, .earliest = Date(2026y / 1 / 1)}, FieldValue()).empty());
}
