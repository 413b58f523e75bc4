#include "work/field_rules.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "json/object_reader.hpp"

namespace openindex::work {
namespace {

std::string quoted(const std::vector<std::string>& options) {
  std::string out;
  for (const auto& option : options) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", option);
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
  return known ? "" : "must be one of " + quoted(field.options);
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
  return fmt::format("one of {} is required", quoted(field.options));
}

}  // namespace

Problem field_required(const CompiledWorkflow& workflow, std::string_view key) {
  return {fmt::format("/fields/{}", key), wanted(workflow.definition().fields[*workflow.find_field(key)])};
}

std::vector<std::string> field_keys(const CompiledWorkflow& workflow) {
  std::vector<std::string> out;
  for (const Field& field : workflow.definition().fields) out.push_back(field.key);
  return out;
}

Result<void> check_fields(const CompiledWorkflow& workflow, const FieldValues& values) {
  std::vector<Problem> unknown;
  std::vector<Problem> misfits;
  for (const auto& [key, value] : values) {
    const auto index = workflow.find_field(key);
    if (!index) {
      unknown.push_back({"/fields/" + json::escape_pointer(key), "is no field of the workflow"});
    } else if (auto text = misfit(workflow, *index, value); !text.empty()) {
      misfits.push_back({"/fields/" + key, std::move(text)});
    }
  }
  if (!unknown.empty()) {
    return Error(errc::unknown_field).with_problems(std::move(unknown)).with_allowed(field_keys(workflow));
  }
  if (!misfits.empty()) {
    const std::string key = misfits.front().pointer.substr(std::string_view("/fields/").size());
    return Error(errc::invalid_field_value)
        .with("field", key)
        .with_problems(std::move(misfits))
        .with_allowed(workflow.definition().fields[*workflow.find_field(key)].options);
  }
  return {};
}

}  // namespace openindex::work
