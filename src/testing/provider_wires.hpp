// The provider's side of the wires: reading what a client sent, writing what a provider would answer.
//
// Written apart from the codecs on purpose: a mistake made twice would hide itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "testing/provider_script.hpp"

namespace openindex::scripted {

/// Where a chat request went.
struct ChatRoute {
  WireFamily family = WireFamily::openai_chat;
  std::string model;    ///< Named by the path; empty: by the body.
  bool stream = false;  ///< The path asks for a stream; false: the body tells.
};

std::optional<ChatRoute> chat_route(std::string_view path);

/// Read a chat request, as strictly as the strictest provider: each tool call answered before the next turn, arguments
/// in the family's form.
/// @par Errors invalid_argument with the sentence for the client
Result<SeenRequest> read_request(const ChatRoute& route, std::string_view body);

/// Everything that an answer is made of.
struct ScriptedAnswer {
  const ScriptedRule& rule;
  const SeenRequest& request;
  std::size_t request_bytes = 0;
  std::size_t number = 0;  ///< The nth request of this server.
};

/// Four bytes are a token.
struct Tokens {
  std::uint64_t input = 0, output = 0;
};
Tokens count_tokens(const ScriptedAnswer& answer);

/// The id of an answer's call, as the family spells it; empty where the wire has none.
std::string call_id(WireFamily family, const ScriptedAnswer& answer, std::size_t call);

/// Arguments where the wire wants an object. A script's text goes out as text, which no well-behaved model would send.
boost::json::value object_arguments(const ScriptedCall& call);

/// The answer in one piece.
boost::json::value write_reply(WireFamily family, const ScriptedAnswer& answer);

/// The same answer as a stream, text and arguments in two pieces each.
std::string write_stream(WireFamily family, const ScriptedAnswer& answer);

std::string_view stream_type(WireFamily family) noexcept;

std::string write_error(WireFamily family, int status, std::string_view message);

/// Headers that belong to the family's errors.
HttpHeaders error_headers(WireFamily family, int status);

/// Write the list of models, which holds one: `scripted`.
std::string write_models(WireFamily family);

}  // namespace openindex::scripted
