// Models that servers of a type are known to offer. Only names that the contracts this library was written from state:
// what a server offers changes by the week, and a name that is wrong is worse than none.
// (provider-wire-apis.md 6 and 12)
#pragma once

#include <string_view>

namespace openindex::providers::catalog {

struct OfferedModel {
  std::string_view type;
  std::string_view model;
};

/// By type and name.
inline constexpr OfferedModel offered_models[] = {
    {"aws_bedrock_anthropic", "anthropic.claude-3-5-sonnet-20240620-v1:0"},
    {"perplexity", "perplexity/sonar"},
};

}  // namespace openindex::providers::catalog
