// Whether a value fits a custom field.
#pragma once

#include <openindex/core/result.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

namespace openindex::work {

/// Check every value against the workflow's fields. An empty value fits every field: it clears.
/// @par Errors unknown_field, invalid_field_value (each with all problems; pointers `/fields/<key>`)
Result<void> check_fields(const CompiledWorkflow& workflow, const FieldValues& values);

}  // namespace openindex::work
