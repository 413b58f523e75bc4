// Keys of the types that are clouds, or services of one. (conductor-integrations.md 8.3, 8.4, 8.6)
#pragma once

#include <openindex/provider/provider_catalog.hpp>

namespace openindex::providers::catalog {

inline constexpr std::string_view aws_connections[] = {"ACCESS_KEY", "EXTERNAL_ROLE", "CONDUCTOR_ROLE"};
inline constexpr KeyCondition with_access_key[] = {{"connectionType", {"ACCESS_KEY"}}};
inline constexpr KeyCondition with_external_role[] = {{"connectionType", {"EXTERNAL_ROLE"}}};

inline constexpr ProviderKey aws_connection = {.name = "connectionType", .required = true, .choices = aws_connections};
inline constexpr ProviderKey aws_region = {.name = "region", .required = true, .form = KeyForm::region};
inline constexpr ProviderKey aws_user = {.name = "user", .when = with_access_key};
inline constexpr ProviderKey aws_secret = {.name = "api_key", .secret = true, .when = with_access_key};
inline constexpr ProviderKey aws_role = {.name = "roleArn", .form = KeyForm::role_arn, .when = with_external_role};
inline constexpr ProviderKey aws_external_id = {.name = "externalId", .secret = true, .when = with_external_role};
inline constexpr ProviderKey aws_account = {.name = "awsAccountId", .secret = true, .form = KeyForm::account_id};
// In place of the service's own host, for a private link or a stand-in.
inline constexpr ProviderKey own_endpoint = {.name = "endpoint", .form = KeyForm::url};

// Of a service as well.
inline constexpr ProviderKey aws[] = {aws_connection, aws_region,      aws_user,    aws_secret,
                                      aws_role,       aws_external_id, aws_account, own_endpoint};

inline constexpr ProviderKey aws_bedrock[] = {aws_connection,  aws_region,  {.name = "model"},
                                              aws_user,        aws_secret,  aws_role,
                                              aws_external_id, aws_account, own_endpoint};

inline constexpr ProviderKey google_project = {.name = "projectName", .required = true};
inline constexpr ProviderKey google_region = {.name = "environment", .required = true, .form = KeyForm::region};
inline constexpr ProviderKey google_file = {
    .name = "file", .required = true, .secret = true, .form = KeyForm::google_key};

inline constexpr ProviderKey gcp[] = {google_project, google_region, google_file, own_endpoint};

// The seed asks for a location; the service knows subscriptions, which is what can be tried out.
inline constexpr ProviderKey gcp_pubsub[] = {
    google_project, {.name = "location", .required = true}, google_file, {.name = "subscription"}, own_endpoint};

inline constexpr ProviderKey sendgrid[] = {
    {.name = "api_key", .required = true, .secret = true},
    {.name = "endpoint", .fallback = "https://api.sendgrid.com", .form = KeyForm::url},
};

// No key of the seed's names the host: it is guessed from the token, or said by `endpoint`, a repository's URL.
inline constexpr ProviderKey git[] = {
    {.name = "user", .required = true},
    {.name = "api_key", .required = true, .secret = true},
    own_endpoint,
};

}  // namespace openindex::providers::catalog
