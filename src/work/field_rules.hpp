// Whether a value fits a custom field.
#pragma once

#include <openindex/core/result.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

namespace openindex::work {

/// Check every value against the workflow's fields. An empty value fits every field: it clears.
/// @par Errors unknown_field, invalid_field_value (each with all problems; pointers `/fields/<key>`)
Result<void> check_fields(const CompiledWorkflow& workflow, const FieldValues& values);

/// Say that a field needs a value, and of what type. @pre the workflow has the field
Problem field_required(const CompiledWorkflow& workflow, std::string_view key);

/// Keys of all fields.
std::vector<std::string> field_keys(const CompiledWorkflow& workflow);

}  // namespace openindex::work
