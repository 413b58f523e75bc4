// The part of JSON Schema that tool arguments are checked against.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include <openindex/core/result.hpp>

namespace openindex::agent {

/// Refuse a schema that is no object schema or uses a keyword that `check_arguments` does not check.
/// @par Errors invalid_json, invalid_definition (problems with pointers)
Result<boost::json::value> read_schema(std::string_view schema);

/// Check arguments that a model wrote. @par Errors invalid_argument (every problem with its pointer)
Result<void> check_arguments(const boost::json::value& schema, const boost::json::value& arguments);

}  // namespace openindex::agent
