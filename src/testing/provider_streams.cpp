#include <array>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/utf8.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

using Pieces = std::array<std::string, 2>;

Pieces halves(const std::string& text) {
  const std::string first(cut_utf8(text, text.size() / 2));
  return {first, text.substr(first.size())};
}

// Server-sent events, with or without their names.
class Events {
 public:
  void add(const object& data) { text_ += "data: " + boost::json::serialize(data) + "\n\n"; }
  void add_named(std::string_view name, const object& data) {
    text_ += fmt::format("event: {}\n", name);
    add(data);
  }
  void end(std::string_view mark) { text_ += fmt::format("data: {}\n\n", mark); }
  [[nodiscard]] std::string str() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string openai_stream(const ScriptedAnswer& answer) {
  Events events;
  const auto chunk = [&](array choices, value usage = nullptr) {
    object data{{"id", fmt::format("chatcmpl-{}", answer.number)},
                {"object", "chat.completion.chunk"},
                {"created", 0},
                {"model", answer.request.model},
                {"choices", std::move(choices)}};
    if (answer.request.stream_usage) data["usage"] = std::move(usage);
    events.add(data);
  };
  const auto delta = [&](object piece, value reason = nullptr) {
    chunk(array{object{{"index", 0}, {"delta", std::move(piece)}, {"finish_reason", std::move(reason)}}});
  };
  const auto call_piece = [&](object call) { delta(object{{"tool_calls", array{std::move(call)}}}); };
  delta(object{{"role", "assistant"}, {"content", ""}});
  for (const auto& piece : halves(answer.rule.text)) delta(object{{"content", piece}});
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    const ScriptedCall& call = answer.rule.calls[i];
    call_piece(object{{"index", i},
                      {"id", call_id(WireFamily::openai_chat, answer, i)},
                      {"type", "function"},
                      {"function", object{{"name", call.name}, {"arguments", ""}}}});
    for (const auto& piece : halves(call.arguments)) {
      call_piece(object{{"index", i}, {"function", object{{"arguments", piece}}}});
    }
  }
  delta(object{}, answer.rule.calls.empty() ? "stop" : "tool_calls");
  if (answer.request.stream_usage) {
    chunk(array{}, write_reply(WireFamily::openai_chat, answer).as_object()["usage"]);
  }
  events.end("[DONE]");
  return std::move(events).str();
}

std::string responses_stream(const ScriptedAnswer& answer) {
  Events events;
  std::size_t sequence = 0;
  const auto add = [&](std::string_view type, object data) {
    data["type"] = type;
    data["sequence_number"] = sequence++;
    events.add_named(type, data);
  };
  const value whole = write_reply(WireFamily::openai_responses, answer);
  object begun = whole.as_object();
  begun["status"] = "in_progress";
  begun["output"] = array{};
  begun["usage"] = nullptr;
  add("response.created", {{"response", begun}});
  add("response.in_progress", {{"response", begun}});
  std::size_t index = 0;
  for (const auto& item : whole.as_object().at("output").as_array()) {
    add("response.output_item.added", {{"output_index", index}, {"item", item}});
    const object at{{"item_id", item.at("id")}, {"output_index", index}};
    if (item.at("type") == "message") {
      for (const auto& piece : halves(answer.rule.text)) {
        object data = at;
        data["content_index"] = 0;
        data["delta"] = piece;
        add("response.output_text.delta", std::move(data));
      }
    } else if (item.at("type") == "function_call") {
      for (const auto& piece : halves(std::string(item.at("arguments").as_string()))) {
        object data = at;
        data["delta"] = piece;
        add("response.function_call_arguments.delta", std::move(data));
      }
    }
    add("response.output_item.done", {{"output_index", index++}, {"item", item}});
  }
  add("response.completed", {{"response", whole}});
  return std::move(events).str();
}

// A block of Anthropic's begins empty and grows by pieces of one kind.
void add_anthropic_block(Events& events, std::size_t index, object start, std::string_view kind, std::string_view name,
                         const Pieces& pieces) {
  events.add_named("content_block_start",
                   {{"type", "content_block_start"}, {"index", index}, {"content_block", std::move(start)}});
  for (const auto& piece : pieces) {
    events.add_named(
        "content_block_delta",
        {{"type", "content_block_delta"}, {"index", index}, {"delta", object{{"type", kind}, {name, piece}}}});
  }
  events.add_named("content_block_stop", {{"type", "content_block_stop"}, {"index", index}});
}

std::string anthropic_stream(const ScriptedAnswer& answer) {
  Events events;
  const value whole = write_reply(WireFamily::anthropic_messages, answer);
  object begun = whole.as_object();
  const value reason = begun["stop_reason"];
  const value output = begun["usage"].at("output_tokens");
  begun["content"] = array{};
  begun["stop_reason"] = nullptr;
  begun["usage"].as_object()["output_tokens"] = 1;
  events.add_named("message_start", {{"type", "message_start"}, {"message", std::move(begun)}});
  events.add_named("ping", {{"type", "ping"}});
  std::size_t index = 0;
  if (!answer.rule.text.empty()) {
    add_anthropic_block(events, index++, {{"type", "text"}, {"text", ""}}, "text_delta", "text",
                        halves(answer.rule.text));
  }
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    const ScriptedCall& call = answer.rule.calls[i];
    object start{{"type", "tool_use"},
                 {"id", call_id(WireFamily::anthropic_messages, answer, i)},
                 {"name", call.name},
                 {"input", object{}}};
    add_anthropic_block(events, index++, std::move(start), "input_json_delta", "partial_json", halves(call.arguments));
  }
  events.add_named("message_delta", {{"type", "message_delta"},
                                     {"delta", object{{"stop_reason", reason}, {"stop_sequence", nullptr}}},
                                     {"usage", object{{"output_tokens", output}}}});
  events.add_named("message_stop", {{"type", "message_stop"}});
  return std::move(events).str();
}

// Each event is an answer of its own; the last one has the calls, the end and the usage.
std::string google_stream(const ScriptedAnswer& answer) {
  Events events;
  object last = write_reply(WireFamily::google_generate_content, answer).as_object();
  auto& parts = last["candidates"].at(0).at("content").at("parts").as_array();
  if (!answer.rule.text.empty()) {
    for (const auto& piece : halves(answer.rule.text)) {
      object content{{"role", "model"}, {"parts", array{object{{"text", piece}}}}};
      events.add({{"candidates", array{object{{"content", std::move(content)}, {"index", 0}}}},
                  {"modelVersion", answer.request.model},
                  {"responseId", last["responseId"]}});
    }
    parts.erase(parts.begin());
    if (parts.empty()) parts.push_back(object{{"text", ""}});
  }
  events.add(last);
  return std::move(events).str();
}

std::string bytes_of(std::size_t number, int width) {
  std::string out;
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) out += static_cast<char>((number >> shift) & 0xFF);
  return out;
}

std::size_t checksum(std::string_view bytes) {
  std::uint32_t sum = ~std::uint32_t{0};
  for (const char c : bytes) {
    sum ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum & 1) != 0 ? (sum >> 1) ^ 0xEDB88320u : sum >> 1;
  }
  return static_cast<std::uint32_t>(~sum);
}

std::string aws_frame(std::string_view event, std::string_view payload) {
  std::string headers;
  const auto add = [&](std::string_view name, std::string_view held) {
    constexpr char is_text = 7;
    headers += bytes_of(name.size(), 1) + std::string(name) + is_text + bytes_of(held.size(), 2) + std::string(held);
  };
  add(":event-type", event);
  add(":content-type", "application/json");
  add(":message-type", "event");
  std::string frame = bytes_of(16 + headers.size() + payload.size(), 4) + bytes_of(headers.size(), 4);
  frame += bytes_of(checksum(frame), 4);
  frame += headers;
  frame += payload;
  return frame + bytes_of(checksum(frame), 4);
}

std::string converse_stream(const ScriptedAnswer& answer) {
  std::string frames = aws_frame("messageStart", R"({"role":"assistant"})");
  const auto add = [&](std::string_view event, const object& payload) {
    frames += aws_frame(event, boost::json::serialize(payload));
  };
  std::size_t index = 0;
  if (!answer.rule.text.empty()) {
    for (const auto& piece : halves(answer.rule.text)) {
      add("contentBlockDelta", {{"contentBlockIndex", index}, {"delta", object{{"text", piece}}}});
    }
    add("contentBlockStop", {{"contentBlockIndex", index++}});
  }
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    const ScriptedCall& call = answer.rule.calls[i];
    object use{{"toolUseId", call_id(WireFamily::bedrock_converse, answer, i)}, {"name", call.name}};
    add("contentBlockStart", {{"contentBlockIndex", index}, {"start", object{{"toolUse", std::move(use)}}}});
    for (const auto& piece : halves(call.arguments)) {
      add("contentBlockDelta",
          {{"contentBlockIndex", index}, {"delta", object{{"toolUse", object{{"input", piece}}}}}});
    }
    add("contentBlockStop", {{"contentBlockIndex", index++}});
  }
  const value whole = write_reply(WireFamily::bedrock_converse, answer);
  add("messageStop", {{"stopReason", whole.at("stopReason")}});
  add("metadata", {{"usage", whole.at("usage")}, {"metrics", whole.at("metrics")}});
  return frames;
}

std::string cohere_stream(const ScriptedAnswer& answer) {
  Events events;
  const auto add = [&](std::string_view type, object message, std::optional<std::size_t> index = std::nullopt) {
    object data{{"type", type}, {"delta", object{{"message", std::move(message)}}}};
    if (index) data["index"] = *index;
    events.add_named(type, data);
  };
  const value whole = write_reply(WireFamily::cohere_chat, answer);
  events.add_named("message-start", {{"type", "message-start"},
                                     {"id", whole.at("id")},
                                     {"delta", object{{"message", object{{"role", "assistant"}}}}}});
  const auto pieces = halves(answer.rule.text);
  if (answer.rule.calls.empty()) {
    add("content-start", {{"content", object{{"type", "text"}, {"text", ""}}}}, 0);
    for (const auto& piece : pieces) add("content-delta", {{"content", object{{"text", piece}}}}, 0);
    events.add_named("content-end", {{"type", "content-end"}, {"index", 0}});
  } else {
    for (const auto& piece : pieces) add("tool-plan-delta", {{"tool_plan", piece}});
  }
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    const ScriptedCall& call = answer.rule.calls[i];
    add("tool-call-start",
        {{"tool_calls", object{{"id", call_id(WireFamily::cohere_chat, answer, i)},
                               {"type", "function"},
                               {"function", object{{"name", call.name}, {"arguments", ""}}}}}},
        i);
    for (const auto& piece : halves(call.arguments)) {
      add("tool-call-delta", {{"tool_calls", object{{"function", object{{"arguments", piece}}}}}}, i);
    }
    events.add_named("tool-call-end", {{"type", "tool-call-end"}, {"index", i}});
  }
  events.add_named("message-end",
                   {{"type", "message-end"},
                    {"delta", object{{"finish_reason", whole.at("finish_reason")}, {"usage", whole.at("usage")}}}});
  return std::move(events).str();
}

// Calls come whole; the last line has the counts and no text.
std::string ollama_stream(const ScriptedAnswer& answer) {
  object last = write_reply(WireFamily::ollama_chat, answer).as_object();
  std::string lines;
  const auto add = [&](object message) {
    message["role"] = "assistant";
    lines += boost::json::serialize(object{{"model", answer.request.model},
                                           {"created_at", last["created_at"]},
                                           {"message", std::move(message)},
                                           {"done", false}}) +
             "\n";
  };
  for (const auto& piece : halves(answer.rule.text)) add({{"content", piece}});
  if (const auto* calls = last["message"].as_object().if_contains("tool_calls")) {
    for (const auto& call : calls->as_array()) add({{"content", ""}, {"tool_calls", array{call}}});
  }
  last["message"] = object{{"role", "assistant"}, {"content", ""}};
  return lines + boost::json::serialize(last) + "\n";
}

}  // namespace

std::string_view stream_type(WireFamily family) noexcept {
  if (family == WireFamily::ollama_chat) return "application/x-ndjson";
  if (family == WireFamily::bedrock_converse) return "application/vnd.amazon.eventstream";
  return "text/event-stream";
}

std::string write_stream(WireFamily family, const ScriptedAnswer& answer) {
  switch (family) {
    case WireFamily::openai_chat:
      return openai_stream(answer);
    case WireFamily::openai_responses:
      return responses_stream(answer);
    case WireFamily::anthropic_messages:
      return anthropic_stream(answer);
    case WireFamily::google_generate_content:
      return google_stream(answer);
    case WireFamily::bedrock_converse:
      return converse_stream(answer);
    case WireFamily::cohere_chat:
      return cohere_stream(answer);
    case WireFamily::ollama_chat:
      return ollama_stream(answer);
  }
  return {};
}

}  // namespace openindex::scripted
