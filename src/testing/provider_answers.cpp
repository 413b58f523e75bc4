#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "json/read.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

array function_calls(WireFamily family, const ScriptedAnswer& answer) {
  array calls;
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    const ScriptedCall& call = answer.rule.calls[i];
    calls.push_back(object{{"id", call_id(family, answer, i)},
                           {"type", "function"},
                           {"function", object{{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return calls;
}

value openai_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  object message{{"role", "assistant"}, {"content", answer.rule.text}, {"refusal", nullptr}};
  if (answer.rule.text.empty()) message["content"] = nullptr;
  if (!answer.rule.calls.empty()) message["tool_calls"] = function_calls(WireFamily::openai_chat, answer);
  const char* reason = answer.rule.calls.empty() ? "stop" : "tool_calls";
  return object{
      {"id", fmt::format("chatcmpl-{}", answer.number)},
      {"object", "chat.completion"},
      {"created", 0},
      {"model", answer.request.model},
      {"choices",
       array{object{{"index", 0}, {"message", std::move(message)}, {"logprobs", nullptr}, {"finish_reason", reason}}}},
      {"usage", object{{"prompt_tokens", input},
                       {"completion_tokens", output},
                       {"total_tokens", input + output},
                       {"prompt_tokens_details", object{{"cached_tokens", 0}}}}}};
}

// A model that reasons is asked with its reasoning in front of what came of it, or not at all.
value responses_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  array items;
  if (!answer.rule.calls.empty()) {
    items.push_back(object{{"type", "reasoning"},
                           {"id", fmt::format("rs_{}", answer.number)},
                           {"summary", array()},
                           {"encrypted_content", fmt::format("sealed-{}", answer.number)}});
  }
  if (!answer.rule.text.empty() || answer.rule.calls.empty()) {
    items.push_back(object{
        {"type", "message"},
        {"id", fmt::format("msg_{}", answer.number)},
        {"status", "completed"},
        {"role", "assistant"},
        {"content", array{object{{"type", "output_text"}, {"text", answer.rule.text}, {"annotations", array()}}}}});
  }
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    items.push_back(object{{"type", "function_call"},
                           {"id", fmt::format("fc_{}_{}", answer.number, i)},
                           {"call_id", call_id(WireFamily::openai_responses, answer, i)},
                           {"name", answer.rule.calls[i].name},
                           {"arguments", answer.rule.calls[i].arguments},
                           {"status", "completed"}});
  }
  return object{{"id", fmt::format("resp_{}", answer.number)},
                {"object", "response"},
                {"created_at", 0},
                {"status", "completed"},
                {"error", nullptr},
                {"incomplete_details", nullptr},
                {"model", answer.request.model},
                {"output", std::move(items)},
                {"usage", object{{"input_tokens", input},
                                 {"input_tokens_details", object{{"cached_tokens", 0}}},
                                 {"output_tokens", output},
                                 {"output_tokens_details", object{{"reasoning_tokens", 0}}},
                                 {"total_tokens", input + output}}}};
}

value anthropic_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  array content;
  if (!answer.rule.text.empty()) content.push_back(object{{"type", "text"}, {"text", answer.rule.text}});
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    content.push_back(object{{"type", "tool_use"},
                             {"id", call_id(WireFamily::anthropic_messages, answer, i)},
                             {"name", answer.rule.calls[i].name},
                             {"input", object_arguments(answer.rule.calls[i])}});
  }
  return object{{"id", fmt::format("msg_{}", answer.number)},
                {"type", "message"},
                {"role", "assistant"},
                {"model", answer.request.model},
                {"content", std::move(content)},
                {"stop_reason", answer.rule.calls.empty() ? "end_turn" : "tool_use"},
                {"stop_sequence", nullptr},
                {"usage", object{{"input_tokens", input},
                                 {"output_tokens", output},
                                 {"cache_creation_input_tokens", 0},
                                 {"cache_read_input_tokens", 0}}}};
}

value google_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  array parts;
  if (!answer.rule.text.empty()) parts.push_back(object{{"text", answer.rule.text}});
  for (const ScriptedCall& call : answer.rule.calls) {
    object part{{"functionCall", object{{"name", call.name}, {"args", object_arguments(call)}}}};
    if (&call == &answer.rule.calls.front()) part["thoughtSignature"] = fmt::format("sig-{}", answer.number);
    parts.push_back(std::move(part));
  }
  if (parts.empty()) parts.push_back(object{{"text", ""}});
  return object{
      {"candidates", array{object{{"content", object{{"role", "model"}, {"parts", std::move(parts)}}},
                                  {"finishReason", "STOP"},
                                  {"index", 0}}}},
      {"usageMetadata",
       object{{"promptTokenCount", input}, {"candidatesTokenCount", output}, {"totalTokenCount", input + output}}},
      {"modelVersion", answer.request.model},
      {"responseId", fmt::format("resp-{}", answer.number)}};
}

value converse_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  array content;
  if (!answer.rule.text.empty()) content.push_back(object{{"text", answer.rule.text}});
  for (std::size_t i = 0; i < answer.rule.calls.size(); ++i) {
    content.push_back(object{{"toolUse", object{{"toolUseId", call_id(WireFamily::bedrock_converse, answer, i)},
                                                {"name", answer.rule.calls[i].name},
                                                {"input", object_arguments(answer.rule.calls[i])}}}});
  }
  return object{{"metrics", object{{"latencyMs", 1}}},
                {"output", object{{"message", object{{"role", "assistant"}, {"content", std::move(content)}}}}},
                {"stopReason", answer.rule.calls.empty() ? "end_turn" : "tool_use"},
                {"usage", object{{"inputTokens", input}, {"outputTokens", output}, {"totalTokens", input + output}}}};
}

value cohere_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  object message{{"role", "assistant"}};
  if (answer.rule.calls.empty()) {
    message["content"] = array{object{{"type", "text"}, {"text", answer.rule.text}}};
  } else {
    message["tool_plan"] = answer.rule.text;
    message["tool_calls"] = function_calls(WireFamily::cohere_chat, answer);
  }
  return object{{"id", fmt::format("cohere-{}", answer.number)},
                {"finish_reason", answer.rule.calls.empty() ? "COMPLETE" : "TOOL_CALL"},
                {"message", std::move(message)},
                {"usage", object{{"billed_units", object{{"input_tokens", input}, {"output_tokens", output}}},
                                 {"tokens", object{{"input_tokens", input}, {"output_tokens", output}}}}}};
}

value ollama_reply(const ScriptedAnswer& answer) {
  const auto [input, output] = count_tokens(answer);
  object message{{"role", "assistant"}, {"content", answer.rule.text}};
  array calls;
  for (const ScriptedCall& call : answer.rule.calls) {
    calls.push_back(object{{"function", object{{"name", call.name}, {"arguments", object_arguments(call)}}}});
  }
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return object{{"model", answer.request.model}, {"created_at", "2026-01-01T00:00:00Z"},
                {"message", std::move(message)}, {"done", true},
                {"done_reason", "stop"},         {"prompt_eval_count", input},
                {"eval_count", output}};
}

}  // namespace

Tokens count_tokens(const ScriptedAnswer& answer) {
  std::uint64_t bytes = answer.rule.text.size();
  for (const auto& call : answer.rule.calls) bytes += call.name.size() + call.arguments.size();
  return {answer.request_bytes / 4, bytes / 4 + 1};
}

std::string call_id(WireFamily family, const ScriptedAnswer& answer, std::size_t call) {
  const std::string_view kind = family == WireFamily::anthropic_messages ? "toolu"
                                : family == WireFamily::bedrock_converse ? "tooluse"
                                                                         : "call";
  return fmt::format("{}_{}_{}", kind, answer.number, call);
}

value object_arguments(const ScriptedCall& call) {
  if (call.is_text) return value(call.arguments);
  auto parsed = json::parse(call.arguments);  // written by us from the script's JSON
  return parsed ? std::move(*parsed) : value(object());
}

value write_reply(WireFamily family, const ScriptedAnswer& answer) {
  switch (family) {
    case WireFamily::openai_chat:
      return openai_reply(answer);
    case WireFamily::openai_responses:
      return responses_reply(answer);
    case WireFamily::anthropic_messages:
      return anthropic_reply(answer);
    case WireFamily::google_generate_content:
      return google_reply(answer);
    case WireFamily::bedrock_converse:
      return converse_reply(answer);
    case WireFamily::cohere_chat:
      return cohere_reply(answer);
    case WireFamily::ollama_chat:
      return ollama_reply(answer);
  }
  return {};
}

}  // namespace openindex::scripted
