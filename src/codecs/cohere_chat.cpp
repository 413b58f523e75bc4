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
    write_function_call(writer, call_name(request, at, i, family), turn.calls[i]);
  }
  writer.end_array().end_object();
}

void write_outcomes(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    write_function_outcome(writer, call_name(request, at - 1, i, family).id, outcomes[i]);
  }
}

Result<Calls> read_calls(const boost::json::value* tool_calls) {
  Calls read;
  const auto asked = function_calls(tool_calls);
  if (!asked) return asked.error();
  for (const auto& [entry, function] : *asked) {
    ToolUse call{std::string(text_member(*entry, "id")), std::string(text_member(*function, "name")),
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
  writer.key("stream").boolean(endpoint.stream);
  write_messages(
      writer, request, family, [&](std::size_t at) { write_rebuilt(writer, request, at); },
      [&](std::size_t at) { write_outcomes(writer, request, at); });
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
  auto text = read_content(member(*message, "content"));
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
