#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto anthropic = endpoint(WireFamily::anthropic_messages);

constexpr std::string_view thinking = R"([ {"type":"thinking","thinking":"hm","signature":"c2ln\/"},
  {"type":"text","text":"Looking"},{"type":"tool_use","id":"toolu_1","name":"look_up","input":{"n": 1.0}} ])";

std::string message(std::string_view content, std::string_view stop = "end_turn", std::string_view more = "") {
  return R"({"id":"msg_1","type":"message","role":"assistant","model":"m-1-x","content":)" + std::string(content) +
         R"(,"stop_reason":")" + std::string(stop) + R"(",)" + std::string(more) +
         R"("usage":{"input_tokens":10,"output_tokens":5,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000}})";
}

ChatReply read(std::string_view content, std::string_view stop = "end_turn", std::string_view more = "") {
  const auto reply = decode(anthropic, answer(200, message(content, stop, more)));
  REQUIRE(reply);
  return *reply;
}

}  // namespace

TEST_CASE("anthropic: a rebuilt conversation has content blocks and all outcomes in one message") {
  const auto http = encode(anthropic, rebuilt_conversation(), "req-1");
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/v1/messages");
  CHECK(header(*http, "X-Client-Request-Id") == "req-1");
  CHECK(canonical(http->body) == canonical(R"({
    "model":"m-1","max_tokens":1000,"stream":false,"system":"Be brief.",
    "messages":[
      {"role":"user","content":"Where is it?"},
      {"role":"assistant","content":[
        {"type":"text","text":"Looking."},
        {"type":"tool_use","id":"call_1_0","name":"look_up","input":{"term":"x"}},
        {"type":"tool_use","id":"call_1_1","name":"look_up_","input":{}}]},
      {"role":"user","content":[
        {"type":"tool_result","tool_use_id":"call_1_0","content":"line 7"},
        {"type":"tool_result","tool_use_id":"call_1_1","content":"no such tool","is_error":true}]}],
    "tools":[
      {"name":"look_up","description":"Find a term","input_schema":{"type":"object","properties":{"term":{"type":"string"}}}},
      {"name":"done","description":"Finish","input_schema":{"type":"object","properties":{}}}]})"));
}

TEST_CASE("anthropic: text after outcomes joins their message behind them") {
  auto request = rebuilt_conversation();
  request.turns.push_back(user("And hurry."));
  const auto body = boost::json::parse(encode(anthropic, request, "")->body);
  const auto& messages = body.at("messages").as_array();
  REQUIRE(messages.size() == 3);
  const auto& content = messages[2].at("content").as_array();
  REQUIRE(content.size() == 3);
  CHECK(content[1].at("type") == "tool_result");
  CHECK(content[2].at("text") == "And hurry.");
}

TEST_CASE("anthropic: the version decides how the one key is sent") {
  auto where = anthropic;
  const auto old = encode(where, rebuilt_conversation(), "");
  REQUIRE(old);
  CHECK(header(*old, "anthropic-version") == "2023-06-01");
  CHECK(header(*old, "x-api-key") == "key-0123456789abcdef");
  CHECK(header(*old, "authorization").empty());
  where.version = "2026-10-21";
  const auto current = encode(where, rebuilt_conversation(), "");
  REQUIRE(current);
  CHECK(header(*current, "anthropic-version") == "2026-10-21");
  CHECK(header(*current, "x-api-key").empty());
  CHECK(header(*current, "authorization") == "Bearer key-0123456789abcdef");
}

TEST_CASE("anthropic: an assistant turn is replayed byte for byte with its signatures") {
  const auto reply = read(thinking, "tool_use");
  CHECK(reply.stop == Stop::tool_calls);
  CHECK(reply.turn.text == "Looking");
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.calls[0].id == "toolu_1");
  CHECK(reply.turn.raw == thinking);

  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"toolu_1", "look_up", "1", false}})};
  const auto http = encode(anthropic, next, "");
  REQUIRE(http);
  CHECK(http->body.find(thinking) != std::string::npos);
  CHECK(http->body.find(R"("tool_use_id":"toolu_1")") != std::string::npos);
}

TEST_CASE("anthropic: cached tokens count as input") {
  const auto reply = read(R"([{"type":"text","text":"Hi"}])");
  CHECK(reply.usage == Usage{1110, 5, 1000});
  CHECK(reply.model == "m-1-x");
  CHECK(reply.request_id == "msg_1");
}

TEST_CASE("anthropic: each stop reason has its meaning") {
  const auto text = R"([{"type":"text","text":"Hi"}])";
  CHECK(read(text, "end_turn").stop == Stop::finished);
  CHECK(read(text, "stop_sequence").stop == Stop::finished);
  CHECK(read(text, "max_tokens").stop == Stop::length);
  CHECK(read(text, "model_context_window_exceeded").stop == Stop::length);
  CHECK(read(text, "refusal").stop == Stop::refused);
  CHECK(read(text, "pause_turn").stop == Stop::other);
  CHECK(read(text, "something_new").stop == Stop::other);
}

TEST_CASE("anthropic: calls make a tool turn even when the reason says end_turn") {
  CHECK(read(thinking, "end_turn").stop == Stop::tool_calls);
}

TEST_CASE("anthropic: a paused turn is sent back at the end of the conversation") {
  ChatRequest next;
  next.turns = {user("go"),
                read(R"([{"type":"server_tool_use","id":"srv_1","name":"s","input":{}}])", "pause_turn").turn};
  const auto body = boost::json::parse(encode(anthropic, next, "")->body);
  CHECK(body.at("messages").at(1).at("content").at(0).at("id") == "srv_1");
}

TEST_CASE("anthropic: a cut off call is not offered and not replayed") {
  const auto reply = read(thinking, "max_tokens");
  CHECK(reply.turn.calls.empty());
  CHECK(reply.turn.raw.empty());
}

TEST_CASE("anthropic: a refusal without text tells its explanation") {
  const auto reply = read("[]", "refusal", R"("stop_details":{"type":"refusal","explanation":"not this"},)");
  CHECK(reply.stop == Stop::refused);
  CHECK(reply.turn.text == "not this");
}

TEST_CASE("anthropic: a turn that said nothing is left out because empty messages are refused") {
  ChatRequest next;
  next.turns = {user("one"), read("[]").turn, user("two"), assistant(" "), user("three")};
  const auto body = boost::json::parse(encode(anthropic, next, "")->body);
  const auto& messages = body.at("messages").as_array();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("content").as_array().size() == 3);

  next.turns = {user("one"), assistant("two"), assistant(""), user("three")};
  CHECK(boost::json::parse(encode(anthropic, next, "")->body).at("messages").as_array().size() == 3);
}

TEST_CASE("anthropic: input that is no object reaches the caller and is not replayed") {
  const auto reply = read(R"([{"type":"tool_use","id":"t","name":"f","input":"{\"a\":"}])", "tool_use");
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.calls[0].arguments == "{\"a\":");
  CHECK(reply.turn.raw.empty());
}

TEST_CASE("anthropic: the probe asks for one model") {
  const auto http = codecs::encode_probe(anthropic);
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/v1/models?limit=1");
  CHECK(header(*http, "anthropic-version") == "2023-06-01");
}
