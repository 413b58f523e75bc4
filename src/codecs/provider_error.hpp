// What a provider's refusal means, in terms somebody can act on.
#pragma once

#include <string_view>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

/// Classify an answer that is an error, by status, the provider's own codes and, where those are silent, its words.
/// Context: `status`, `type` (the provider's), `request_id`; retry_after when the answer tells.
Error provider_error(const ChatEndpoint& endpoint, const HttpResponse& response);

/// Describe an answer that is none, with the beginning of what came instead as context `body`.
Error malformed_reply(const ChatEndpoint& endpoint, const HttpResponse& response, std::string_view what,
                      errc code = errc::provider_malformed_reply);

/// Return the request id that the provider gave, fit for an error or a log.
std::string request_id_of(const ChatEndpoint& endpoint, const HttpResponse& response);

}  // namespace openindex::codecs
