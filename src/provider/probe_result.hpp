// What a test of a provider says, whatever was asked. Pure functions.
//
// A message is ours alone: nothing that a server or the HTTP client wrote gets into it, since either may repeat a
// secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/error.hpp>
#include <openindex/provider/provider.hpp>

namespace openindex::providers {

/// A server has answered.
ProviderTest answered(bool authenticated, bool configured, std::optional<errc> code, std::string text);

/// It has answered that all is well.
ProviderTest accepted(std::string text = "The provider answers and accepts the credential.");

/// No answer came.
ProviderTest unreached(errc code);

/// No token or other grant was given for the credential.
ProviderTest login_failed(const Error& why);

/// No request can be made from the configuration.
ProviderTest not_configured(const Error& why);

/// Nothing was sent, for a reason that is not the configuration's.
ProviderTest untried(std::string_view why);

/// What the status of an answer says that is neither a success nor the refusal of a credential; nothing when it is
/// for the type to say.
std::optional<ProviderTest> judge_status(int status);

}  // namespace openindex::providers
