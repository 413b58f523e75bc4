#include "agent/schema.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "json/read.hpp"

using namespace openindex;

namespace {

// The pointers of all problems of a schema.
std::vector<std::string> bad_places(std::string_view schema) {
  const auto read = agent::read_schema(schema);
  std::vector<std::string> places;
  if (!read) {
    for (const auto& problem : read.error().problems()) places.push_back(problem.pointer);
  }
  return places;
}

// Everything wrong with the value of an argument `a`; empty: it fits.
std::string wrong(std::string_view schema_of_a, std::string_view a) {
  const auto schema =
      agent::read_schema(R"({"type":"object","properties":{"a":)" + std::string(schema_of_a) + "}}").value();
  const auto fit = agent::check_arguments(schema, json::parse(R"({"a":)" + std::string(a) + "}").value());
  std::string out;
  if (!fit) {
    for (const auto& problem : fit.error().problems()) out += problem.pointer + " " + problem.text + ";";
  }
  return out;
}

}  // namespace

TEST_CASE("a schema of every keyword that is checked is accepted") {
  CHECK(agent::read_schema(R"({"type":"object","title":"t","description":"d","additionalProperties":false,
      "required":["a"],"properties":{"a":{"type":"array","items":{"type":"integer","minimum":0,"maximum":9},
      "minItems":1,"maxItems":3,"default":[1]},"b":{"type":"string","minLength":1,"maxLength":5,"enum":["x","y"]},
      "c":{"const":null}}})")
            .has_value());
}

TEST_CASE("a schema that is none is refused with every place") {
  CHECK(agent::read_schema("{").error().code() == errc::invalid_json);
  CHECK(agent::read_schema(R"({"type":"object","type":"object"})").error().code() == errc::invalid_json);
  CHECK(agent::read_schema("[]").error().code() == errc::invalid_definition);
  CHECK(bad_places("{}") == std::vector<std::string>{"/type"});
  CHECK(bad_places(R"({"type":"string"})") == std::vector<std::string>{"/type"});
  CHECK(bad_places(R"({"type":"object","properties":{"a":{"pattern":"x"},"b/c":{"type":"text"}},"required":"a",
      "additionalProperties":{}})") == std::vector<std::string>{"/properties/a/pattern", "/properties/b~1c/type",
                                                                "/required", "/additionalProperties"});
  CHECK(bad_places(R"({"type":"object","properties":{"a":{"enum":[],"minLength":-1,"maxItems":1.5,"minimum":"0",
      "items":true,"title":1}}})")
            .size() == 6);
}

TEST_CASE("a schema that is nested without end is refused") {
  std::string schema = R"({"type":"object","properties":{"a":)";
  for (int i = 0; i < 10'000; ++i) schema += R"({"items":)";
  CHECK(agent::read_schema(schema).error().code() == errc::invalid_json);
}

TEST_CASE("types are told apart") {
  CHECK(wrong(R"({"type":"string"})", "1") == "/a must be a string;");
  CHECK(wrong(R"({"type":"number"})", "1").empty());
  CHECK(wrong(R"({"type":"number"})", "1.5").empty());
  CHECK(wrong(R"({"type":"number"})", "\"1\"") == "/a must be a number;");
  CHECK(wrong(R"({"type":"integer"})", "2.0").empty());
  CHECK(wrong(R"({"type":"integer"})", "18446744073709551615").empty());
  CHECK(wrong(R"({"type":"integer"})", "2.5") == "/a must be a whole number;");
  CHECK(wrong(R"({"type":"boolean"})", "0") == "/a must be true or false;");
  CHECK(wrong(R"({"type":"null"})", "false") == "/a must be null;");
  CHECK(wrong(R"({"type":"array"})", "{}") == "/a must be an array;");
  CHECK(wrong(R"({"type":"object"})", "[]") == "/a must be an object;");
}

TEST_CASE("numbers keep their bounds") {
  CHECK(wrong(R"({"minimum":0,"maximum":1})", "0").empty());
  CHECK(wrong(R"({"minimum":0,"maximum":1})", "1.0").empty());
  CHECK(wrong(R"({"minimum":0})", "-0.5") == "/a must be at least 0;");
  CHECK(wrong(R"({"maximum":1})", "1e300") == "/a must be at most 1;");
}

TEST_CASE("the length of a string counts characters and not bytes") {
  CHECK(wrong(R"({"minLength":3,"maxLength":3})", "\"ä漢😀\"").empty());
  CHECK(wrong(R"({"maxLength":3})", "\"ä漢😀x\"") == "/a must be at most 3 characters long;");
  CHECK(wrong(R"({"minLength":1})", "\"\"") == "/a must be at least 1 characters long;");
}

TEST_CASE("arrays keep their bounds and the schema of their elements") {
  CHECK(wrong(R"({"items":{"type":"string"},"minItems":1,"maxItems":2})", R"(["x"])").empty());
  CHECK(wrong(R"({"items":{"type":"string"}})", R"(["x",1,"y",null])") ==
        "/a/1 must be a string;/a/3 must be a string;");
  CHECK(wrong(R"({"minItems":1})", "[]") == "/a must be at least 1 elements long;");
  CHECK(wrong(R"({"maxItems":1})", "[1,2]") == "/a must be at most 1 elements long;");
}

TEST_CASE("enum and const accept the same JSON value") {
  CHECK(wrong(R"({"enum":["x",1,null]})", "1.0").empty());
  CHECK(wrong(R"({"enum":["x",1]})", "\"y\"") == R"(/a must be one of ["x",1];)");
  CHECK(wrong(R"({"const":true})", "true").empty());
  CHECK(wrong(R"({"const":true})", "1") == "/a must be true;");
}

TEST_CASE("objects keep what they require and what they know") {
  constexpr std::string_view closed =
      R"({"type":"object","properties":{"x":{"type":"string"}},"required":["x","y/z"],"additionalProperties":false})";
  CHECK(wrong(closed, R"({"x":"1"})") == "/a/y~1z is required;");
  CHECK(wrong(closed, R"({"x":"1","y/z":2})") == "/a/y~1z is not a known member;");
  CHECK(wrong(R"({"type":"object"})", R"({"anything":1})").empty());
}

TEST_CASE("arguments that are no object are refused") {
  const auto schema = agent::read_schema(R"({"type":"object"})").value();
  CHECK(agent::check_arguments(schema, json::parse("[]").value()).error().code() == errc::invalid_argument);
}

TEST_CASE("a flood of mistakes is reported up to a bound") {
  std::string many = "[1";
  for (int i = 0; i < 1'000; ++i) many += ",1";
  const auto schema = agent::read_schema(R"({"type":"object","properties":{"a":{"items":{"type":"string"}}}})").value();
  const auto fit = agent::check_arguments(schema, json::parse("{\"a\":" + many + "]}").value());
  CHECK(fit.error().problems().size() == 20);
}
