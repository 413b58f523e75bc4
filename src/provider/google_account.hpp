// A Google service account: its file, and the access token that its key is exchanged for. Pure functions.
//
// (provider-wire-apis.md, Vertex; conductor-integrations.md 10; RFC 7523)
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::providers {

struct GoogleAccount {
  std::string email;
  std::string private_key;  ///< PEM; secret.
  std::string key_id;       ///< May be empty.
  std::string token_url;    ///< One of Google's: the file comes from whoever may change a provider.
  std::string project;      ///< May be empty.
};

/// Read the file, as JSON or base64 of it. No error quotes it. @par Errors invalid_argument
Result<GoogleAccount> read_google_account(std::string_view file);

/// Say what is wrong with such a file; empty when nothing is.
std::string_view google_account_problem(std::string_view file);

/// Ask for an access token, with a statement signed by the account's key. @par Errors invalid_argument
Result<HttpRequest> token_request(const GoogleAccount& account, Time now);

struct AccessToken {
  std::string text;  ///< Secret.
  Time expires_at{};
};

/// Read the answer. @par Errors the provider_* codes; provider_unauthorized when the account is refused
Result<AccessToken> read_token(const HttpResponse& response, Time now);

}  // namespace openindex::providers
