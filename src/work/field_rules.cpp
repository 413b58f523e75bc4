#include "work/field_rules.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"

namespace openindex::work {
namespace {

// Grows once: what a refusal allocates is its error and no more.
std::string around(std::string_view before, const std::vector<std::string>& options, std::string_view after) {
  std::size_t bytes = before.size() + after.size();
  for (const auto& option : options) bytes += option.size() + std::string_view("'', ").size();
  std::string out;
  out.reserve(bytes);
  out += before;
  for (const auto& option : options) {
    if (&option != &options.front()) out += ", ";
    out.append("'").append(option).append("'");
  }
  out += after;
  return out;
}

std::string misfit_number(const Field& field, const FieldValue& value) {
  const double* number = value.number();
  if (number == nullptr || !std::isfinite(*number)) return "must be a number";
  if (field.minimum && *number < *field.minimum) return fmt::format("must be at least {}", *field.minimum);
  if (field.maximum && *number > *field.maximum) return fmt::format("must be at most {}", *field.maximum);
  return {};
}

std::string misfit_text(const CompiledWorkflow& workflow, FieldIndex index, const FieldValue& value) {
  const Field& field = workflow.definition().fields[index];
  const std::string* text = value.text();
  if (text == nullptr) return "must be a text";
  if (text->size() > field.bytes_max) return fmt::format("is {} bytes long; at most {}", text->size(), field.bytes_max);
  if (text->size() < field.bytes_min)
    return fmt::format("is {} bytes long; at least {}", text->size(), field.bytes_min);
  if (!is_utf8(*text)) return "must be UTF-8";
  switch (workflow.fit_pattern(index, *text)) {
    case PatternFit::fits:
      return {};
    case PatternFit::differs:
      return fmt::format("must match the pattern {} as a whole", field.pattern);
    case PatternFit::too_involved:
      break;
  }
  return fmt::format("cannot be matched with the pattern {} in reasonable time; must match it as a whole",
                     field.pattern);
}

std::string misfit_date(const Field& field, const FieldValue& value) {
  const Date* date = value.date();
  if (date == nullptr || !date->ok()) return "must be a date, YYYY-MM-DD";
  if (field.earliest && *date < *field.earliest) return fmt::format("must be {} or later", to_text(*field.earliest));
  if (field.latest && *date > *field.latest) return fmt::format("must be {} or earlier", to_text(*field.latest));
  return {};
}

// Says what is wrong with a value; empty: it fits.
std::string misfit(const CompiledWorkflow& workflow, FieldIndex index, const FieldValue& value) {
  if (value.empty()) return {};
  const Field& field = workflow.definition().fields[index];
  switch (field.type) {
    case FieldType::text:
      return misfit_text(workflow, index, value);
    case FieldType::number:
      return misfit_number(field, value);
    case FieldType::date:
      return misfit_date(field, value);
    case FieldType::select:
      break;
  }
  const std::string* text = value.text();
  const bool known =
      text != nullptr && std::find(field.options.begin(), field.options.end(), *text) != field.options.end();
  return known ? "" : around("must be one of ", field.options, "");
}

std::string wanted(const Field& field) {
  switch (field.type) {
    case FieldType::text:
      return "a text is required";
    case FieldType::number:
      return "a number is required";
    case FieldType::date:
      return "a date, YYYY-MM-DD, is required";
    case FieldType::select:
      break;
  }
  return around("one of ", field.options, " is required");
}

}  // namespace

Problem field_required(const CompiledWorkflow& workflow, std::string_view key) {
  return {fmt::format("/fields/{}", key), wanted(workflow.definition().fields[*workflow.find_field(key)])};
}

std::vector<std::string> field_keys(const CompiledWorkflow& workflow) {
  std::vector<std::string> out;
  out.reserve(workflow.definition().fields.size());
  for (const Field& field : workflow.definition().fields) out.push_back(field.key);
  return out;
}

Result<void> check_fields(const CompiledWorkflow& workflow, const FieldValues& values) {
  std::vector<Problem> problems;
  const auto add = [&](const std::string& key, std::string text) {
    if (problems.empty()) problems.reserve(values.size());
    problems.push_back({json::escape_pointer(key, "/fields/"), std::move(text)});
  };
  for (const auto& [key, value] : values) {
    if (!workflow.find_field(key)) add(key, "is no field of the workflow");
  }
  if (!problems.empty()) {
    return Error(errc::unknown_field).with_problems(std::move(problems)).with_allowed(field_keys(workflow));
  }
  std::optional<FieldIndex> first;
  for (const auto& [key, value] : values) {
    const FieldIndex index = *workflow.find_field(key);
    auto text = misfit(workflow, index, value);
    if (text.empty()) continue;
    if (!first) first = index;
    add(key, std::move(text));
  }
  if (!first) return {};
  const Field& field = workflow.definition().fields[*first];
  return Error(errc::invalid_field_value)
      .with("field", field.key)
      .with_problems(std::move(problems))
      .with_allowed(field.options);
}

}  // namespace openindex::work
