// What every family needs to know of a conversation before it is written down.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/chat_codec.hpp"
#include "json/writer.hpp"

namespace openindex::codecs {

/// Refuse what no provider would take: a call without its outcome, an outcome without its call, a tool whose name or
/// schema is none.
/// @par Errors invalid_argument
Result<void> check(const ChatRequest& request);

/// Tell whether an assistant turn goes out as the provider wrote it.
[[nodiscard]] bool replays(const ChatTurn& turn, WireFamily family) noexcept;

/// How a call is called on the wire. A rebuilt turn gets ids of ours: another family's may break this one's rules.
struct CallName {
  std::string id;
  std::string name;
};
CallName call_name(const ChatRequest& request, std::size_t turn, std::size_t call, WireFamily family);

/// Tell whether a text is a JSON object.
[[nodiscard]] bool is_json_object(std::string_view text);

/// Return the arguments when they are a JSON object, else `{}`.
std::string arguments_or_empty(const ToolUse& call);

/// Return the outcome's text, marked where the wire has no flag for errors.
std::string text_of(const ToolOutcome& outcome);

/// Write a message that is a role and a text.
void write_message(json::Writer& writer, std::string_view role, std::string_view text);

/// Write one call as OpenAI chat and Cohere have it, its arguments as a string.
void write_function_call(json::Writer& writer, const CallName& name, const ToolUse& call);

/// Write one outcome as OpenAI chat and Cohere have it.
void write_function_outcome(json::Writer& writer, std::string_view call_id, const ToolOutcome& outcome);

/// How a wire writes a turn, by its place in the conversation.
using WriteTurn = std::function<void(std::size_t at)>;

/// Write `messages`, the system's text first, for the wires on which every turn is a message; an assistant's turn that
/// the provider wrote itself goes back as it came.
void write_messages(json::Writer& writer, const ChatRequest& request, WireFamily family, const WriteTurn& write_rebuilt,
                    const WriteTurn& write_outcomes);

/// Write `tools` in the form that OpenAI chat, Cohere and Ollama share; nothing when there are none.
void write_function_tools(json::Writer& writer, const std::vector<ToolSpec>& tools);

/// Turns of one side that stand together, for wires on which the sides must alternate.
struct Side {
  bool assistant = false;
  std::vector<std::size_t> turns = {};
};

/// Split the conversation where the side changes. Turns that say nothing are left out, since a message without content
/// is refused where sides must alternate.
std::vector<Side> sides_of(const ChatRequest& request, WireFamily family);

/// Return a tool's schema, or that of a tool without arguments.
std::string_view schema_of(const ToolSpec& tool) noexcept;

}  // namespace openindex::codecs
