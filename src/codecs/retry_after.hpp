// How long a provider asks to be left alone.
#pragma once

#include <optional>

#include <openindex/core/clock.hpp>
#include <openindex/http/http_message.hpp>

namespace openindex::codecs {

/// Read `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date. A date counts from the answer's own `Date`,
/// so that no clock is read and two clocks need not agree; without one it says nothing. At most 30 days.
std::optional<Duration> retry_after(const HttpResponse& response);

}  // namespace openindex::codecs
