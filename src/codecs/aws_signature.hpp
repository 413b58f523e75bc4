// AWS Signature Version 4: who asks, proved over every byte that matters of a request.
//
// libcurl signs too, but signs a path with `%3A` in it as it was sent where AWS signs it encoded once more, and such a
// path is what nearly every Bedrock model has. Pure functions; the time is an argument.
#pragma once

#include <string>
#include <string_view>

#include <openindex/core/clock.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::codecs {

struct AwsKey {
  std::string_view id;
  std::string_view secret;
  std::string_view session_token = {};  ///< Of temporary credentials.
};

struct AwsScope {
  std::string_view region;
  std::string_view service;
};

/// Add `Host`, `X-Amz-Date`, `X-Amz-Security-Token` when there is one, and `Authorization`. Every header that the
/// request has is signed, so one that may be changed on the way is added afterwards.
void sign(HttpRequest& request, const AwsKey& key, const AwsScope& scope, Time now);

/// Write the request in the one form that both sides sign: header names in lower case and sorted, the path normalised
/// and encoded once more, the query sorted.
std::string canonical_request(const HttpRequest& request);

/// Encode everything but letters, digits and `-._~`, as one segment of a path.
std::string percent_encoded(std::string_view text);

}  // namespace openindex::codecs
