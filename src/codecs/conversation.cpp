#include "codecs/conversation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/reply_limits.hpp"
#include "codecs/text.hpp"
#include "json/read.hpp"

namespace openindex::codecs {
namespace {

constexpr std::size_t tool_name_max = 64;

bool fits_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// A model may have asked for a tool under a name that no wire lets us repeat.
std::string repeatable(std::string_view name) {
  std::string safe(name.substr(0, tool_name_max));
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return !fits_name(c); }, '_');
  return safe.empty() ? "unnamed" : safe;
}

bool answers(const ChatTurn& tool, const ChatTurn& assistant) {
  return std::equal(tool.outcomes.begin(), tool.outcomes.end(), assistant.calls.begin(), assistant.calls.end(),
                    [](const ToolOutcome& outcome, const ToolUse& call) { return outcome.id == call.id; });
}

Result<void> check_turns(const std::vector<ChatTurn>& turns) {
  const auto wrong = [](std::size_t turn, std::string_view what) {
    return Error(errc::invalid_argument, fmt::format("The conversation does not hold together: {}", what))
        .with("turn", std::to_string(turn));
  };
  if (turns.empty()) return Error(errc::invalid_argument, "The conversation is empty");
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const bool asks = turns[i].role == ChatTurn::Role::assistant && !turns[i].calls.empty();
    const bool answered = i + 1 < turns.size() && turns[i + 1].role == ChatTurn::Role::tool;
    if (asks && !answered) return wrong(i, "its calls have no outcomes");
    if (asks && !answers(turns[i + 1], turns[i]))
      return wrong(i + 1, "one outcome for each call, in order, is missing");
    if (turns[i].role == ChatTurn::Role::tool && (i == 0 || turns[i - 1].calls.empty())) {
      return wrong(i, "its outcomes answer no call");
    }
  }
  return {};
}

}  // namespace

Result<void> check(const ChatRequest& request) {
  if (request.output_tokens_max == 0) return Error(errc::invalid_argument, "output_tokens_max is 0");
  for (const ToolSpec& tool : request.tools) {
    const bool named = !tool.name.empty() && tool.name.size() <= tool_name_max &&
                       std::all_of(tool.name.begin(), tool.name.end(), fits_name);
    if (!named) {
      return Error(errc::invalid_argument, "A tool's name is 1 to 64 of a-z, A-Z, 0-9, _ and -")
          .with("tool", to_utf8(tool.name.substr(0, tool_name_max)));
    }
    if (!is_json_object(schema_of(tool))) {
      return Error(errc::invalid_argument, "A tool's schema is no JSON object").with("tool", tool.name);
    }
  }
  return check_turns(request.turns);
}

bool replays(const ChatTurn& turn, WireFamily family) noexcept {
  return !turn.raw.empty() && turn.raw_family == family;
}

CallName call_name(const ChatRequest& request, std::size_t turn, std::size_t call, WireFamily family) {
  const ToolUse& use = request.turns[turn].calls[call];
  if (replays(request.turns[turn], family)) return {use.id, use.name};
  return {fmt::format("call_{}_{}", turn, call), repeatable(use.name)};
}

bool is_json_object(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' &&
         json::parse(text, {.values_max = reply_values_max}).has_value();
}

std::string arguments_or_empty(const ToolUse& call) { return is_json_object(call.arguments) ? call.arguments : "{}"; }

std::string text_of(const ToolOutcome& outcome) { return outcome.is_error ? "Error: " + outcome.text : outcome.text; }

std::vector<Side> sides_of(const ChatRequest& request, WireFamily family) {
  std::vector<Side> sides;
  for (std::size_t i = 0; i < request.turns.size(); ++i) {
    const ChatTurn& turn = request.turns[i];
    const bool assistant = turn.role == ChatTurn::Role::assistant;
    const bool speaks = turn.role == ChatTurn::Role::tool || !turn.calls.empty() || !is_blank(turn.text) ||
                        (assistant && replays(turn, family));
    if (!speaks) continue;
    if (sides.empty() || sides.back().assistant != assistant) sides.push_back({assistant});
    sides.back().turns.push_back(i);
  }
  return sides;
}

std::string_view schema_of(const ToolSpec& tool) noexcept {
  return tool.schema.empty() ? R"({"type":"object","properties":{}})" : std::string_view(tool.schema);
}

void write_message(json::Writer& writer, std::string_view role, std::string_view text) {
  writer.begin_object().key("role").string(role);
  write_text(writer.key("content"), text);
  writer.end_object();
}

void write_function_call(json::Writer& writer, const CallName& name, const ToolUse& call) {
  writer.begin_object().key("id").string(name.id).key("type").string("function").key("function").begin_object();
  writer.key("name").string(name.name).key("arguments").string(arguments_or_empty(call));
  writer.end_object().end_object();
}

void write_function_outcome(json::Writer& writer, std::string_view call_id, const ToolOutcome& outcome) {
  writer.begin_object().key("role").string("tool");
  write_text(writer.key("tool_call_id"), call_id);
  write_text(writer.key("content"), text_of(outcome));
  writer.end_object();
}

void write_messages(json::Writer& writer, const ChatRequest& request, WireFamily family, const WriteTurn& write_rebuilt,
                    const WriteTurn& write_outcomes) {
  writer.key("messages").begin_array();
  if (!request.system.empty()) write_message(writer, "system", request.system);
  for (std::size_t at = 0; at < request.turns.size(); ++at) {
    const ChatTurn& turn = request.turns[at];
    switch (turn.role) {
      case ChatTurn::Role::user:
        write_message(writer, "user", turn.text);
        break;
      case ChatTurn::Role::tool:
        write_outcomes(at);
        break;
      case ChatTurn::Role::assistant:
        replays(turn, family) ? void(writer.raw(turn.raw)) : write_rebuilt(at);
        break;
    }
  }
  writer.end_array();
}

void write_function_tools(json::Writer& writer, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return;
  writer.key("tools").begin_array();
  for (const ToolSpec& tool : tools) {
    writer.begin_object().key("type").string("function").key("function").begin_object().key("name").string(tool.name);
    write_text(writer.key("description"), tool.description);
    writer.key("parameters").raw(schema_of(tool)).end_object().end_object();
  }
  writer.end_array();
}

}  // namespace openindex::codecs
