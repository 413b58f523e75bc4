// Anthropic messages: content blocks, and every outcome of a turn in one user message.

#include <algorithm>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"

namespace openindex::codecs::anthropic_messages {
namespace {

constexpr auto family = WireFamily::anthropic_messages;

void write_text_block(json::Writer& writer, std::string_view text) {
  if (is_blank(text)) return;  // the API refuses blank text blocks
  writer.begin_object().key("type").string("text");
  write_text(writer.key("text"), text);
  writer.end_object();
}

// An assistant message without content is refused, so a turn that said nothing is left out.
bool says_nothing(const ChatTurn& turn) {
  if (replays(turn, family)) return json::first_element_text(turn.raw).empty();
  return is_blank(turn.text) && turn.calls.empty();
}

void write_assistant(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  if (says_nothing(turn)) return;
  writer.begin_object().key("role").string("assistant").key("content");
  if (replays(turn, family)) {
    writer.raw(turn.raw).end_object();
    return;
  }
  writer.begin_array();
  write_text_block(writer, turn.text);
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    const CallName call = call_name(request, at, i, family);
    writer.begin_object().key("type").string("tool_use").key("id").string(call.id).key("name").string(call.name);
    writer.key("input").raw(arguments_or_empty(turn.calls[i])).end_object();
  }
  writer.end_array().end_object();
}

void write_outcomes(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    writer.begin_object().key("type").string("tool_result");
    write_text(writer.key("tool_use_id"), call_name(request, at - 1, i, family).id);
    write_text(writer.key("content"), outcomes[i].text);
    writer.member("is_error", outcomes[i].is_error).end_object();
  }
}

// Write turns [first, last), none of them the assistant's, as one user message: outcomes first, then any text.
void write_user(json::Writer& writer, const ChatRequest& request, std::size_t first, std::size_t last) {
  writer.begin_object().key("role").string("user").key("content");
  if (last - first == 1 && request.turns[first].role == ChatTurn::Role::user) {
    write_text(writer, request.turns[first].text);
  } else {
    writer.begin_array();
    for (std::size_t i = first; i < last; ++i) {
      if (request.turns[i].role == ChatTurn::Role::tool) write_outcomes(writer, request, i);
    }
    for (std::size_t i = first; i < last; ++i) {
      if (request.turns[i].role == ChatTurn::Role::user) write_text_block(writer, request.turns[i].text);
    }
    writer.end_array();
  }
  writer.end_object();
}

void write_messages(json::Writer& writer, const ChatRequest& request) {
  const auto ends_user = [](const ChatTurn& turn) {
    return turn.role == ChatTurn::Role::assistant && !says_nothing(turn);
  };
  writer.key("messages").begin_array();
  for (std::size_t i = 0; i < request.turns.size();) {
    if (request.turns[i].role == ChatTurn::Role::assistant) {
      write_assistant(writer, request, i++);
      continue;
    }
    const auto from = request.turns.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last =
        static_cast<std::size_t>(std::find_if(from, request.turns.end(), ends_user) - request.turns.begin());
    write_user(writer, request, i, last);
    i = last;
  }
  writer.end_array();
}

void write_tools(json::Writer& writer, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return;
  writer.key("tools").begin_array();
  for (const ToolSpec& tool : tools) {
    write_text(writer.begin_object().key("name").string(tool.name).key("description"), tool.description);
    writer.key("input_schema").raw(schema_of(tool)).end_object();
  }
  writer.end_array();
}

// `pause_turn` means that the conversation is to be sent again with this turn at its end.
ChatReply::Stop read_stop(std::string_view reason) {
  using Stop = ChatReply::Stop;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Stop::length;
  if (reason == "refusal") return Stop::refused;
  return reason.empty() || reason == "end_turn" || reason == "stop_sequence" ? Stop::finished : Stop::other;
}

Usage read_usage(const boost::json::object& root) {
  Usage usage;
  if (const auto* counts = object_member(root, "usage")) {
    usage.cached = count_member(*counts, "cache_read_input_tokens");
    // input_tokens leaves out what was read from or written to the cache
    usage.input =
        count_member(*counts, "input_tokens") + usage.cached + count_member(*counts, "cache_creation_input_tokens");
    usage.output = count_member(*counts, "output_tokens");
  }
  return usage;
}

Result<Calls> read_blocks(const boost::json::array& content, std::string& text) {
  Calls read;
  for (const auto& entry : content) {
    const auto* block = entry.if_object();
    if (block == nullptr) return misshapen("a block of content is no object");
    const auto type = text_member(*block, "type");
    if (type == "text") {
      text += text_member(*block, "text");
    } else if (type == "tool_use") {
      ToolUse call{std::string(text_member(*block, "id")), std::string(text_member(*block, "name")),
                   read_arguments(member(*block, "input"))};
      if (call.id.empty()) return misshapen("a tool_use block without an id");
      const auto* input = member(*block, "input");
      read.whole = read.whole && input != nullptr && input->is_object();
      read.calls.push_back(std::move(call));
    }
  }
  return read;
}

}  // namespace

std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request) {
  json::Writer writer;
  write_text(writer.begin_object().key("model"), endpoint.model);
  writer.key("max_tokens").number(std::uint64_t{request.output_tokens_max}).key("stream").boolean(endpoint.stream);
  if (!is_blank(request.system)) write_text(writer.key("system"), request.system);
  write_messages(writer, request);
  write_tools(writer, request.tools);
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  const auto* content = member(root, "content");
  if (content == nullptr || !content->is_array()) return misshapen("content is no array");
  ChatReply reply;
  auto calls = read_blocks(content->get_array(), reply.turn.text);
  if (!calls) return calls.error();
  reply.stop = read_stop(text_member(root, "stop_reason"));
  const auto* details = object_member(root, "stop_details");
  if (reply.stop == ChatReply::Stop::refused && reply.turn.text.empty() && details != nullptr) {
    reply.turn.text = text_member(*details, "explanation");
  }
  if (auto settled = settle(reply, std::move(*calls), json::member_text(body, "content"), family); !settled) {
    return settled.error();
  }
  reply.usage = read_usage(root);
  reply.model = text_member(root, "model");
  return reply;
}

}  // namespace openindex::codecs::anthropic_messages
