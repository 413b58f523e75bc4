// Bedrock's Converse: messages of content blocks, each an object with one member that says what it is.
//
// The sides alternate, and every outcome of a turn stands in one user message. `toolConfig` must be there whenever the
// history holds a call, also when no tool is offered any more.

#include <algorithm>
#include <set>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"

namespace openindex::codecs::bedrock_converse {
namespace {

constexpr auto family = WireFamily::bedrock_converse;

void write_text_block(json::Writer& writer, std::string_view text) {
  if (is_blank(text)) return;  // refused
  write_text(writer.begin_object().key("text"), text);
  writer.end_object();
}

void write_rebuilt(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  write_text_block(writer, turn.text);
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    const CallName call = call_name(request, at, i, family);
    writer.begin_object().key("toolUse").begin_object().key("toolUseId").string(call.id);
    writer.key("name").string(call.name).key("input").raw(arguments_or_empty(turn.calls[i])).end_object().end_object();
  }
}

void write_outcomes(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    writer.begin_object().key("toolResult").begin_object();
    write_text(writer.key("toolUseId"), call_name(request, at - 1, i, family).id);
    writer.key("content").begin_array();
    write_text_block(writer, is_blank(outcomes[i].text) ? "(no output)" : std::string_view(outcomes[i].text));
    writer.end_array().key("status").string(outcomes[i].is_error ? "error" : "success").end_object().end_object();
  }
}

void write_user(json::Writer& writer, const ChatRequest& request, const Side& side) {
  for (const std::size_t at : side.turns) {
    if (request.turns[at].role == ChatTurn::Role::tool) write_outcomes(writer, request, at);
  }
  for (const std::size_t at : side.turns) {
    if (request.turns[at].role == ChatTurn::Role::user) write_text_block(writer, request.turns[at].text);
  }
}

void write_assistant(json::Writer& writer, const ChatRequest& request, const Side& side) {
  for (const std::size_t at : side.turns) {
    const ChatTurn& turn = request.turns[at];
    if (!replays(turn, family)) {
      write_rebuilt(writer, request, at);
    } else if (const auto blocks = json::elements_text(json::member_text(turn.raw, "content")); !blocks.empty()) {
      writer.raw(blocks);
    }
  }
}

void write_messages(json::Writer& writer, const ChatRequest& request) {
  writer.key("messages").begin_array();
  for (const Side& side : sides_of(request, family)) {
    writer.begin_object().key("role").string(side.assistant ? "assistant" : "user").key("content").begin_array();
    if (side.assistant) {
      write_assistant(writer, request, side);
    } else {
      write_user(writer, request, side);
    }
    writer.end_array().end_object();
  }
  writer.end_array();
}

void write_tool(json::Writer& writer, const ToolSpec& tool) {
  writer.begin_object().key("toolSpec").begin_object().key("name").string(tool.name);
  if (!is_blank(tool.description)) write_text(writer.key("description"), tool.description);
  writer.key("inputSchema").begin_object().key("json").raw(schema_of(tool)).end_object().end_object().end_object();
}

// The tools that the history speaks of.
std::vector<ToolSpec> called_tools(const ChatRequest& request) {
  std::set<std::string> names;
  for (std::size_t turn = 0; turn < request.turns.size(); ++turn) {
    for (std::size_t call = 0; call < request.turns[turn].calls.size(); ++call) {
      names.insert(call_name(request, turn, call, family).name);
    }
  }
  std::vector<ToolSpec> tools;
  for (const std::string& name : names) tools.push_back({name, {}, {}});
  return tools;
}

void write_tools(json::Writer& writer, const ChatRequest& request) {
  const auto tools = request.tools.empty() ? called_tools(request) : request.tools;
  if (tools.empty()) return;
  writer.key("toolConfig").begin_object().key("tools").begin_array();
  for (const ToolSpec& tool : tools) write_tool(writer, tool);
  writer.end_array().end_object();
}

Result<Calls> read_blocks(const boost::json::array& content, std::string& text) {
  Calls read;
  for (const auto& entry : content) {
    const auto* block = entry.if_object();
    if (block == nullptr) return misshapen("a block of content is no object");
    text += text_member(*block, "text");
    const auto* use = object_member(*block, "toolUse");
    if (use == nullptr) continue;
    const auto* input = member(*use, "input");
    ToolUse call{std::string(text_member(*use, "toolUseId")), std::string(text_member(*use, "name")),
                 read_arguments(input)};
    if (call.id.empty()) return misshapen("a toolUse block without an id");
    read.whole = read.whole && input != nullptr && input->is_object();
    read.calls.push_back(std::move(call));
  }
  return read;
}

Result<ChatReply::Stop> read_stop(std::string_view reason) {
  using Stop = ChatReply::Stop;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Stop::length;
  if (reason == "guardrail_intervened" || reason == "content_filtered") return Stop::refused;
  if (reason == "malformed_tool_use") return misshapen("the model wrote a call that is none");
  if (reason == "malformed_model_output") return misshapen("the model wrote what is no answer");
  const bool done = reason.empty() || reason == "end_turn" || reason == "stop_sequence" || reason == "tool_use";
  return done ? Stop::finished : Stop::other;
}

Usage read_usage(const boost::json::object& root) {
  Usage usage;
  if (const auto* counts = object_member(root, "usage")) {
    usage.cached = count_member(*counts, "cacheReadInputTokens");
    // inputTokens leaves out what was read from or written to the cache
    usage.input = count_member(*counts, "inputTokens") + usage.cached + count_member(*counts, "cacheWriteInputTokens");
    usage.output = count_member(*counts, "outputTokens");
  }
  return usage;
}

}  // namespace

std::string write_body(const ChatEndpoint&, const ChatRequest& request) {
  json::Writer writer;
  writer.begin_object();
  if (!is_blank(request.system)) {
    writer.key("system").begin_array();
    write_text_block(writer, request.system);
    writer.end_array();
  }
  write_messages(writer, request);
  writer.key("inferenceConfig").begin_object();
  writer.key("maxTokens").number(std::uint64_t{request.output_tokens_max}).end_object();
  write_tools(writer, request);
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  const auto* output = object_member(root, "output");
  const auto* message = output == nullptr ? nullptr : object_member(*output, "message");
  const auto* content = message == nullptr ? nullptr : member(*message, "content");
  if (content == nullptr || !content->is_array()) return misshapen("output.message.content is no array");
  ChatReply reply;
  auto stop = read_stop(text_member(root, "stopReason"));
  if (!stop) return stop.error();
  reply.stop = *stop;
  auto calls = read_blocks(content->get_array(), reply.turn.text);
  if (!calls) return calls.error();
  const auto whole = json::member_text(json::member_text(body, "output"), "message");
  const auto raw = content->get_array().empty() ? std::string_view() : whole;
  if (auto settled = settle(reply, std::move(*calls), raw, family); !settled) return settled.error();
  reply.usage = read_usage(root);
  return reply;
}

}  // namespace openindex::codecs::bedrock_converse
