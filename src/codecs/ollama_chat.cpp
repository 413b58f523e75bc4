// Ollama's own chat: arguments are objects, calls have no ids and outcomes are matched by name and order.

#include <algorithm>

#include <fmt/format.h>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"

namespace openindex::codecs::ollama_chat {
namespace {

constexpr auto family = WireFamily::ollama_chat;

void write_rebuilt(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  writer.begin_object().key("role").string("assistant");
  write_text(writer.key("content"), turn.text);
  if (!turn.calls.empty()) {
    writer.key("tool_calls").begin_array();
    for (std::size_t i = 0; i < turn.calls.size(); ++i) {
      writer.begin_object().key("function").begin_object().key("name").string(call_name(request, at, i, family).name);
      writer.key("arguments").raw(arguments_or_empty(turn.calls[i])).end_object().end_object();
    }
    writer.end_array();
  }
  writer.end_object();
}

void write_outcomes(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    writer.begin_object().key("role").string("tool");
    write_text(writer.key("tool_name"), call_name(request, at - 1, i, family).name);
    write_text(writer.key("content"), text_of(outcomes[i]));
    writer.end_object();
  }
}

// The default window is small and cuts history without a word. Powers of two, because the server loads the model anew
// whenever the number changes.
std::uint64_t context_tokens(std::size_t request_bytes, std::uint32_t output_tokens_max) {
  constexpr std::uint64_t least = 8192, most = 131072, bytes_per_token = 3;
  const std::uint64_t need = request_bytes / bytes_per_token + output_tokens_max;
  std::uint64_t tokens = least;
  while (tokens < need && tokens < most) tokens *= 2;
  return tokens;
}

Result<Calls> read_calls(const boost::json::value* tool_calls) {
  Calls read;
  const auto asked = function_calls(tool_calls);
  if (!asked) return asked.error();
  for (const auto& [entry, function] : *asked) {
    const auto* arguments = member(*function, "arguments");
    read.whole = read.whole && (arguments == nullptr || arguments->is_object());
    read.calls.push_back({fmt::format("call_{}", read.calls.size()), std::string(text_member(*function, "name")),
                          read_arguments(arguments)});
  }
  return read;
}

}  // namespace

std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request) {
  json::Writer writer;
  write_text(writer.begin_object().key("model"), endpoint.model);
  writer.key("stream").boolean(endpoint.stream);
  write_messages(
      writer, request, family, [&](std::size_t at) { write_rebuilt(writer, request, at); },
      [&](std::size_t at) { write_outcomes(writer, request, at); });
  write_function_tools(writer, request.tools);
  writer.key("options").begin_object().key("num_predict").number(std::uint64_t{request.output_tokens_max});
  writer.key("num_ctx").number(context_tokens(writer.str().size(), request.output_tokens_max)).end_object();
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  const auto* message = object_member(root, "message");
  if (message == nullptr) return misshapen("message is no object");
  const auto* done = member(root, "done");
  if (done != nullptr && done->is_bool() && !done->get_bool()) return misshapen("the answer is not finished");
  const auto* content = member(*message, "content");
  if (content != nullptr && !content->is_string()) return misshapen("message.content is no text");

  ChatReply reply;
  reply.turn.text = text_member(*message, "content");
  const auto reason = text_member(root, "done_reason");
  if (reason == "length") {
    reply.stop = ChatReply::Stop::length;
  } else if (!reason.empty() && reason != "stop") {
    reply.stop = ChatReply::Stop::other;
  }
  auto calls = read_calls(member(*message, "tool_calls"));
  if (!calls) return calls.error();
  if (auto settled = settle(reply, std::move(*calls), json::member_text(body, "message"), family); !settled) {
    return settled.error();
  }
  reply.usage = {.input = count_member(root, "prompt_eval_count"), .output = count_member(root, "eval_count")};
  reply.model = text_member(root, "model");
  return reply;
}

}  // namespace openindex::codecs::ollama_chat
