// Cohere's chat, version 2: close to OpenAI's, with a plan beside the calls and finish reasons of its own.

#include <fmt/format.h>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"

namespace openindex::codecs::cohere_chat {
namespace {

constexpr auto family = WireFamily::cohere_chat;

void write_message(json::Writer& writer, std::string_view role, std::string_view text) {
  writer.begin_object().key("role").string(role);
  write_text(writer.key("content"), text);
  writer.end_object();
}

// What an assistant says before it calls a tool is its plan.
void write_rebuilt(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  if (turn.calls.empty()) {
    if (!is_blank(turn.text)) write_message(writer, "assistant", turn.text);
    return;
  }
  writer.begin_object().key("role").string("assistant");
  if (!is_blank(turn.text)) write_text(writer.key("tool_plan"), turn.text);
  writer.key("tool_calls").begin_array();
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    const CallName call = call_name(request, at, i, family);
    writer.begin_object().key("id").string(call.id).key("type").string("function").key("function").begin_object();
    writer.key("name").string(call.name).key("arguments").string(arguments_or_empty(turn.calls[i]));
    writer.end_object().end_object();
  }
  writer.end_array().end_object();
}

void write_outcomes(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    writer.begin_object().key("role").string("tool");
    write_text(writer.key("tool_call_id"), call_name(request, at - 1, i, family).id);
    write_text(writer.key("content"), text_of(outcomes[i]));
    writer.end_object();
  }
}

void write_turn(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  switch (turn.role) {
    case ChatTurn::Role::user:
      write_message(writer, "user", turn.text);
      break;
    case ChatTurn::Role::tool:
      write_outcomes(writer, request, at);
      break;
    case ChatTurn::Role::assistant:
      replays(turn, family) ? void(writer.raw(turn.raw)) : write_rebuilt(writer, request, at);
      break;
  }
}

// Blocks, of which only text is an answer; older servers write a string.
Result<std::string> read_text(const boost::json::value* content) {
  if (content == nullptr) return std::string();
  if (const auto* text = content->if_string()) return std::string(text->data(), text->size());
  if (!content->is_array()) return misshapen("message.content is neither text nor blocks");
  std::string text;
  for (const auto& entry : content->get_array()) {
    if (!entry.is_object()) return misshapen("a block of message.content is no object");
    if (text_member(entry.get_object(), "type") == "text") text += text_member(entry.get_object(), "text");
  }
  return text;
}

Result<Calls> read_calls(const boost::json::value* tool_calls) {
  Calls read;
  if (tool_calls == nullptr) return read;
  if (!tool_calls->is_array()) return misshapen("message.tool_calls is no array");
  for (const auto& entry : tool_calls->get_array()) {
    const auto* function = entry.is_object() ? object_member(entry.get_object(), "function") : nullptr;
    if (function == nullptr) return misshapen("a tool call without its function");
    ToolUse call{std::string(text_member(entry.get_object(), "id")), std::string(text_member(*function, "name")),
                 read_arguments(member(*function, "arguments"))};
    if (text_member(*function, "arguments").empty()) read.whole = false;
    if (call.id.empty()) {
      call.id = fmt::format("call_{}", read.calls.size());
      read.whole = false;
    }
    read.calls.push_back(std::move(call));
  }
  return read;
}

Result<ChatReply::Stop> read_stop(std::string_view reason) {
  using Stop = ChatReply::Stop;
  if (reason == "ERROR" || reason == "TIMEOUT") {
    return Error(errc::provider_overloaded, "The provider broke off its answer with an error");
  }
  if (reason == "ERROR_TOXIC") return Stop::refused;
  if (reason == "MAX_TOKENS" || reason == "ERROR_LIMIT") return Stop::length;
  const bool done = reason.empty() || reason == "COMPLETE" || reason == "STOP_SEQUENCE" || reason == "TOOL_CALL";
  return done ? Stop::finished : Stop::other;
}

// `tokens` is what was processed; `billed_units` leaves out what the provider adds by itself.
Usage read_usage(const boost::json::object& root) {
  Usage usage;
  const auto* all = object_member(root, "usage");
  if (all == nullptr) return usage;
  const auto* counts = object_member(*all, "tokens");
  if (counts == nullptr) counts = object_member(*all, "billed_units");
  if (counts != nullptr) {
    usage.input = count_member(*counts, "input_tokens");
    usage.output = count_member(*counts, "output_tokens");
  }
  usage.cached = count_member(*all, "cached_tokens");
  return usage;
}

}  // namespace

std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request) {
  json::Writer writer;
  write_text(writer.begin_object().key("model"), endpoint.model);
  writer.key("max_tokens").number(std::uint64_t{request.output_tokens_max});
  writer.key("stream").boolean(endpoint.stream).key("messages").begin_array();
  if (!request.system.empty()) write_message(writer, "system", request.system);
  for (std::size_t i = 0; i < request.turns.size(); ++i) write_turn(writer, request, i);
  writer.end_array();
  write_function_tools(writer, request.tools);
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  const auto* message = object_member(root, "message");
  if (message == nullptr) return misshapen("message is no object");
  ChatReply reply;
  auto stop = read_stop(text_member(root, "finish_reason"));
  if (!stop) return stop.error();
  reply.stop = *stop;
  auto text = read_text(member(*message, "content"));
  if (!text) return text.error();
  reply.turn.text = text->empty() ? std::string(text_member(*message, "tool_plan")) : std::move(*text);
  auto calls = read_calls(member(*message, "tool_calls"));
  if (!calls) return calls.error();
  const bool says_nothing = reply.turn.text.empty() && calls->calls.empty();
  const auto raw = says_nothing ? std::string_view() : json::member_text(body, "message");
  if (auto settled = settle(reply, std::move(*calls), raw, family); !settled) return settled.error();
  reply.usage = read_usage(root);
  reply.model = text_member(root, "model");
  return reply;
}

}  // namespace openindex::codecs::cohere_chat
