// The security token service of AWS: credentials for a role, which last for a while. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>
#include <openindex/provider/aws_identity.hpp>

namespace openindex::providers {

struct AwsRole {
  std::string_view arn;
  std::string_view session_name;      ///< Shown in AWS's own audit.
  std::string_view external_id = {};  ///< What the role's owner agreed on with us; secret.
};

/// Ask for a role, signed with one's own credentials. @par Errors invalid_argument (a region that is not known)
Result<HttpRequest> role_request(const AwsRole& role, std::string_view region, const AwsCredentials& own, Time now);

/// Ask for a role with a token of an identity provider, which is the proof. `region` empty: of no region.
/// @par Errors invalid_argument (a region that is not known)
Result<HttpRequest> web_role_request(const AwsRole& role, std::string_view region, std::string_view token);

/// Tell whether `read_role` says that AWS refuses who asks for the role, and not the role.
bool is_about_host(const Error& refusal);

/// Read the answer to either. Nothing that the server wrote gets into an error.
/// @par Errors the provider_* codes; provider_unauthorized when the role is not given
Result<AwsCredentials> read_role(const HttpResponse& response, Time now);

/// Tell whether these can sign and be sent: printable, and none but the session token empty.
bool are_sound(const AwsCredentials& credentials) noexcept;

}  // namespace openindex::providers
