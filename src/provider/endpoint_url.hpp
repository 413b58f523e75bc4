// The base URL of a provider: is it one, and do two of them name the same place?
#pragma once

#include <string>
#include <string_view>

namespace openindex::providers {

/// Say what is wrong with an endpoint; empty when nothing is. Never quotes it: somebody may have put a key there.
std::string_view endpoint_problem(std::string_view url);

/// Spell an endpoint in the one way that compares: lower-case scheme and host, explicit port, no trailing slash.
/// @pre endpoint_problem(url) is empty
std::string canonical_endpoint(std::string_view url);

}  // namespace openindex::providers
