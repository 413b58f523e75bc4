// Cutting a stream of bytes into the events that it carries, wherever the network cut it before.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

struct StreamEvent {
  std::string_view data;            ///< The payload, JSON.
  std::string_view exception = {};  ///< The kind of failure, where the framing itself says that this is one.
};

using TakeEvent = std::function<Result<void>(const StreamEvent&)>;

/// Holds at most one unfinished event.
class EventFraming {
 public:
  virtual ~EventFraming() = default;

  /// Take the next bytes, and hand on the events that they complete.
  /// @par Errors provider_malformed_reply; what `take` returns
  virtual Result<void> feed(std::string_view chunk, const TakeEvent& take) = 0;

  /// Hand on what the end of the stream completes. @par Errors as feed
  virtual Result<void> end(const TakeEvent& take) = 0;
};

/// Server-sent events, of which only the data counts: every family repeats in it what it names the event.
std::unique_ptr<EventFraming> sse_framing(std::size_t event_bytes_max);

/// One JSON text a line.
std::unique_ptr<EventFraming> line_framing(std::size_t event_bytes_max);

/// AWS's binary event stream. The payload is handed on as the value of a member that has the event's name, which
/// otherwise stands in a header: `{"messageStop":{…}}`.
std::unique_ptr<EventFraming> aws_framing(std::size_t event_bytes_max);

}  // namespace openindex::codecs
