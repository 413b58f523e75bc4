// A secret as it is kept in a record: the store's handle, and what may be shown.
#pragma once

#include <map>
#include <string>

#include <openindex/provider/provider.hpp>

namespace openindex::providers {

struct SealedSecret {
  std::string handle;  ///< From the secret store.
  SecretInfo info;
  std::string extra;  ///< Members that this version does not know, `,"name":value…`.
};

/// By key of the configuration.
using SealedSecrets = std::map<std::string, SealedSecret, std::less<>>;

}  // namespace openindex::providers
