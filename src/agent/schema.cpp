#include "agent/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"
#include "json/read.hpp"

namespace openindex::agent {
namespace {

using boost::json::object;
using boost::json::value;

constexpr json::Limits schema_limits{.bytes_max = 1024u * 1024, .depth_max = 32, .refuse_duplicates = true};

std::string_view text_of(const value& text) { return {text.get_string().data(), text.get_string().size()}; }

std::string at(const std::string& pointer, std::string_view token) {
  return pointer + "/" + json::escape_pointer(token);
}

// -- What a value is
// ---------------------------------------------------------------------------------------------------

bool is_whole(const value& given) {
  return given.is_int64() || given.is_uint64() ||
         (given.is_double() && std::floor(given.get_double()) == given.get_double());
}

bool is_count(const value& given) { return given.is_number() && is_whole(given) && given.to_number<double>() >= 0; }

struct TypeName {
  std::string_view name;
  std::string_view spoken;
  bool (*fits)(const value&);
};

constexpr std::array<TypeName, 7> types = {{
    {"object", "an object", [](const value& given) { return given.is_object(); }},
    {"array", "an array", [](const value& given) { return given.is_array(); }},
    {"string", "a string", [](const value& given) { return given.is_string(); }},
    {"number", "a number", [](const value& given) { return given.is_number(); }},
    {"integer", "a whole number", [](const value& given) { return given.is_number() && is_whole(given); }},
    {"boolean", "true or false", [](const value& given) { return given.is_bool(); }},
    {"null", "null", [](const value& given) { return given.is_null(); }},
}};

const TypeName* find_type(std::string_view name) {
  const auto* found = std::find_if(types.begin(), types.end(), [&](const TypeName& type) { return type.name == name; });
  return found == types.end() ? nullptr : found;
}

// -- Reading a schema
// --------------------------------------------------------------------------------------------------

class SchemaReader {
 public:
  void read(const value& schema, const std::string& pointer) {
    const auto* members = schema.if_object();
    if (members == nullptr) return problem(pointer, "must be an object");
    for (const auto& member : *members) {
      const std::string_view keyword(member.key().data(), member.key().size());
      read_keyword(keyword, member.value(), at(pointer, keyword));
    }
  }

  std::vector<Problem> problems;

 private:
  void problem(std::string pointer, std::string text) { problems.push_back({std::move(pointer), std::move(text)}); }
  void want(bool good, const std::string& pointer, std::string_view what) {
    if (!good) problem(pointer, "must be " + std::string(what));
  }

  void read_keyword(std::string_view keyword, const value& given, const std::string& pointer) {
    if (keyword == "type") {
      want(given.is_string() && find_type(text_of(given)) != nullptr, pointer,
           "object, array, string, number, integer, boolean or null");
    } else if (keyword == "properties") {
      read_properties(given, pointer);
    } else if (keyword == "required") {
      const auto* names = given.if_array();
      want(names != nullptr && std::all_of(names->begin(), names->end(), std::mem_fn(&value::is_string)), pointer,
           "an array of strings");
    } else if (keyword == "items") {
      read(given, pointer);
    } else if (keyword == "additionalProperties") {
      want(given.is_bool(), pointer, "true or false");
    } else if (keyword == "enum") {
      want(given.is_array() && !given.get_array().empty(), pointer, "an array that is not empty");
    } else if (keyword == "minimum" || keyword == "maximum") {
      want(given.is_number(), pointer, "a number");
    } else if (keyword == "minLength" || keyword == "maxLength" || keyword == "minItems" || keyword == "maxItems") {
      want(is_count(given), pointer, "a whole number from 0");
    } else if (keyword == "description" || keyword == "title") {
      want(given.is_string(), pointer, "a string");
    } else if (keyword != "const" && keyword != "default") {
      problem(pointer, "is no keyword that arguments are checked against");
    }
  }

  void read_properties(const value& given, const std::string& pointer) {
    if (!given.is_object()) return problem(pointer, "must be an object");
    for (const auto& property : given.get_object()) {
      read(property.value(), at(pointer, std::string_view(property.key().data(), property.key().size())));
    }
  }
};

// -- Checking arguments
// ------------------------------------------------------------------------------------------------

// Everything a model wrote wrong, within what it will read.
constexpr std::size_t problems_max = 20;
constexpr std::size_t problem_bytes_max = 500;

// In a schema 1 and 1.0 are the same number.
bool same(const value& left, const value& right) {
  if (left.is_number() && right.is_number()) return left.to_number<double>() == right.to_number<double>();
  return left == right;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

class ArgumentCheck {
 public:
  // The arguments are walked no deeper than the schema, whose depth is bounded.
  void check(const object& schema, const value& given, const std::string& pointer) {
    if (const auto* type = schema.if_contains("type")) {
      const TypeName& wanted = *find_type(text_of(*type));
      if (!wanted.fits(given)) return problem(pointer, fmt::format("must be {}", wanted.spoken));
    }
    check_choice(schema, given, pointer);
    if (given.is_object()) check_object(schema, given.get_object(), pointer);
    if (given.is_array()) check_array(schema, given.get_array(), pointer);
    if (given.is_number()) check_range(schema, given.to_number<double>(), "minimum", "maximum", "", pointer);
    if (given.is_string()) {
      const auto length = static_cast<double>(characters(text_of(given)));
      check_range(schema, length, "minLength", "maxLength", " characters long", pointer);
    }
  }

  std::vector<Problem> problems;

 private:
  void problem(const std::string& pointer, const std::string& text) {
    if (problems.size() == problems_max) return;
    problems.push_back(
        {std::string(cut_utf8(pointer, problem_bytes_max)), std::string(cut_utf8(text, problem_bytes_max))});
  }

  void check_choice(const object& schema, const value& given, const std::string& pointer) {
    if (const auto* only = schema.if_contains("const"); only != nullptr && !same(*only, given)) {
      problem(pointer, "must be " + boost::json::serialize(*only));
    }
    const auto* choices = schema.if_contains("enum");
    if (choices == nullptr) return;
    const auto& allowed = choices->get_array();
    if (std::any_of(allowed.begin(), allowed.end(), [&](const value& choice) { return same(choice, given); })) return;
    problem(pointer, "must be one of " + boost::json::serialize(allowed));
  }

  void check_range(const object& schema, double size, std::string_view least, std::string_view most,
                   std::string_view unit, const std::string& pointer) {
    const auto* minimum = schema.if_contains(least);
    const auto* maximum = schema.if_contains(most);
    if (minimum != nullptr && size < minimum->to_number<double>()) {
      problem(pointer, fmt::format("must be at least {}{}", minimum->to_number<double>(), unit));
    }
    if (maximum != nullptr && size > maximum->to_number<double>()) {
      problem(pointer, fmt::format("must be at most {}{}", maximum->to_number<double>(), unit));
    }
  }

  void check_object(const object& schema, const object& given, const std::string& pointer) {
    if (const auto* required = schema.if_contains("required")) {
      for (const auto& name : required->get_array()) {
        if (!given.contains(text_of(name))) problem(at(pointer, text_of(name)), "is required");
      }
    }
    const auto* properties = schema.if_contains("properties");
    const auto* additional = schema.if_contains("additionalProperties");
    const bool closed = additional != nullptr && !additional->get_bool();
    for (const auto& member : given) {
      const std::string_view name(member.key().data(), member.key().size());
      const auto* property = properties == nullptr ? nullptr : properties->get_object().if_contains(name);
      if (property != nullptr) {
        check(property->get_object(), member.value(), at(pointer, name));
      } else if (closed) {
        problem(at(pointer, name), "is not a known member");
      }
    }
  }

  void check_array(const object& schema, const boost::json::array& given, const std::string& pointer) {
    check_range(schema, static_cast<double>(given.size()), "minItems", "maxItems", " elements long", pointer);
    const auto* items = schema.if_contains("items");
    if (items == nullptr) return;
    for (std::size_t i = 0; i < given.size(); ++i) check(items->get_object(), given[i], at(pointer, std::to_string(i)));
  }
};

}  // namespace

Result<value> read_schema(std::string_view schema) {
  auto parsed = json::parse(schema, schema_limits);
  if (!parsed) return parsed.error();
  SchemaReader reader;
  reader.read(*parsed, "");
  const auto* type = parsed->is_object() ? parsed->get_object().if_contains("type") : nullptr;
  if (parsed->is_object() && (type == nullptr || !same(*type, "object"))) {
    reader.problems.push_back({"/type", "must be object: arguments are an object"});
  }
  if (reader.problems.empty()) return parsed;
  return Error(errc::invalid_definition, "The schema of a tool's arguments is not valid")
      .with_problems(std::move(reader.problems));
}

Result<void> check_arguments(const value& schema, const value& arguments) {
  ArgumentCheck check;
  check.check(schema.get_object(), arguments, "");
  if (check.problems.empty()) return {};
  return Error(errc::invalid_argument, "The arguments do not fit the tool's schema")
      .with_problems(std::move(check.problems));
}

}  // namespace openindex::agent
