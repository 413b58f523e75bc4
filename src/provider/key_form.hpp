// What the value of a configuration key must look like. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <openindex/provider/provider_catalog.hpp>

namespace openindex::providers {

/// Say what is wrong with one value of a key's form; empty when nothing is. Never quotes the value.
std::string_view value_problem(KeyForm form, std::string_view value);

/// Tell whether keys of this form say where secrets go.
bool names_server(KeyForm form) noexcept;

/// Spell a value in the one way that compares, when it is valid.
std::string canonical_value(KeyForm form, std::string_view value);

}  // namespace openindex::providers
