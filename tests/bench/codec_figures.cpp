// Codecs: writing a conversation of 20 KB and reading a reply of 20 KB, beside serializing and parsing the same bytes.
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "bench/figures.hpp"
#include "codecs/chat_codec.hpp"

namespace openindex::bench {
namespace {

using codecs::ChatEndpoint;

struct Family {
  WireFamily wire;
  std::string_view base_url;
};

constexpr Family families[] = {
    {WireFamily::openai_chat, "https://api.openai.com/v1"},
    {WireFamily::openai_responses, "https://api.openai.com/v1"},
    {WireFamily::anthropic_messages, "https://api.anthropic.com"},
    {WireFamily::google_generate_content, "https://generativelanguage.googleapis.com"},
    {WireFamily::bedrock_converse, "https://bedrock-runtime.eu-central-1.amazonaws.com"},
    {WireFamily::cohere_chat, "https://api.cohere.com"},
    {WireFamily::ollama_chat, "http://localhost:11434"},
};

ChatEndpoint endpoint_of(const Family& family) {
  ChatEndpoint endpoint;
  endpoint.family = family.wire;
  endpoint.base_url = family.base_url;
  endpoint.api_key = "key";
  endpoint.model = "model-1";
  endpoint.region = "eu-central-1";
  return endpoint;
}

// As models and tools write: words, lines, quotes, and letters that are not ASCII.
std::string prose(std::size_t bytes) {
  constexpr std::string_view line =
      "The parser reads \"next\" before it checks the length; see src/parser.c, Zeile 42 – größer als erwartet.\n";
  std::string out;
  while (out.size() < bytes) out += line;
  return out;
}

constexpr std::string_view arguments = R"({"term":"read_header","folder":"src/parser","limit":20,"whole_word":true})";

// The message of an assistant as each family has it: text and two calls, of which the first carries a signature where
// there are any.
std::string message_of(WireFamily wire, const std::string& text) {
  const std::string quoted = boost::json::serialize(boost::json::value(text));
  const std::string escaped = boost::json::serialize(boost::json::value(arguments));
  switch (wire) {
    case WireFamily::openai_chat:
      return fmt::format(
          R"({{"role":"assistant","content":{0},"tool_calls":[{{"id":"call_1","type":"function","function":{{"name":"look_up","arguments":{1}}}}},{{"id":"call_2","type":"function","function":{{"name":"look_up","arguments":{1}}}}}]}})",
          quoted, escaped);
    case WireFamily::openai_responses:
      return fmt::format(
          R"([{{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{{"type":"output_text","text":{0},"annotations":[]}}]}},{{"type":"function_call","id":"fc_1","call_id":"call_1","name":"look_up","arguments":{1},"status":"completed"}},{{"type":"function_call","id":"fc_2","call_id":"call_2","name":"look_up","arguments":{1},"status":"completed"}}])",
          quoted, escaped);
    case WireFamily::anthropic_messages:
      return fmt::format(
          R"([{{"type":"text","text":{0}}},{{"type":"tool_use","id":"call_1","name":"look_up","input":{1}}},{{"type":"tool_use","id":"call_2","name":"look_up","input":{1}}}])",
          quoted, arguments);
    case WireFamily::google_generate_content:
      return fmt::format(
          R"({{"role":"model","parts":[{{"text":{0}}},{{"functionCall":{{"id":"call_1","name":"look_up","args":{1}}},"thoughtSignature":"c2lnbmF0dXJl"}},{{"functionCall":{{"id":"call_2","name":"look_up","args":{1}}}}}]}})",
          quoted, arguments);
    case WireFamily::bedrock_converse:
      return fmt::format(
          R"({{"role":"assistant","content":[{{"text":{0}}},{{"toolUse":{{"toolUseId":"call_1","name":"look_up","input":{1}}}}},{{"toolUse":{{"toolUseId":"call_2","name":"look_up","input":{1}}}}}]}})",
          quoted, arguments);
    case WireFamily::cohere_chat:
      return fmt::format(
          R"({{"role":"assistant","content":[{{"type":"text","text":{0}}}],"tool_calls":[{{"id":"call_1","type":"function","function":{{"name":"look_up","arguments":{1}}}}},{{"id":"call_2","type":"function","function":{{"name":"look_up","arguments":{1}}}}}]}})",
          quoted, escaped);
    case WireFamily::ollama_chat:
      return fmt::format(
          R"({{"role":"assistant","content":{0},"tool_calls":[{{"function":{{"name":"look_up","arguments":{1}}}}},{{"function":{{"name":"look_up","arguments":{1}}}}}]}})",
          quoted, arguments);
  }
  throw std::logic_error("a family without a message");
}

std::string reply_of(WireFamily wire, const std::string& text) {
  const std::string message = message_of(wire, text);
  switch (wire) {
    case WireFamily::openai_chat:
      return fmt::format(
          R"({{"id":"r1","object":"chat.completion","model":"model-1","choices":[{{"index":0,"message":{},"finish_reason":"tool_calls"}}],"usage":{{"prompt_tokens":5000,"completion_tokens":400}}}})",
          message);
    case WireFamily::openai_responses:
      return fmt::format(
          R"({{"id":"r1","object":"response","status":"completed","model":"model-1","output":{},"usage":{{"input_tokens":5000,"output_tokens":400}}}})",
          message);
    case WireFamily::anthropic_messages:
      return fmt::format(
          R"({{"id":"r1","type":"message","role":"assistant","model":"model-1","content":{},"stop_reason":"tool_use","usage":{{"input_tokens":5000,"output_tokens":400}}}})",
          message);
    case WireFamily::google_generate_content:
      return fmt::format(
          R"({{"candidates":[{{"content":{},"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":5000,"candidatesTokenCount":400}},"modelVersion":"model-1"}})",
          message);
    case WireFamily::bedrock_converse:
      return fmt::format(
          R"({{"output":{{"message":{}}},"stopReason":"tool_use","usage":{{"inputTokens":5000,"outputTokens":400}}}})",
          message);
    case WireFamily::cohere_chat:
      return fmt::format(
          R"({{"id":"r1","finish_reason":"TOOL_CALL","message":{},"usage":{{"tokens":{{"input_tokens":5000,"output_tokens":400}}}}}})",
          message);
    case WireFamily::ollama_chat:
      return fmt::format(
          R"({{"model":"model-1","message":{},"done":true,"done_reason":"stop","prompt_eval_count":5000,"eval_count":400}})",
          message);
  }
  throw std::logic_error("a family without a reply");
}

// The reply is decoded, not written down, so that the turn is one that the family gave.
ChatRequest conversation(const ChatEndpoint& endpoint) {
  ChatRequest request;
  request.system = prose(2'000);
  request.tools = {{"look_up", "Find where a term stands in the sources.",
                    R"({"type":"object","properties":{"term":{"type":"string"}},"required":["term"]})"}};
  request.turns.push_back({.role = ChatTurn::Role::user, .text = prose(2'000)});
  for (int round = 0; round < 3; ++round) {
    const auto reply = codecs::decode(endpoint, {.status = 200, .body = reply_of(endpoint.family, prose(1'200))});
    require(reply);
    ChatTurn outcomes{.role = ChatTurn::Role::tool};
    for (const ToolUse& call : reply->turn.calls)
      outcomes.outcomes.push_back({call.id, call.name, prose(1'900), false});
    request.turns.push_back(reply->turn);
    request.turns.push_back(std::move(outcomes));
  }
  return request;
}

template <class Work>
double time_each(const Work& work) {
  constexpr int passes = 50;  // between two looks at the clock
  double count = 0;
  Stopwatch watch;
  watch.start();
  do {
    for (int pass = 0; pass < passes; ++pass) work();
    count += passes;
  } while (!watch.full());
  watch.stop();
  return count / watch.seconds();
}

Rounds encoding(const Family& family) {
  const ChatEndpoint endpoint = endpoint_of(family);
  const auto request = std::make_shared<const ChatRequest>(conversation(endpoint));
  const auto written = codecs::encode(endpoint, *request, "id");
  require(written);
  const auto tree = std::make_shared<const boost::json::value>(boost::json::parse(written->body));
  return {.value = [endpoint, request] { return time_each([&] { keep(codecs::encode(endpoint, *request, "id")); }); },
          .baseline = [tree] { return time_each([&] { keep(boost::json::serialize(*tree)); }); }};
}

Rounds decoding(const Family& family) {
  const ChatEndpoint endpoint = endpoint_of(family);
  const auto response =
      std::make_shared<const HttpResponse>(HttpResponse{.status = 200, .body = reply_of(family.wire, prose(19'000))});
  const auto read = codecs::decode(endpoint, *response);
  require(read);
  if (read->turn.calls.size() != 2 || read->turn.raw.empty()) throw std::logic_error("a reply that was misread");
  return {.value = [endpoint, response] { return time_each([&] { keep(codecs::decode(endpoint, *response)); }); },
          .baseline = [response] { return time_each([&] { keep(boost::json::parse(response->body)); }); }};
}

}  // namespace

std::vector<Figure> codec_figures() {
  std::vector<Figure> figures;
  for (const Family& family : families) {
    const std::string name = fmt::format("codec.{}", to_text(family.wire));
    figures.push_back({.name = name + ".encode", .unit = "per second", .prepare = [&family](const Place&) {
                         return encoding(family);
                       }});
    figures.push_back({.name = name + ".decode", .unit = "per second", .prepare = [&family](const Place&) {
                         return decoding(family);
                       }});
  }
  return figures;
}

}  // namespace openindex::bench
