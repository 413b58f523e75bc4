// The provider's side of the three wires: reading what a client sent, writing what a provider would answer.
//
// Written apart from the codecs on purpose: a mistake made twice would hide itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "testing/provider_script.hpp"

namespace openindex::scripted {

std::string_view name_of(WireFamily family) noexcept;

/// Read a chat request, as strictly as the strictest provider: each tool call answered before the next turn, arguments
/// in the family's form, no streaming.
/// @par Errors invalid_argument with the sentence for the client
Result<SeenRequest> read_request(WireFamily family, std::string_view body);

/// Write the answer to the nth request. The usage counts four bytes as a token.
std::string write_reply(WireFamily family, const ScriptedRule& rule, const SeenRequest& request,
                        std::size_t request_bytes, std::size_t number);

std::string write_error(WireFamily family, int status, std::string_view message);

/// Write the list of models, which holds one: `scripted`.
std::string write_models(WireFamily family);

}  // namespace openindex::scripted
