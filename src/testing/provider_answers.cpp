#include <fmt/format.h>

#include "json/read.hpp"
#include "json/writer.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

struct Tokens {
  std::uint64_t input, output;
};

Tokens count_tokens(const ScriptedRule& rule, std::size_t request_bytes) {
  std::uint64_t bytes = rule.text.size();
  for (const auto& call : rule.calls) bytes += call.name.size() + call.arguments.size();
  return {request_bytes / 4, bytes / 4 + 1};
}

// Where the wire wants an object: a script's text goes out as text, which no well-behaved model would send.
void write_object_arguments(json::Writer& writer, const ScriptedCall& call) {
  if (call.is_text) {
    writer.string(call.arguments);
  } else {
    writer.raw(call.arguments);
  }
}

std::string write_openai(const ScriptedRule& rule, const SeenRequest& request, Tokens tokens, std::size_t number) {
  json::Writer w;
  w.begin_object().key("id").string(fmt::format("chatcmpl-{}", number)).key("object").string("chat.completion");
  w.key("created").number(std::uint64_t{0}).key("model").string(request.model);
  w.key("choices").begin_array().begin_object().key("index").number(std::uint64_t{0});
  w.key("message").begin_object().key("role").string("assistant").key("content");
  if (rule.text.empty()) {
    w.null();
  } else {
    w.string(rule.text);
  }
  w.key("refusal").null();
  if (!rule.calls.empty()) {
    w.key("tool_calls").begin_array();
    for (std::size_t i = 0; i < rule.calls.size(); ++i) {
      w.begin_object().key("id").string(fmt::format("call_{}_{}", number, i)).key("type").string("function");
      w.key("function").begin_object().key("name").string(rule.calls[i].name);
      w.key("arguments").string(rule.calls[i].arguments).end_object().end_object();
    }
    w.end_array();
  }
  w.end_object().key("logprobs").null().key("finish_reason").string(rule.calls.empty() ? "stop" : "tool_calls");
  w.end_object().end_array();
  w.key("usage").begin_object().key("prompt_tokens").number(tokens.input);
  w.key("completion_tokens").number(tokens.output).key("total_tokens").number(tokens.input + tokens.output);
  w.key("prompt_tokens_details").begin_object().key("cached_tokens").number(std::uint64_t{0}).end_object().end_object();
  w.end_object();
  return std::move(w).str();
}

std::string write_anthropic(const ScriptedRule& rule, const SeenRequest& request, Tokens tokens, std::size_t number) {
  json::Writer w;
  w.begin_object().key("id").string(fmt::format("msg_{}", number)).key("type").string("message");
  w.key("role").string("assistant").key("model").string(request.model).key("content").begin_array();
  if (!rule.text.empty()) w.begin_object().key("type").string("text").key("text").string(rule.text).end_object();
  for (std::size_t i = 0; i < rule.calls.size(); ++i) {
    w.begin_object().key("type").string("tool_use").key("id").string(fmt::format("toolu_{}_{}", number, i));
    w.key("name").string(rule.calls[i].name).key("input");
    write_object_arguments(w, rule.calls[i]);
    w.end_object();
  }
  w.end_array().key("stop_reason").string(rule.calls.empty() ? "end_turn" : "tool_use").key("stop_sequence").null();
  w.key("usage").begin_object().key("input_tokens").number(tokens.input).key("output_tokens").number(tokens.output);
  w.key("cache_creation_input_tokens").number(std::uint64_t{0});
  w.key("cache_read_input_tokens").number(std::uint64_t{0}).end_object();
  w.end_object();
  return std::move(w).str();
}

std::string write_ollama(const ScriptedRule& rule, const SeenRequest& request, Tokens tokens) {
  json::Writer w;
  w.begin_object().key("model").string(request.model).key("created_at").string("2026-01-01T00:00:00Z");
  w.key("message").begin_object().key("role").string("assistant").key("content").string(rule.text);
  if (!rule.calls.empty()) {
    w.key("tool_calls").begin_array();
    for (const auto& call : rule.calls) {
      w.begin_object().key("function").begin_object().key("name").string(call.name).key("arguments");
      write_object_arguments(w, call);
      w.end_object().end_object();
    }
    w.end_array();
  }
  w.end_object().key("done").boolean(true).key("done_reason").string("stop");
  w.key("prompt_eval_count").number(tokens.input).key("eval_count").number(tokens.output);
  w.end_object();
  return std::move(w).str();
}

struct ErrorNames {
  std::string_view type, code;
};

ErrorNames openai_error(int status) {
  switch (status) {
    case 401:
      return {"invalid_request_error", "invalid_api_key"};
    case 402:
      return {"insufficient_quota", "credit_balance_exhausted"};
    case 403:
      return {"permission_error", "permission_denied"};
    case 404:
      return {"invalid_request_error", "model_not_found"};
    case 429:
      return {"requests", "rate_limit_exceeded"};
    case 503:
      return {"server_error", "server_is_overloaded"};
    default:
      return status >= 500 ? ErrorNames{"server_error", ""} : ErrorNames{"invalid_request_error", ""};
  }
}

std::string_view anthropic_error(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

std::string write_reply(WireFamily family, const ScriptedRule& rule, const SeenRequest& request,
                        std::size_t request_bytes, std::size_t number) {
  const Tokens tokens = count_tokens(rule, request_bytes);
  switch (family) {
    case WireFamily::openai_chat:
      return write_openai(rule, request, tokens, number);
    case WireFamily::anthropic_messages:
      return write_anthropic(rule, request, tokens, number);
    case WireFamily::ollama_chat:
      return write_ollama(rule, request, tokens);
    default:
      return {};  // no route leads to the other wires
  }
}

std::string write_error(WireFamily family, int status, std::string_view message) {
  json::Writer w;
  w.begin_object();
  if (family == WireFamily::anthropic_messages) w.key("type").string("error");
  w.key("error");
  if (family == WireFamily::ollama_chat) {
    w.string(message);
  } else if (family == WireFamily::anthropic_messages) {
    w.begin_object().key("type").string(anthropic_error(status)).key("message").string(message).end_object();
  } else {
    const auto [type, code] = openai_error(status);
    w.begin_object().key("message").string(message).key("type").string(type).key("param").null().key("code");
    if (code.empty()) {
      w.null();
    } else {
      w.string(code);
    }
    w.end_object();
  }
  w.end_object();
  return std::move(w).str();
}

std::string write_models(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return R"({"object":"list","data":[{"id":"scripted","object":"model","created":0}]})";
    case WireFamily::anthropic_messages:
      return R"({"data":[{"type":"model","id":"scripted","display_name":"scripted"}],"has_more":false})";
    case WireFamily::ollama_chat:
      return R"({"models":[{"name":"scripted:latest","model":"scripted:latest"}]})";
    default:
      return {};
  }
}

}  // namespace openindex::scripted
