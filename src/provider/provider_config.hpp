// What a provider's configuration may hold, by the catalog's rows. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/error.hpp>
#include <openindex/provider/provider.hpp>
#include <openindex/provider/provider_catalog.hpp>
#include <openindex/provider/secret_files.hpp>

namespace openindex::providers {

using KeySet = std::set<std::string, std::less<>>;

/// The keys that are set, with their values; that of a sealed secret is not known and empty.
using SetKeys = std::map<std::string, std::string, std::less<>>;

/// Tell whether two values are the same, spelled as in a form or as on the wire: case, spaces, `/`, `-` and `_` are
/// passed over.
bool is_same(std::string_view one, std::string_view other);

/// Return the variable that a value `env:NAME` names; nullopt when the value is no reference.
std::optional<std::string_view> env_reference(std::string_view value);

/// Return the path that a value `file:PATH` names; nullopt when the value is no such reference.
std::optional<std::string_view> file_reference(std::string_view value);

/// Tell whether a value says where it stands: a variable's, or a file's.
bool is_reference(std::string_view value);

/// Tell whether the host lets configurations name this variable.
bool is_allowed_env(std::string_view variable, std::span<const std::string> allowed_env);

/// What is wrong with a mask that there is nothing behind.
inline constexpr std::string_view mask_without_secret = "is the mask of a secret that is not set here; give its value";

/// What the host lets configurations name.
struct Allowed {
  std::span<const std::string> env = {};
  const SecretFiles* files = nullptr;
};

/// Note what is wrong with each value by itself, and every key that the type does not have. An empty value sets
/// nothing.
void check_values(const ProviderType& type, const ProviderConfig& given, const Allowed& allowed, Validation validation,
                  std::vector<Problem>& problems);

/// Note every key that must be set and is not.
void check_presence(const ProviderType& type, const SetKeys& set, Validation validation,
                    std::vector<Problem>& problems);

/// Note what is wrong with a name.
void check_name(std::string_view name, std::vector<Problem>& problems);

}  // namespace openindex::providers
