// Where the requests of a provider go, and whose host that is.
#pragma once

#include <string>
#include <string_view>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

/// Append a path to the endpoint's base URL, once: a trailing slash is cut, and the version prefix that the path begins
/// with is not repeated.
/// @par Errors invalid_argument
Result<std::string> url_for(const ChatEndpoint& endpoint, std::string_view path, std::string_view version_prefix);

/// Return the host of a URL, without its port.
std::string_view host_of(std::string_view url) noexcept;

/// Tell whether the endpoint is one of OpenAI's own hosts.
bool is_openai_itself(const ChatEndpoint& endpoint) noexcept;

/// Tell whether a text holds a control character, which neither a URL nor a header can have.
bool holds_control(std::string_view text) noexcept;

}  // namespace openindex::codecs
