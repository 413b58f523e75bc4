#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto openai = endpoint(WireFamily::openai_chat);

constexpr std::string_view two_calls = R"({ "role":"assistant", "content" : null, "refusal":null,"annotations":[ ],
  "tool_calls":[{"id":"call_x","type":"function","function":{"name":"look_up","arguments":"{\"term\":\"\u00e9\"}"}},
                {"id":"call_y","type":"function","function":{"name":"done","arguments":"{ }"}}], "weight": 1.50 })";

std::string completion(std::string_view message, std::string_view finish = "stop") {
  return R"({"id":"chatcmpl-1","object":"chat.completion","model":"m-1-2026","choices":[{"index":0,"message":)" +
         std::string(message) + R"(,"finish_reason":")" + std::string(finish) +
         R"("}],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,)"
         R"("prompt_tokens_details":{"cached_tokens":64}}})";
}

ChatReply read(std::string_view message, std::string_view finish = "stop") {
  const auto reply = decode(openai, answer(200, completion(message, finish)));
  REQUIRE(reply);
  return *reply;
}

}  // namespace

TEST_CASE("openai: a rebuilt conversation has ids of ours and arguments that are JSON") {
  const auto http = encode(openai, rebuilt_conversation(), "req-1");
  REQUIRE(http);
  CHECK(http->method == "POST");
  CHECK(http->url == "https://api.example.com/chat/completions");
  CHECK(header(*http, "Authorization") == "Bearer key-0123456789abcdef");
  CHECK(header(*http, "Content-Type") == "application/json");
  CHECK(header(*http, "X-Client-Request-Id") == "req-1");
  CHECK(canonical(http->body) == canonical(R"({
    "model":"m-1","max_tokens":1000,"stream":false,
    "messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":"Where is it?"},
      {"role":"assistant","content":"Looking.","tool_calls":[
        {"id":"call_1_0","type":"function","function":{"name":"look_up","arguments":"{\"term\":\"x\"}"}},
        {"id":"call_1_1","type":"function","function":{"name":"look_up_","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"call_1_0","content":"line 7"},
      {"role":"tool","tool_call_id":"call_1_1","content":"Error: no such tool"}],
    "tools":[
      {"type":"function","function":{"name":"look_up","description":"Find a term",
        "parameters":{"type":"object","properties":{"term":{"type":"string"}}}}},
      {"type":"function","function":{"name":"done","description":"Finish",
        "parameters":{"type":"object","properties":{}}}}]})"));
}

TEST_CASE("openai: its own hosts get the new name of the token limit and others the old one") {
  auto where = openai;
  const auto limit_at = [&](const char* url) {
    where.base_url = url;
    const auto body = boost::json::parse(encode(where, rebuilt_conversation(), "")->body);
    CHECK(body.as_object().contains("max_tokens") != body.as_object().contains("max_completion_tokens"));
    return body.as_object().contains("max_tokens") ? "max_tokens" : "max_completion_tokens";
  };
  CHECK(limit_at("https://api.openai.com/v1") == std::string("max_completion_tokens"));
  CHECK(limit_at("https://eu.api.openai.com/v1/") == std::string("max_completion_tokens"));
  CHECK(limit_at("http://127.0.0.1:8080/v1") == std::string("max_tokens"));
  CHECK(limit_at("https://api.openai.com.example/v1") == std::string("max_tokens"));
}

TEST_CASE("openai: an assistant turn is replayed byte for byte") {
  const auto reply = read(two_calls, "tool_calls");
  CHECK(reply.stop == Stop::tool_calls);
  REQUIRE(reply.turn.calls.size() == 2);
  CHECK(reply.turn.calls[0].id == "call_x");
  CHECK(reply.turn.calls[0].name == "look_up");
  CHECK(reply.turn.calls[0].arguments == R"({"term":"é"})");
  CHECK(reply.turn.raw == two_calls);

  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"call_x", "look_up", "1", false}, {"call_y", "done", "2", false}})};
  const auto http = encode(openai, next, "");
  REQUIRE(http);
  CHECK(http->body.find(two_calls) != std::string::npos);
  CHECK(http->body.find(R"("tool_call_id":"call_y")") != std::string::npos);
}

TEST_CASE("openai: a plain answer has its text usage model and request id") {
  const auto reply =
      decode(openai, answer(200, completion(R"({"role":"assistant","content":"Hello"})"), {{"X-Request-Id", "req_9"}}));
  REQUIRE(reply);
  CHECK(reply->stop == Stop::finished);
  CHECK(reply->turn.role == ChatTurn::Role::assistant);
  CHECK(reply->turn.text == "Hello");
  CHECK(reply->usage == Usage{100, 20, 64});
  CHECK(reply->model == "m-1-2026");
  CHECK(reply->request_id == "req_9");
}

TEST_CASE("openai: calls make a tool turn even when the reason says stop") {
  CHECK(read(two_calls, "stop").stop == Stop::tool_calls);
}

TEST_CASE("openai: a turn cut off by the limit keeps its text and loses its calls") {
  const auto reply =
      read(R"({"content":"Let me","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"a"}}]})", "length");
  CHECK(reply.stop == Stop::length);
  CHECK(reply.turn.text == "Let me");
  CHECK(reply.turn.calls.empty());
  CHECK(reply.turn.raw.empty());
}

TEST_CASE("openai: a refusal is a refusal whatever the reason says") {
  const auto reply = read(R"({"role":"assistant","content":null,"refusal":"I cannot"})");
  CHECK(reply.stop == Stop::refused);
  CHECK(reply.turn.text == "I cannot");
  CHECK(read(R"({"content":"half"})", "content_filter").stop == Stop::refused);
}

TEST_CASE("openai: content may be parts") {
  CHECK(read(R"({"content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]})").turn.text ==
        "ab");
}

TEST_CASE("openai: arguments may be an object or missing") {
  const auto reply = read(R"({"content":"","tool_calls":[{"id":"p","function":{"name":"f","arguments":{"a":1}}},
    {"id":"q","function":{"name":"g","arguments":""}},{"id":"r","function":{"name":"h"}}]})");
  REQUIRE(reply.turn.calls.size() == 3);
  CHECK(reply.turn.calls[0].arguments == R"({"a":1})");
  CHECK(reply.turn.calls[1].arguments == "{}");
  CHECK(reply.turn.calls[2].arguments == "{}");
}

TEST_CASE("openai: arguments that are no JSON reach the caller and are not replayed") {
  const auto reply =
      read(R"({"content":null,"tool_calls":[{"id":"p","function":{"name":"f","arguments":"{\"a\":"}}]})");
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.calls[0].arguments == "{\"a\":");
  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"p", "f", "that was no JSON", true}})};
  const auto http = encode(openai, next, "");
  REQUIRE(http);
  CHECK(http->body.find(R"("arguments":"{}")") != std::string::npos);
}

TEST_CASE("openai: a call without an id gets one that its outcome is matched by") {
  const auto reply = read(R"({"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]})");
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.calls[0].id == "call_0");
  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"call_0", "f", "1", false}})};
  const auto body = encode(openai, next, "")->body;
  CHECK(body.find(R"("id":"call_1_0")") != std::string::npos);
  CHECK(body.find(R"("tool_call_id":"call_1_0")") != std::string::npos);
}

TEST_CASE("openai: mistral gets ids of nine letters and digits and the old name of the limit") {
  auto mistral = openai;
  mistral.dialect = WireDialect::mistral;
  const auto body = boost::json::parse(encode(mistral, rebuilt_conversation(), "")->body);
  const auto& id = body.at("messages").at(2).at("tool_calls").at(1).at("id").as_string();
  CHECK(id == "000010001");
  CHECK(body.at("messages").at(4).at("tool_call_id") == id);
  CHECK(body.at("max_tokens") == 1000);
}

TEST_CASE("openai: an id that says null is none") {
  const auto reply = read(R"({"content":"","tool_calls":[{"id":"null","function":{"name":"f","arguments":{}}},
    {"id":"null","function":{"name":"g","arguments":{}}}]})");
  REQUIRE(reply.turn.calls.size() == 2);
  CHECK(reply.turn.calls[0].id == "call_0");
  CHECK(reply.turn.calls[1].id == "call_1");
  CHECK(reply.turn.raw.empty());
}

TEST_CASE("openai: mistral has finish reasons of its own") {
  CHECK(read(R"({"content":"half"})", "model_length").stop == Stop::length);
  const auto failed = decode(openai, answer(200, completion(R"({"content":""})", "error")));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code() == errc::provider_overloaded);
}

TEST_CASE("openai: the probe lists models with the key") {
  const auto http = codecs::encode_probe(openai);
  REQUIRE(http);
  CHECK(http->method == "GET");
  CHECK(http->url == "https://api.example.com/models");
  CHECK(header(*http, "Authorization") == "Bearer key-0123456789abcdef");
  CHECK(http->body.empty());
}
