// The JSON form of a field's value: text, number, or {"date": "YYYY-MM-DD"}.
#pragma once

#include <boost/json/value.hpp>

#include <openindex/workflow/field_value.hpp>

namespace openindex::work {

/// Read a value; anything else reads as empty.
FieldValue read_field_value(const boost::json::value& value);

}  // namespace openindex::work
