// The journal of a chat run: what a step says, as JSON. Written by the dispatcher, read by `Conversation`.
//
// docs/journal.md describes the bodies. Reading ignores members it does not know, and gives back exactly what was
// written; text that is no UTF-8 is the one exception (U+FFFD in the place of every bad byte).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <openindex/agent/chat.hpp>
#include <openindex/core/result.hpp>

namespace openindex::agent {

/// The kinds of steps. Others, `note` among them, are for people and mean nothing to a run.
namespace step_kind {
inline constexpr std::string_view context = "context";              ///< What the model was told first.
inline constexpr std::string_view turn = "turn";                    ///< What it answered.
inline constexpr std::string_view intent = "intent";                ///< A tool with effects is about to be called.
inline constexpr std::string_view tool = "tool";                    ///< What came of a call.
inline constexpr std::string_view note_to_model = "note_to_model";  ///< What the runner told it in between.
inline constexpr std::string_view resumed = "resumed";              ///< A person let a run go on that waited.
}  // namespace step_kind

/// Who let a run go on, what they said, what it had waited for, and whether they approved of the call that wanted it.
struct Resumed {
  std::string by;
  std::string answer;
  std::string reason;
  std::optional<bool> approved;
};

std::string context_body(std::string_view system, std::string_view user);
/// Make sure that a reply fits into a journal: a turn into a record, with room for what comes of its calls, and 200
/// calls at most. A larger one first loses `raw`; if that does not do, it is taken as cut off (`Stop::length`), without
/// its calls, and its text says what it lost.
ChatReply fit_for_journal(ChatReply reply);

std::string turn_body(const ChatReply& reply, std::string_view provider_id);
std::string intent_body(const ToolUse& call);
std::string tool_body(const ToolUse& call, const ToolOutcome& outcome);
std::string note_body(std::string_view text);

// Errors of all: storage_corrupt (problems with pointers).
Result<std::pair<std::string, std::string>> read_context(std::string_view body);  ///< System part, user part.
Result<ChatReply> read_turn(std::string_view body);
Result<ToolUse> read_intent(std::string_view body);
Result<std::pair<ToolUse, ToolOutcome>> read_tool(std::string_view body);
Result<std::string> read_note(std::string_view body);
Result<Resumed> read_resumed(std::string_view body);

}  // namespace openindex::agent
