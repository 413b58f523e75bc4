// OpenAI Responses, which xAI and Perplexity speak too: a flat list of items in place of messages.
//
// The conversation is sent whole with every request and `store:false`, so that the provider keeps nothing of it.
// A turn is the list of its items, reasoning among them, spliced into `input` as it was written. Calls and their
// outputs belong together by `call_id`; `id` names the item and means nothing to us.

#include <algorithm>

#include <fmt/format.h>

#include "codecs/conversation.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"
#include "codecs/wire_url.hpp"
#include "json/read.hpp"

namespace openindex::codecs::openai_responses {
namespace {

constexpr auto family = WireFamily::openai_responses;

void write_message(json::Writer& writer, std::string_view role, std::string_view text) {
  writer.begin_object().key("role").string(role);
  write_text(writer.key("content"), text);
  writer.end_object();
}

void write_rebuilt(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  if (!turn.text.empty() || turn.calls.empty()) write_message(writer, "assistant", turn.text);
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    const CallName call = call_name(request, at, i, family);
    writer.begin_object().key("type").string("function_call");
    write_text(writer.key("call_id"), call.id);
    writer.key("name").string(call.name).key("arguments").string(arguments_or_empty(turn.calls[i])).end_object();
  }
}

// Perplexity hands on the signature of a model behind it, and wants it on the output as well as on the call.
std::string signature_of(const boost::json::array& items, std::string_view call_id) {
  for (const auto& item : items) {
    if (item.is_object() && text_member(item.get_object(), "call_id") == call_id) {
      return std::string(text_member(item.get_object(), "thought_signature"));
    }
  }
  return {};
}

void write_outcomes(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& asked = request.turns[at - 1];
  boost::json::array items;
  if (replays(asked, family) && asked.raw.find("thought_signature") != std::string::npos) {
    if (auto parsed = json::parse(asked.raw); parsed && parsed->is_array()) items = std::move(parsed->get_array());
  }
  const auto& outcomes = request.turns[at].outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const CallName call = call_name(request, at - 1, i, family);
    writer.begin_object().key("type").string("function_call_output");
    write_text(writer.key("call_id"), call.id);
    write_text(writer.key("output"), text_of(outcomes[i]));
    writer.member("thought_signature", signature_of(items, call.id)).end_object();
  }
}

void write_assistant(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  if (!replays(turn, family)) return write_rebuilt(writer, request, at);
  const std::string_view items = json::elements_text(turn.raw);
  if (!items.empty()) writer.raw(items);
}

void write_input(json::Writer& writer, const ChatRequest& request) {
  writer.key("input").begin_array();
  for (std::size_t i = 0; i < request.turns.size(); ++i) {
    switch (request.turns[i].role) {
      case ChatTurn::Role::user:
        write_message(writer, "user", request.turns[i].text);
        break;
      case ChatTurn::Role::tool:
        write_outcomes(writer, request, i);
        break;
      case ChatTurn::Role::assistant:
        write_assistant(writer, request, i);
        break;
    }
  }
  writer.end_array();
}

// `strict` is a required member; true would forbid schemas with optional members.
void write_tools(json::Writer& writer, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return;
  writer.key("tools").begin_array();
  for (const ToolSpec& tool : tools) {
    writer.begin_object().key("type").string("function").key("name").string(tool.name);
    write_text(writer.key("description"), tool.description);
    writer.key("parameters").raw(schema_of(tool)).key("strict").boolean(false).end_object();
  }
  writer.end_array();
}

// OpenAI's models that reason: o1, o3, gpt-5 and what came later, but not the chat variants. The others answer 400 to a
// request for the content of their reasoning; a reasoning model that is not asked for it is rebuilt without.
bool reasons(std::string_view model) {
  const auto digit = [&](std::size_t at) { return at < model.size() && model[at] >= '0' && model[at] <= '9'; };
  if (model.find("-chat") != std::string_view::npos) return false;
  if (model.starts_with('o')) return digit(1);
  return model.starts_with("gpt-") && digit(4) && (model[4] >= '5' || digit(5));
}

void write_storage(json::Writer& writer, const ChatEndpoint& endpoint) {
  if (endpoint.dialect == WireDialect::perplexity) return;  // refuses members that it does not know
  writer.key("store").boolean(false);
  if (is_openai_itself(endpoint) && reasons(endpoint.model)) {
    writer.key("include").begin_array().string("reasoning.encrypted_content").end_array();
  }
}

Result<std::string> read_parts(const boost::json::object& item, bool& refused) {
  const auto* content = member(item, "content");
  if (content == nullptr) return std::string();
  if (!content->is_array()) return misshapen("the content of a message is no array");
  std::string text;
  for (const auto& entry : content->get_array()) {
    const auto* part = entry.if_object();
    if (part == nullptr) return misshapen("a part of a message is no object");
    const auto type = text_member(*part, "type");
    if (type == "output_text") text += text_member(*part, "text");
    if (type != "refusal") continue;
    refused = true;
    text += text_member(*part, "refusal");
  }
  return text;
}

Result<ToolUse> read_call(const boost::json::object& item, Calls& read) {
  const auto* arguments = member(item, "arguments");
  ToolUse call{std::string(text_member(item, "call_id")), std::string(text_member(item, "name")),
               read_arguments(arguments)};
  if (text_member(item, "arguments").empty()) read.whole = false;  // goes back as it came, where it must be JSON
  if (call.id.empty()) {
    call.id = fmt::format("call_{}", read.calls.size());
    read.whole = false;
  }
  return call;
}

// Nothing but an id, which a provider that was told to store nothing cannot find again.
bool is_empty_reasoning(const boost::json::object& item) {
  const auto holds = [&](std::string_view name) {
    const auto* value = member(item, name);
    if (value == nullptr) return false;
    return value->is_array() ? !value->get_array().empty() : value->is_string() && !value->get_string().empty();
  };
  return text_member(item, "type") == "reasoning" && !holds("encrypted_content") && !holds("content") &&
         !holds("summary");
}

struct Output {
  std::string text;
  Calls calls;
  bool refused = false;
  bool cut_off = false;
  bool replayable = true;
};

Result<Output> read_output(const boost::json::array& items) {
  Output output;
  for (const auto& entry : items) {
    const auto* item = entry.if_object();
    if (item == nullptr) return misshapen("an item of output is no object");
    const auto type = text_member(*item, "type");
    if (type == "message") {
      auto text = read_parts(*item, output.refused);
      if (!text) return text.error();
      output.text += *text;
    } else if (type == "function_call") {
      auto call = read_call(*item, output.calls);
      if (!call) return call.error();
      output.cut_off = output.cut_off || text_member(*item, "status") == "incomplete";
      output.calls.calls.push_back(std::move(*call));
    }
    output.replayable = output.replayable && !is_empty_reasoning(*item);
  }
  return output;
}

ChatReply::Stop read_stop(const boost::json::object& root, const Output& output) {
  using Stop = ChatReply::Stop;
  if (output.refused) return Stop::refused;
  if (output.cut_off) return Stop::length;
  if (text_member(root, "status") != "incomplete") return Stop::finished;
  const auto* details = object_member(root, "incomplete_details");
  const auto reason = details ? text_member(*details, "reason") : std::string_view();
  if (reason == "content_filter") return Stop::refused;
  return reason == "max_output_tokens" ? Stop::length : Stop::other;
}

Usage read_usage(const boost::json::object& root) {
  Usage usage;
  if (const auto* counts = object_member(root, "usage")) {
    usage.input = count_member(*counts, "input_tokens");
    usage.output = count_member(*counts, "output_tokens");
    if (const auto* details = object_member(*counts, "input_tokens_details")) {
      usage.cached = count_member(*details, "cached_tokens");
    }
  }
  return usage;
}

// What there is decides, but a status may say that nothing has come, or nothing more will.
Result<void> check_status(const boost::json::object& root, const boost::json::array& items) {
  const auto status = text_member(root, "status");
  if (status == "failed" || status == "cancelled") return misshapen("the answer failed and does not say why");
  if (items.empty() && (status == "queued" || status == "in_progress")) return misshapen("the answer is not finished");
  return {};
}

}  // namespace

std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request) {
  json::Writer writer;
  write_text(writer.begin_object().key("model"), endpoint.model);
  writer.key("max_output_tokens").number(std::uint64_t{request.output_tokens_max});
  writer.key("stream").boolean(endpoint.stream);
  write_storage(writer, endpoint);
  if (!request.system.empty()) write_text(writer.key("instructions"), request.system);
  write_input(writer, request);
  write_tools(writer, request.tools);
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  const auto* items = member(root, "output");
  if (items == nullptr || !items->is_array()) return misshapen("output is no array");
  if (auto sound = check_status(root, items->get_array()); !sound) return sound.error();
  auto output = read_output(items->get_array());
  if (!output) return output.error();
  ChatReply reply;
  reply.turn.text = std::move(output->text);
  reply.stop = read_stop(root, *output);
  const auto raw = output->replayable ? json::member_text(body, "output") : std::string_view();
  if (auto settled = settle(reply, std::move(output->calls), raw, family); !settled) return settled.error();
  reply.usage = read_usage(root);
  reply.model = text_member(root, "model");
  return reply;
}

}  // namespace openindex::codecs::openai_responses
