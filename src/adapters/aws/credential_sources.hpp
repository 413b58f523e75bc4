// Where AWS puts the credentials of a machine or a container, and how to get them from there.
#pragma once

#include <openindex/adapters/aws_default_identity.hpp>
#include <openindex/core/result.hpp>

namespace openindex::aws_chain {

/// Get credentials from the first source that is set up; waits for every answer on the calling thread. Nothing that a
/// server wrote gets into an error.
/// @par Errors secret_unreadable, those of `HttpClient`, the provider_* codes
Result<AwsCredentials> fetch_credentials(const AwsSources& sources, HttpClient& http, Time now);

}  // namespace openindex::aws_chain
