#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"
#include "codecs/reply_limits.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;

namespace {

const char* whole(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return R"({"id":"c","model":"m","choices":[{"message":{"role":"assistant","content":"é","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":[1,2]}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})";
    case WireFamily::anthropic_messages:
      return R"({"id":"m","type":"message","model":"m","content":[{"type":"text","text":"é"},{"type":"tool_use","id":"a","name":"f","input":{"x":[1,2]}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}})";
    case WireFamily::ollama_chat:
      return R"({"model":"m","message":{"role":"assistant","content":"é","tool_calls":[{"function":{"name":"f","arguments":{"x":[1,2]}}}]},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2})";
    case WireFamily::openai_responses:
      return R"({"id":"r","model":"m","status":"completed","output":[{"type":"reasoning","id":"rs","summary":[],"encrypted_content":"e"},{"type":"message","content":[{"type":"output_text","text":"é"}]},{"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":[1,2]}"}],"usage":{"input_tokens":1,"output_tokens":2}})";
    case WireFamily::google_generate_content:
      return R"({"candidates":[{"content":{"role":"model","parts":[{"text":"é"},{"functionCall":{"name":"f","args":{"x":[1,2]}},"thoughtSignature":"s"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2},"modelVersion":"m"})";
    case WireFamily::cohere_chat:
      return R"({"id":"c","finish_reason":"TOOL_CALL","message":{"role":"assistant","tool_plan":"é","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":[1,2]}"}}]},"usage":{"tokens":{"input_tokens":1,"output_tokens":2}}})";
    case WireFamily::bedrock_converse:
      return R"({"output":{"message":{"role":"assistant","content":[{"text":"é"},{"toolUse":{"toolUseId":"a","name":"f","input":{"x":[1,2]}}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2}})";
  }
  return "";
}

void check_malformed(WireFamily family, const std::string& body) {
  CAPTURE(body.substr(0, 200));
  const auto reply = decode(endpoint(family), answer(200, body, {{"Content-Type", "text/html"}}));
  REQUIRE_FALSE(reply);
  CHECK(name(reply.error().code()) == "provider_malformed_reply");
  CHECK(reply.error().context("body").size() < 200);
}

}  // namespace

TEST_CASE("an answer that is no JSON object is malformed") {
  for (const auto family : families) {
    for (const auto* body :
         {"", " ", "null", "[]", "42", "\"text\"", "<!DOCTYPE html><html>", "{", "data: {}\n\n", "{}{}",
          "{\"a\":1}\n{\"done\":true}\n", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}", "\x1f\x8b\x08"}) {
      check_malformed(family, body);
    }
    check_malformed(family, std::string(100'000, '['));
    check_malformed(family, "{\"a\":\"" + std::string(5 << 20, 'x') + "\"}");
  }
}

TEST_CASE("an answer of the wrong shape is malformed") {
  for (
      const auto* body :
      {"{}", R"({"choices":null})", R"({"choices":{}})", R"({"choices":[]})", R"({"choices":[1]})",
       R"({"choices":[{}]})", R"({"choices":[{"message":"text"}]})", R"({"choices":[{"message":{"content":42}}]})",
       R"({"choices":[{"message":{"content":{"text":"x"}}}]})", R"({"choices":[{"message":{"content":[1]}}]})",
       R"({"choices":[{"message":{"tool_calls":{}}}]})", R"({"choices":[{"message":{"tool_calls":[1]}}]})",
       R"({"choices":[{"message":{"tool_calls":[{"id":"a"}]}}]})",
       R"({"choices":[{"message":{"tool_calls":[{"id":"a","function":{"arguments":"{}"}}]}}]})",
       R"({"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":7}}]}}]})",
       R"({"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"a","function":{"name":"g"}}]}}]})"}) {
    check_malformed(WireFamily::openai_chat, body);
  }
  for (const auto* body : {"{}", R"({"content":null})", R"({"content":"text"})", R"({"content":{}})",
                           R"({"content":[1]})", R"({"content":[{"type":"tool_use","name":"f","input":{}}]})",
                           R"({"content":[{"type":"tool_use","id":"a","input":{}}]})",
                           R"({"content":[{"type":"tool_use","id":5,"name":"f","input":{}}]})"}) {
    check_malformed(WireFamily::anthropic_messages, body);
  }
  for (const auto* body : {"{}", R"({"message":null,"done":true})", R"({"message":[],"done":true})",
                           R"({"message":{"content":[]},"done":true})", R"({"message":{"content":"x"},"done":false})",
                           R"({"message":{"content":"x","tool_calls":"f"},"done":true})",
                           R"({"message":{"content":"x","tool_calls":[{}]},"done":true})",
                           R"({"message":{"content":"x","tool_calls":[{"function":{}}]},"done":true})"}) {
    check_malformed(WireFamily::ollama_chat, body);
  }
  for (
      const auto* body :
      {"{}", R"({"output":null})", R"({"output":"text"})", R"({"output":{}})", R"({"output":[1]})",
       R"({"output":[],"status":"queued"})", R"({"output":[],"status":"in_progress"})",
       R"({"output":[],"status":"failed"})", R"({"output":[],"status":"cancelled"})",
       R"({"output":[{"type":"message","content":"text"}]})", R"({"output":[{"type":"message","content":[1]}]})",
       R"({"output":[{"type":"function_call","call_id":"a","arguments":"{}"}]})",
       R"({"output":[{"type":"function_call","call_id":"a","name":7}]})",
       R"({"output":[{"type":"function_call","call_id":"a","name":"f"},{"type":"function_call","call_id":"a","name":"g"}]})"}) {
    check_malformed(WireFamily::openai_responses, body);
  }
  for (
      const auto* body :
      {"{}", R"({"candidates":null})", R"({"candidates":{}})", R"({"candidates":[]})", R"({"candidates":[1]})",
       R"({"candidates":"x"})", R"({"promptFeedback":{}})", R"({"candidates":[{"content":"x"}]})",
       R"({"candidates":[{"content":{"parts":"x"}}]})", R"({"candidates":[{"content":{"parts":[1]}}]})",
       R"({"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]})",
       R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":7}}]}}]})",
       R"({"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f"}},{"functionCall":{"id":"a","name":"f"}}]}}]})"}) {
    check_malformed(WireFamily::google_generate_content, body);
  }
  for (const auto* body :
       {"{}", R"({"message":null})", R"({"message":[]})", R"({"message":"x"})", R"({"message":{"content":42}})",
        R"({"message":{"content":[1]}})", R"({"message":{"tool_calls":{}}})", R"({"message":{"tool_calls":[{}]}})",
        R"({"message":{"tool_calls":[{"id":"a","function":{}}]}})",
        R"({"message":{"tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"a","function":{"name":"f"}}]}})"}) {
    check_malformed(WireFamily::cohere_chat, body);
  }
  for (const auto* body :
       {"{}", R"({"output":null})", R"({"output":[]})", R"({"output":{}})", R"({"output":{"message":"x"}})",
        R"({"output":{"message":{}}})", R"({"output":{"message":{"content":"x"}}})",
        R"({"output":{"message":{"content":[1]}}})", R"({"output":{"message":{"content":[{"toolUse":{"name":"f"}}]}}})",
        R"({"output":{"message":{"content":[{"toolUse":{"toolUseId":"a"}}]}}})"}) {
    check_malformed(WireFamily::bedrock_converse, body);
  }
}

TEST_CASE("an answer cut at any byte is malformed") {
  for (const auto family : families) {
    const std::string text = whole(family);
    REQUIRE(decode(endpoint(family), answer(200, text)));
    for (std::size_t length = 0; length < text.size(); ++length) check_malformed(family, text.substr(0, length));
  }
}

TEST_CASE("an answer with any one byte changed is read or refused and its replay is JSON") {
  for (const auto family : families) {
    const std::string text = whole(family);
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char byte : {'"', '\\', '{', '}', '[', ']', ',', ':', '0', '\0', '\xff'}) {
        std::string changed = text;
        changed[at] = byte;
        const auto reply = decode(endpoint(family), answer(200, changed));
        if (!reply || reply->turn.raw.empty()) continue;
        CAPTURE(changed);
        CHECK_NOTHROW(boost::json::parse(reply->turn.raw));
      }
    }
  }
}

TEST_CASE("counts that make no sense are read as none") {
  const auto reply = decode(endpoint(WireFamily::openai_chat), answer(200, R"({"choices":[{"message":{"content":"x"}}],
    "usage":{"prompt_tokens":-5,"completion_tokens":"many","prompt_tokens_details":{"cached_tokens":1e999}}})"));
  REQUIRE(reply);
  CHECK(reply->usage.input == 0);
  CHECK(reply->usage.output == 0);
}

TEST_CASE("of a member given twice the last counts in the reading and in the replay") {
  const auto reply =
      decode(endpoint(WireFamily::openai_chat),
             answer(200, R"({"choices":[{"message":{"content":"first"},"message":{"content":"last"}}]})"));
  REQUIRE(reply);
  CHECK(reply->turn.text == "last");
  CHECK(reply->turn.raw == R"({"content":"last"})");
}

TEST_CASE("an answer of more values than are read is refused before it is parsed, and one of fewer is read") {
  for (const auto family : families) {
    const std::string good = whole(family);
    const auto with = [&](std::size_t values) {
      std::string list = "[0";
      for (std::size_t i = 1; i < values; ++i) list += ",0";
      return good.substr(0, good.size() - 1) + ",\"x\":" + list + "]}";
    };
    const auto refused = decode(endpoint(family), answer(200, with(codecs::reply_values_max)));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::provider_malformed_reply);
    CHECK(refused.error().message() == "The provider's answer is too large");
    CHECK(decode(endpoint(family), answer(200, with(codecs::reply_values_max - 100))));
  }
}

TEST_CASE("commas and brackets in a text are no values") {
  for (const auto family : families) {
    std::string body = whole(family);
    std::string text;
    while (text.size() < 4 * codecs::reply_values_max) text += R"(,[{:\"\\)";
    body.replace(body.find("é"), 2, text);
    CHECK(decode(endpoint(family), answer(200, body)));
  }
}
