// How long a provider asks to be left alone.
#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include <openindex/core/clock.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::codecs {

/// Read `retry-after-ms`, `Retry-After` as seconds or as an HTTP date; without them when the limits that are used up
/// are reset, as OpenAI (`x-ratelimit-reset-tokens: 6m0s`) and Anthropic (`anthropic-ratelimit-tokens-reset`, a moment)
/// tell it of each, and Cohere of all (`X-RateLimit-Reset`, seconds since 1970). A moment counts from the answer's own
/// `Date`, so that no clock is read and two clocks need not agree; without one it says nothing. At most 30 days.
std::optional<Duration> retry_after(const HttpResponse& response);

/// Read the delay that stands in the body of an error: Google's `"retryDelay": "46s"`, and the `estimated_time` in
/// seconds until Hugging Face has loaded a model.
std::optional<Duration> retry_delay(const boost::json::object& body);

}  // namespace openindex::codecs
