// Reading an answer that comes in pieces, cut anywhere.
//
// Pure: bytes go in, text comes out, and at the end the same reply that `decode` gives for the answer in one piece.
// Only the spelling of `raw` may differ, where the pieces do not tell how the provider would have written the whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

class EventFraming;
class StreamAssembly;
struct StreamEvent;

/// Holds one unfinished event and the answer so far, each 4 MiB at most, however long the stream.
/// Thread safety: none; one answer, one decoder.
class StreamDecoder {
 public:
  /// @param head status and headers of the answer, without a body
  StreamDecoder(ChatEndpoint endpoint, HttpResponse head);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  /// Take the next bytes; return the text that they add, for somebody who watches. Most chunks add none.
  /// @par Errors as decode; after one the stream need not be read on, and `finish` returns the same
  Result<std::string> decode_event(std::string_view chunk);

  /// The stream has ended: return the reply. Once only. @par Errors as decode
  Result<ChatReply> finish();

 private:
  Result<void> take(const StreamEvent& event, std::string& text);
  Error fail(Error error);
  Error refused(std::string body, int status);

  ChatEndpoint endpoint_;
  HttpResponse head_;
  std::unique_ptr<EventFraming> framing_;
  std::unique_ptr<StreamAssembly> assembly_;
  std::optional<Error> failure_;
  bool done_ = false;  // said so in so many words; what comes after is not looked at
};

}  // namespace openindex::codecs
