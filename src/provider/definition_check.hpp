// What a definition that is registered may say. Pure functions.
#pragma once

#include <string>
#include <vector>

#include <openindex/core/error.hpp>
#include <openindex/provider/integration.hpp>

namespace openindex::providers {

/// Note everything that is wrong with a definition, at this place. `former`: as it is registered now; null: it is not.
///
/// Of a type of the catalog it may say how type and keys are called and described. Which keys there are, which of them
/// are secrets, which are needed and what may stand in them is the catalog's: named, they must be the same. Of another
/// type it says all that; but a key stays, and stays a secret or none, for integrations may have it set.
void check_definition(const IntegrationDefinition& wanted, const IntegrationDefinition* former,
                      const std::string& place, std::vector<Problem>& problems);

}  // namespace openindex::providers
