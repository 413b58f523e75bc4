// OpenAI chat completions, and the servers compatible with it.
//
// The token limit is `max_completion_tokens` for OpenAI's own hosts, whose reasoning models refuse the old name, and
// `max_tokens` for every other host: compatible servers know only that one, and some answer 422 to a field they do not
// know.

#include <fmt/format.h>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"
#include "codecs/wire_url.hpp"

namespace openindex::codecs::openai_chat {
namespace {

constexpr auto family = WireFamily::openai_chat;

// Mistral has long refused other ids than nine letters and digits.
CallName wire_name(const ChatEndpoint& endpoint, const ChatRequest& request, std::size_t turn, std::size_t call) {
  CallName name = call_name(request, turn, call, family);
  if (endpoint.dialect == WireDialect::mistral && !replays(request.turns[turn], family)) {
    name.id = fmt::format("{:05}{:04}", turn, call);
  }
  return name;
}

void write_rebuilt(json::Writer& writer, const ChatEndpoint& endpoint, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  writer.begin_object().key("role").string("assistant");
  if (turn.text.empty() && !turn.calls.empty()) {
    writer.key("content").null();
  } else {
    write_text(writer.key("content"), turn.text);
  }
  if (!turn.calls.empty()) {
    writer.key("tool_calls").begin_array();
    for (std::size_t i = 0; i < turn.calls.size(); ++i) {
      write_function_call(writer, wire_name(endpoint, request, at, i), turn.calls[i]);
    }
    writer.end_array();
  }
  writer.end_object();
}

void write_outcomes(json::Writer& writer, const ChatEndpoint& endpoint, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    write_function_outcome(writer, wire_name(endpoint, request, at - 1, i).id, outcomes[i]);
  }
}

Result<Calls> read_calls(const boost::json::value* tool_calls) {
  Calls read;
  const auto asked = function_calls(tool_calls);
  if (!asked) return asked.error();
  for (const auto& [entry, function] : *asked) {
    ToolUse call{std::string(text_member(*entry, "id")), std::string(text_member(*function, "name")),
                 read_arguments(member(*function, "arguments"))};
    if (text_member(*function, "arguments").empty() && object_member(*function, "arguments") == nullptr) {
      read.whole = false;  // "" means no arguments, but some servers fail when it comes back in the history
    }
    if (call.id.empty() || call.id == "null") {  // Mistral's default is that text
      call.id = fmt::format("call_{}", read.calls.size());
      read.whole = false;
    }
    read.calls.push_back(std::move(call));
  }
  return read;
}

Result<ChatReply::Stop> read_stop(std::string_view reason) {
  using Stop = ChatReply::Stop;
  if (reason == "error") return Error(errc::provider_overloaded, "The provider broke off its answer with an error");
  if (reason == "length" || reason == "model_length") return Stop::length;
  if (reason == "content_filter") return Stop::refused;
  return reason.empty() || reason == "stop" ? Stop::finished : Stop::other;
}

// Where the limit has its new name: OpenAI's hosts and Azure's.
bool knows_new_limit(const ChatEndpoint& endpoint) {
  return endpoint.dialect == WireDialect::azure || is_openai_itself(endpoint);
}

void write_stream(json::Writer& writer, const ChatEndpoint& endpoint) {
  writer.key("stream").boolean(endpoint.stream);
  if (!endpoint.stream || endpoint.dialect == WireDialect::mistral) return;  // which sends the usage unasked
  writer.key("stream_options").begin_object().key("include_usage").boolean(true).end_object();
}

Usage read_usage(const boost::json::object& root) {
  Usage usage;
  if (const auto* counts = object_member(root, "usage")) {
    usage.input = count_member(*counts, "prompt_tokens");
    usage.output = count_member(*counts, "completion_tokens");
    const auto* details = object_member(*counts, "prompt_tokens_details");
    usage.cached = details ? count_member(*details, "cached_tokens") : count_member(*counts, "num_cached_tokens");
  }
  return usage;
}

}  // namespace

std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request) {
  json::Writer writer;
  write_text(writer.begin_object().key("model"), endpoint.model);
  writer.key(knows_new_limit(endpoint) ? "max_completion_tokens" : "max_tokens")
      .number(std::uint64_t{request.output_tokens_max});
  write_stream(writer, endpoint);
  write_messages(
      writer, request, family, [&](std::size_t at) { write_rebuilt(writer, endpoint, request, at); },
      [&](std::size_t at) { write_outcomes(writer, endpoint, request, at); });
  write_function_tools(writer, request.tools);
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  const auto* choices = member(root, "choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return misshapen("no choices");
  const auto* choice = choices->get_array().front().if_object();
  const auto* message = choice ? object_member(*choice, "message") : nullptr;
  if (message == nullptr) return misshapen("choices[0].message is no object");

  ChatReply reply;
  auto text = read_content(member(*message, "content"));
  if (!text) return text.error();
  reply.turn.text = std::move(*text);
  auto stop = read_stop(text_member(*choice, "finish_reason"));
  if (!stop) return stop.error();
  reply.stop = *stop;
  if (const auto refusal = text_member(*message, "refusal"); !refusal.empty()) {
    reply.stop = ChatReply::Stop::refused;
    reply.turn.text = refusal;
  }
  auto calls = read_calls(member(*message, "tool_calls"));
  if (!calls) return calls.error();
  const auto raw = json::member_text(json::first_element_text(json::member_text(body, "choices")), "message");
  if (auto settled = settle(reply, std::move(*calls), raw, family); !settled) return settled.error();
  reply.usage = read_usage(root);
  reply.model = text_member(root, "model");
  return reply;
}

}  // namespace openindex::codecs::openai_chat
