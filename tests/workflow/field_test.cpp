#include <doctest/doctest.h>

#include <algorithm>

#include <openindex/workflow/workflow.hpp>

#include "workflow/small_definition.hpp"

using namespace openindex;
using namespace std::chrono_literals;

namespace {

Workflow with_field(Field field) {
  Workflow workflow = tests::small_workflow();
  workflow.fields.push_back(std::move(field));
  return workflow;
}

std::string problem_at(const Result<void>& valid, std::string_view pointer) {
  if (valid) return {};
  for (const Problem& problem : valid.error().problems()) {
    if (problem.pointer == pointer) return problem.text;
  }
  return {};
}

}  // namespace

TEST_CASE("what a field asks of its values survives the way to JSON and back") {
  Workflow workflow = with_field({.key = "ticket", .bytes_max = 20, .bytes_min = 3, .pattern = R"([A-Z]+-\d+)"});
  workflow.fields.push_back(
      {.key = "due", .type = FieldType::date, .earliest = Date(2026y / 1 / 1), .latest = Date(2026y / 12 / 31)});
  const std::string json = workflow.to_json();
  const auto read = Workflow::from_json(json);
  REQUIRE(read);
  CHECK(read->to_json() == json);
  CHECK(read->fields[0].bytes_min == 3);
  CHECK(read->fields[0].pattern == R"([A-Z]+-\d+)");
  CHECK(read->fields[1].earliest == Date(2026y / 1 / 1));
  CHECK(read->fields[1].latest == Date(2026y / 12 / 31));
}

TEST_CASE("a day that the calendar does not have is refused in a definition") {
  std::string json = with_field({.key = "due", .type = FieldType::date, .earliest = Date(2026y / 2 / 28)}).to_json();
  json.replace(json.find("2026-02-28"), 10, "2026-02-30");
  const auto read = Workflow::from_json(json);
  REQUIRE_FALSE(read);
  CHECK(read.error().problems() == std::vector<Problem>{{"/fields/0/earliest", "must be a date, YYYY-MM-DD"}});
}

TEST_CASE("a field that asks for what no value can give is refused with its place") {
  struct Row {
    const char* why;
    Field field;
    const char* pointer;
    const char* text;
  };
  const Row rows[] = {
      {"a pattern that does not compile", {.key = "f", .pattern = "(a"}, "/fields/0/pattern", "no regular expression"},
      {"a pattern that repeats nothing", {.key = "f", .pattern = "*a"}, "/fields/0/pattern", "(character 1)"},
      {"a pattern without an end", {.key = "f", .pattern = "(?R)?a"}, "/fields/0/pattern", "no regular expression"},
      {"a pattern that is too long",
       {.key = "f", .pattern = std::string(201, 'a')},
       "/fields/0/pattern",
       "is 201 bytes long; at most 200"},
      {"a pattern that is not UTF-8", {.key = "f", .pattern = "\xff"}, "/fields/0/pattern", "must be UTF-8"},
      {"a pattern of a number",
       {.key = "f", .type = FieldType::number, .pattern = "1"},
       "/fields/0/pattern",
       "only a text has it"},
      {"a shortest length of a date",
       {.key = "f", .type = FieldType::date, .bytes_min = 1},
       "/fields/0/bytesMin",
       "only a text has it"},
      {"a shortest length above the longest",
       {.key = "f", .bytes_max = 4, .bytes_min = 5},
       "/fields/0/bytesMin",
       "is greater than bytesMax"},
      {"a first day of a text",
       {.key = "f", .earliest = Date(2026y / 1 / 1)},
       "/fields/0/earliest",
       "only a date has it"},
      {"a last day of a text", {.key = "f", .latest = Date(2026y / 1 / 1)}, "/fields/0/latest", "only a date has it"},
      {"a first day after the last",
       {.key = "f", .type = FieldType::date, .earliest = Date(2026y / 1 / 2), .latest = Date(2026y / 1 / 1)},
       "/fields/0/earliest",
       "is after the latest day"},
      {"a day that does not exist",
       {.key = "f", .type = FieldType::date, .latest = Date(2026y / 2 / 30)},
       "/fields/0/latest",
       "must be a day"},
      {"a year that cannot be written",
       {.key = "f", .type = FieldType::date, .latest = Date(12'026y / 1 / 1)},
       "/fields/0/latest",
       "must be a day of the years 0 to 9999"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const std::string text = problem_at(with_field(row.field).validate(), row.pointer);
    CAPTURE(text);
    CHECK(text.find(row.text) != std::string::npos);
  }
}

TEST_CASE("a definition of a hundred thousand mistakes is refused without delay") {
  std::string json = R"({"key": "K", "initialStatus": "s", "statuses": [{})";
  for (int i = 0; i < 100'000; ++i) json += ",{}";
  const auto read = Workflow::from_json(json + "]}");
  REQUIRE_FALSE(read);
  CHECK(read.error().problems().size() == 1001);
  CHECK(read.error().problems().back().text.starts_with("and "));
}
