// The headers of a request, the credential among them.
#pragma once

#include <string>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

/// Set all headers of a request whose URL and body are set. @par Errors invalid_argument, without any value
Result<void> set_headers(HttpRequest& http, const ChatEndpoint& endpoint, const std::string& request_id, Time now);

}  // namespace openindex::codecs
