#include "codecs/google_schema.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "codecs/reply_reader.hpp"
#include "json/read.hpp"

namespace openindex::codecs {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::array<std::string_view, 16> kept = {
    "type",      "format",    "title",   "description", "minItems", "maxItems", "minProperties", "maxProperties",
    "minLength", "maxLength", "pattern", "minimum",     "maximum",  "required", "default",       "nullable"};

// What may go without changing which arguments are asked for; they are checked when they come.
constexpr std::array<std::string_view, 6> dropped = {
    "additionalProperties", "$schema", "$id", "$comment", "examples", "strict"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<value> subset_of(const value& schema);

std::optional<value> subset_of_each(const value& members) {
  if (const auto* list = members.if_array()) {
    array out;
    for (const auto& entry : *list) {
      auto inner = subset_of(entry);
      if (!inner) return std::nullopt;
      out.push_back(std::move(*inner));
    }
    return out;
  }
  if (!members.is_object()) return std::nullopt;
  object out;
  for (const auto& entry : members.get_object()) {
    auto inner = subset_of(entry.value());
    if (!inner) return std::nullopt;
    out.emplace(entry.key(), std::move(*inner));
  }
  return out;
}

// `["string", "null"]` is said as a nullable string; other unions cannot be.
bool add_type(object& out, const value& type) {
  if (type.is_string()) {
    out.emplace("type", type);
    return true;
  }
  if (!type.is_array()) return false;
  for (const auto& entry : type.get_array()) {
    if (entry == "null") {
      out.insert_or_assign("nullable", true);
    } else if (!out.emplace("type", entry).second) {
      return false;
    }
  }
  return out.contains("type");
}

// An enumeration has strings only.
bool add_enum(object& out, const value& options) {
  const auto* list = options.if_array();
  if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const value& v) { return v.is_string(); })) {
    return false;
  }
  out.insert_or_assign("enum", *list);
  out.emplace("type", "string");
  return true;
}

bool add_inner(object& out, std::string_view name, const value& inner) {
  auto subset = name == "items" ? subset_of(inner) : subset_of_each(inner);
  if (subset) out.insert_or_assign(name, std::move(*subset));
  return subset.has_value();
}

bool add_member(object& out, std::string_view name, const value& held) {
  if (is_one_of(dropped, name)) return true;
  if (name == "type") return add_type(out, held);
  if (name == "enum") return add_enum(out, held);
  if (name == "const") return add_enum(out, array{held});
  if (name == "oneOf") return add_inner(out, "anyOf", held);
  if (name == "properties" || name == "items" || name == "anyOf") return add_inner(out, name, held);
  if (!is_one_of(kept, name)) return false;
  out.insert_or_assign(name, held);
  return true;
}

bool has_properties(const object& schema) {
  const auto* properties = object_member(schema, "properties");
  return properties != nullptr && !properties->empty();
}

std::optional<value> subset_of(const value& schema) {
  if (!schema.is_object()) return std::nullopt;
  object out;
  for (const auto& entry : schema.get_object()) {
    if (!add_member(out, entry.key(), entry.value())) return std::nullopt;
  }
  if (text_member(out, "type") == "object" && !has_properties(out)) return std::nullopt;
  return out;
}

// Nothing to ask for, and nothing else that would be taken.
bool asks_nothing(const object& schema) {
  const auto* open = member(schema, "additionalProperties");
  const bool closed = open == nullptr || *open == value(false);
  return closed && !has_properties(schema) && !schema.contains("$ref") && !schema.contains("anyOf") &&
         !schema.contains("oneOf") && !schema.contains("allOf") && !schema.contains("patternProperties");
}

}  // namespace

void write_google_schema(json::Writer& writer, std::string_view schema) {
  const auto parsed = json::parse(schema);
  if (!parsed || !parsed->is_object() || asks_nothing(parsed->get_object())) return;
  if (const auto subset = subset_of(*parsed)) {
    writer.key("parameters").raw(boost::json::serialize(*subset));
  } else {
    writer.key("parametersJsonSchema").raw(schema);
  }
}

}  // namespace openindex::codecs
