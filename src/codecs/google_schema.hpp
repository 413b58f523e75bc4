// Tool schemas as Google's function declarations take them.
#pragma once

#include <string>
#include <string_view>

#include "json/writer.hpp"

namespace openindex::codecs {

/// Write the member that holds the schema: `parameters`, in the subset of OpenAPI that every version of the API takes,
/// or, where the subset cannot say it, `parametersJsonSchema` as it is. A tool without arguments has no member, since
/// an object without properties is refused.
void write_google_schema(json::Writer& writer, std::string_view schema);

}  // namespace openindex::codecs
