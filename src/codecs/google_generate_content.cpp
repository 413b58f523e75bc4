// Google's generateContent: contents of two roles that alternate, made of parts.
//
// A model's content goes back as it came, since its parts carry thought signatures that a request without is refused
// for. There is no reason to stop that says "call": function calls are looked for among the parts. Calls often have no
// id; outcomes are matched by position then, and an id is echoed only where the model gave one.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codecs/conversation.hpp"
#include "codecs/google_schema.hpp"
#include "codecs/json_span.hpp"
#include "codecs/reply_reader.hpp"
#include "codecs/text.hpp"
#include "codecs/wire_families.hpp"
#include "json/read.hpp"

namespace openindex::codecs::google_generate_content {
namespace {

constexpr auto family = WireFamily::google_generate_content;

void write_text_part(json::Writer& writer, std::string_view text) {
  if (is_blank(text)) return;
  write_text(writer.begin_object().key("text"), text);
  writer.end_object();
}

// Since Gemini 3 a call without a signature is refused. Google documents this value for calls of another model, which
// have none; only the first call of a turn needs it.
bool wants_signature(std::string_view model) {
  constexpr std::string_view name = "gemini-";
  const auto at = model.rfind(name);
  return at != std::string_view::npos && at + name.size() < model.size() && model[at + name.size()] >= '3' &&
         model[at + name.size()] <= '9';
}

void write_rebuilt_parts(json::Writer& writer, const ChatEndpoint& endpoint, const ChatRequest& request,
                         std::size_t at) {
  const ChatTurn& turn = request.turns[at];
  write_text_part(writer, turn.text);
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    writer.begin_object().key("functionCall").begin_object();
    writer.key("name").string(call_name(request, at, i, family).name);
    writer.key("args").raw(arguments_or_empty(turn.calls[i])).end_object();
    if (i == 0 && wants_signature(endpoint.model)) {
      writer.key("thoughtSignature").string("skip_thought_signature_validator");
    }
    writer.end_object();
  }
}

// The ids that the model itself gave to the calls of a turn, empty where it gave none.
std::vector<std::string> given_ids(const ChatTurn& turn) {
  std::vector<std::string> ids;
  if (!replays(turn, family)) return ids;
  std::string_view parts = json::member_text(turn.raw, "parts");
  for (auto part = json::take_element(parts); !part.empty(); part = json::take_element(parts)) {
    const std::string_view call = json::member_text(part, "functionCall");
    if (!call.starts_with('{')) continue;
    const std::string_view id = json::member_text(call, "id");
    const auto value = id.starts_with('"') ? json::parse(id) : Result<boost::json::value>(Error(errc::invalid_json));
    ids.emplace_back(value ? std::string(value->get_string()) : std::string());
  }
  if (ids.size() != turn.calls.size()) ids.clear();  // some call is written so that it cannot be told which is whose
  return ids;
}

void write_outcome_parts(json::Writer& writer, const ChatRequest& request, std::size_t at) {
  const auto& outcomes = request.turns[at].outcomes;
  auto ids = given_ids(request.turns[at - 1]);
  ids.resize(outcomes.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    writer.begin_object().key("functionResponse").begin_object().member("id", ids[i]);
    write_text(writer.key("name"), call_name(request, at - 1, i, family).name);
    writer.key("response").begin_object().key(outcomes[i].is_error ? "error" : "result");
    write_text(writer, outcomes[i].text);
    writer.end_object().end_object().end_object();
  }
}

void write_user_parts(json::Writer& writer, const ChatRequest& request, const Side& side) {
  for (const std::size_t at : side.turns) {
    if (request.turns[at].role == ChatTurn::Role::tool) write_outcome_parts(writer, request, at);
  }
  for (const std::size_t at : side.turns) {
    if (request.turns[at].role == ChatTurn::Role::user) write_text_part(writer, request.turns[at].text);
  }
}

void write_model_parts(json::Writer& writer, const ChatEndpoint& endpoint, const ChatRequest& request,
                       const Side& side) {
  for (const std::size_t at : side.turns) {
    const ChatTurn& turn = request.turns[at];
    if (!replays(turn, family)) {
      write_rebuilt_parts(writer, endpoint, request, at);
    } else if (const auto parts = json::elements_text(json::member_text(turn.raw, "parts")); !parts.empty()) {
      writer.raw(parts);
    }
  }
}

void write_contents(json::Writer& writer, const ChatEndpoint& endpoint, const ChatRequest& request) {
  writer.key("contents").begin_array();
  for (const Side& side : sides_of(request, family)) {
    writer.begin_object().key("role").string(side.assistant ? "model" : "user").key("parts").begin_array();
    if (side.assistant) {
      write_model_parts(writer, endpoint, request, side);
    } else {
      write_user_parts(writer, request, side);
    }
    writer.end_array().end_object();
  }
  writer.end_array();
}

void write_tools(json::Writer& writer, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return;
  writer.key("tools").begin_array().begin_object().key("functionDeclarations").begin_array();
  for (const ToolSpec& tool : tools) {
    write_text(writer.begin_object().key("name").string(tool.name).key("description"), tool.description);
    write_google_schema(writer, schema_of(tool));
    writer.end_object();
  }
  writer.end_array().end_object().end_array();
}

Result<Calls> read_parts(const boost::json::array& parts, std::string& text) {
  Calls read;
  for (const auto& entry : parts) {
    const auto* part = entry.if_object();
    if (part == nullptr) return misshapen("a part of the content is no object");
    if (const auto* call = object_member(*part, "functionCall")) {
      const auto* arguments = member(*call, "args");
      read.whole = read.whole && (arguments == nullptr || arguments->is_object());
      std::string id(text_member(*call, "id"));
      if (id.empty()) id = fmt::format("call_{}", read.calls.size());
      read.calls.push_back({std::move(id), std::string(text_member(*call, "name")), read_arguments(arguments)});
    } else if (const auto* thought = member(*part, "thought");
               thought == nullptr || *thought != boost::json::value(true)) {
      text += text_member(*part, "text");
    }
  }
  return read;
}

constexpr std::array<std::string_view, 7> refusals = {"SAFETY", "RECITATION", "BLOCKLIST",   "PROHIBITED_CONTENT",
                                                      "SPII",   "LANGUAGE",   "IMAGE_SAFETY"};

Result<ChatReply::Stop> read_stop(std::string_view reason) {
  using Stop = ChatReply::Stop;
  if (reason.empty() || reason == "STOP" || reason == "FINISH_REASON_UNSPECIFIED") return Stop::finished;
  if (reason == "MAX_TOKENS") return Stop::length;
  if (std::find(refusals.begin(), refusals.end(), reason) != refusals.end()) return Stop::refused;
  if (reason == "MALFORMED_FUNCTION_CALL") return misshapen("the model wrote a call that is none");
  return misshapen("the model broke off for a reason that is no answer");
}

Usage read_usage(const boost::json::object& root) {
  Usage usage;
  if (const auto* counts = object_member(root, "usageMetadata")) {
    usage.input = count_member(*counts, "promptTokenCount") + count_member(*counts, "toolUsePromptTokenCount");
    usage.output = count_member(*counts, "candidatesTokenCount") + count_member(*counts, "thoughtsTokenCount");
    usage.cached = count_member(*counts, "cachedContentTokenCount");
  }
  return usage;
}

ChatReply blocked(std::string_view message) {
  ChatReply reply;
  reply.turn.role = ChatTurn::Role::assistant;
  reply.turn.raw_family = family;
  reply.turn.text = message;
  reply.stop = ChatReply::Stop::refused;
  return reply;
}

Result<ChatReply> read_candidate(const boost::json::object& candidate, std::string_view body) {
  auto stop = read_stop(text_member(candidate, "finishReason"));
  if (!stop) return stop.error();
  ChatReply reply;
  reply.stop = *stop;
  const auto* content = member(candidate, "content");
  if (content == nullptr) {
    if (reply.stop != ChatReply::Stop::refused) return reply;
    return blocked(text_member(candidate, "finishMessage"));
  }
  if (!content->is_object()) return misshapen("candidates[0].content is no object");
  const auto* parts = member(content->get_object(), "parts");
  if (parts == nullptr) return reply;
  if (!parts->is_array()) return misshapen("candidates[0].content.parts is no array");
  if (parts->get_array().empty()) return reply;  // would be refused when it came back
  auto calls = read_parts(parts->get_array(), reply.turn.text);
  if (!calls) return calls.error();
  const auto raw = json::member_text(json::first_element_text(json::member_text(body, "candidates")), "content");
  if (auto settled = settle(reply, std::move(*calls), raw, family); !settled) return settled.error();
  return reply;
}

// A prompt that was blocked has no candidates.
Result<ChatReply> read_answer(const boost::json::object& root, std::string_view body) {
  const auto* candidates = member(root, "candidates");
  if (candidates == nullptr || (candidates->is_array() && candidates->get_array().empty())) {
    const auto* feedback = object_member(root, "promptFeedback");
    if (feedback == nullptr || text_member(*feedback, "blockReason").empty()) return misshapen("no candidates");
    return blocked(text_member(*feedback, "blockReasonMessage"));
  }
  if (!candidates->is_array() || !candidates->get_array().front().is_object()) return misshapen("no candidates");
  return read_candidate(candidates->get_array().front().get_object(), body);
}

}  // namespace

std::string write_body(const ChatEndpoint& endpoint, const ChatRequest& request) {
  json::Writer writer;
  writer.begin_object();
  if (!is_blank(request.system)) {
    writer.key("systemInstruction").begin_object().key("parts").begin_array();
    write_text_part(writer, request.system);
    writer.end_array().end_object();
  }
  write_contents(writer, endpoint, request);
  write_tools(writer, request.tools);
  writer.key("generationConfig").begin_object();
  writer.key("maxOutputTokens").number(std::uint64_t{request.output_tokens_max}).end_object();
  writer.end_object();
  return std::move(writer).str();
}

Result<ChatReply> read_reply(const boost::json::object& root, std::string_view body) {
  auto reply = read_answer(root, body);
  if (!reply) return reply.error();
  reply->turn.role = ChatTurn::Role::assistant;
  reply->turn.raw_family = family;
  reply->usage = read_usage(root);
  reply->model = text_member(root, "modelVersion");
  return reply;
}

}  // namespace openindex::codecs::google_generate_content
