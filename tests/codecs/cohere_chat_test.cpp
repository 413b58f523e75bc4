#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto cohere = endpoint(WireFamily::cohere_chat);

constexpr std::string_view planned = R"({ "role":"assistant","tool_plan":"I will look","citations":[ ],
  "tool_calls":[{"id":"look_up_1","type":"function","function":{"name":"look_up","arguments":"{\"term\":\"\u00e9\"}"}}]})";

constexpr std::string_view said =
    R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]})";

std::string response(std::string_view message, std::string_view finish = "COMPLETE") {
  return R"({"id":"c-1","finish_reason":")" + std::string(finish) + R"(","message":)" + std::string(message) +
         R"(,"usage":{"billed_units":{"input_tokens":10,"output_tokens":5},)"
         R"("tokens":{"input_tokens":100,"output_tokens":20},"cached_tokens":64}})";
}

ChatReply read(std::string_view message, std::string_view finish = "COMPLETE") {
  const auto reply = decode(cohere, answer(200, response(message, finish)));
  REQUIRE(reply);
  return *reply;
}

}  // namespace

TEST_CASE("cohere: a rebuilt conversation has a plan beside its calls") {
  const auto http = encode(cohere, rebuilt_conversation(), "req-1");
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/v2/chat");
  CHECK(header(*http, "Authorization") == "Bearer key-0123456789abcdef");
  CHECK(canonical(http->body) == canonical(R"({
    "model":"m-1","max_tokens":1000,"stream":false,
    "messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":"Where is it?"},
      {"role":"assistant","tool_plan":"Looking.","tool_calls":[
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

TEST_CASE("cohere: a turn is replayed byte for byte with its plan") {
  const auto reply = read(planned, "TOOL_CALL");
  CHECK(reply.stop == Stop::tool_calls);
  CHECK(reply.turn.text == "I will look");
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.calls[0].arguments == R"({"term":"é"})");
  CHECK(reply.turn.raw == planned);
  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"look_up_1", "look_up", "1", false}})};
  const auto http = encode(cohere, next, "");
  REQUIRE(http);
  CHECK(http->body.find(planned) != std::string::npos);
  CHECK(http->body.find(R"("tool_call_id":"look_up_1")") != std::string::npos);
}

TEST_CASE("cohere: text is what is said and not what is thought") { CHECK(read(said).turn.text == "Hello"); }

TEST_CASE("cohere: calls make a tool turn whatever the reason says") {
  CHECK(read(planned, "COMPLETE").stop == Stop::tool_calls);
}

TEST_CASE("cohere: each finish reason has its meaning") {
  CHECK(read(said, "COMPLETE").stop == Stop::finished);
  CHECK(read(said, "STOP_SEQUENCE").stop == Stop::finished);
  CHECK(read(said, "MAX_TOKENS").stop == Stop::length);
  CHECK(read(said, "SOMETHING_NEW").stop == Stop::other);
  CHECK(read(planned, "MAX_TOKENS").turn.calls.empty());
}

TEST_CASE("cohere: an error or a timeout inside a good status is a failure") {
  for (const auto* finish : {"ERROR", "TIMEOUT"}) {
    const auto reply = decode(cohere, answer(200, response(said, finish)));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code() == errc::provider_overloaded);
  }
}

TEST_CASE("cohere: usage is what was processed, and what was billed where nothing else is told") {
  CHECK(read(said).usage == Usage{100, 20, 64});
  const auto reply = decode(
      cohere,
      answer(200, R"({"message":{"content":"x"},"usage":{"billed_units":{"input_tokens":3,"output_tokens":4}}})"));
  REQUIRE(reply);
  CHECK(reply->usage == Usage{3, 4, 0});
  CHECK(reply->turn.text == "x");
}

TEST_CASE("cohere: a turn that said nothing is not sent back") {
  ChatRequest next;
  next.turns = {user("one"), read(R"({"role":"assistant","content":[]})").turn, user("two")};
  const auto body = boost::json::parse(encode(cohere, next, "")->body);
  CHECK(body.at("messages").as_array().size() == 2);
}

TEST_CASE("cohere: the probe lists models") {
  CHECK(codecs::encode_probe(cohere)->url == "https://api.example.com/v1/models");
}
