// Where the requests of a provider go, and whose host that is.
#pragma once

#include <string>
#include <string_view>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

/// Compose the URL of a chat request from the base URL, once: a trailing slash is cut, and a version that the base ends
/// with is not repeated. The model is one segment of the path where the family has it there.
/// @par Errors invalid_argument
Result<std::string> chat_url(const ChatEndpoint& endpoint);

/// Compose the URL of the probe. @par Errors invalid_argument
Result<std::string> probe_url(const ChatEndpoint& endpoint);

/// Return the host of a URL, without its port.
std::string_view host_of(std::string_view url) noexcept;

/// Tell whether the endpoint is one of OpenAI's own hosts.
bool is_openai_itself(const ChatEndpoint& endpoint) noexcept;

/// Tell whether the provider has a list of models to ask for; without one, the probe is an empty question, which is
/// refused, while a bad key is refused otherwise.
bool lists_models(const ChatEndpoint& endpoint) noexcept;

/// Tell whether a text holds a control character, which neither a URL nor a header can have.
bool holds_control(std::string_view text) noexcept;

}  // namespace openindex::codecs
