#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto ollama = endpoint(WireFamily::ollama_chat);

ChatReply read(std::string_view message, std::string_view more = R"("done_reason":"stop",)") {
  const auto reply =
      decode(ollama, answer(200, R"({"model":"m-1","message":)" + std::string(message) + "," + std::string(more) +
                                     R"("done":true,"prompt_eval_count":11,"eval_count":7})"));
  REQUIRE(reply);
  return *reply;
}

}  // namespace

TEST_CASE("ollama: a rebuilt conversation has object arguments and outcomes by tool name") {
  const auto http = encode(ollama, rebuilt_conversation(), "");
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/api/chat");
  CHECK(header(*http, "Authorization") == "Bearer key-0123456789abcdef");
  CHECK(canonical(http->body) == canonical(R"({
    "model":"m-1","stream":false,
    "messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":"Where is it?"},
      {"role":"assistant","content":"Looking.","tool_calls":[
        {"function":{"name":"look_up","arguments":{"term":"x"}}},
        {"function":{"name":"look_up_","arguments":{}}}]},
      {"role":"tool","tool_name":"look_up","content":"line 7"},
      {"role":"tool","tool_name":"look_up_","content":"Error: no such tool"}],
    "tools":[
      {"type":"function","function":{"name":"look_up","description":"Find a term",
        "parameters":{"type":"object","properties":{"term":{"type":"string"}}}}},
      {"type":"function","function":{"name":"done","description":"Finish",
        "parameters":{"type":"object","properties":{}}}}],
    "options":{"num_predict":1000,"num_ctx":8192}})"));
}

TEST_CASE("ollama: without a key no authorization is sent") {
  auto local = ollama;
  local.api_key.clear();
  CHECK(header(*encode(local, rebuilt_conversation(), ""), "Authorization").empty());
}

TEST_CASE("ollama: the context window grows with the conversation in steps") {
  auto request = rebuilt_conversation();
  request.turns[0].text = std::string(60'000, 'x');
  const auto body = boost::json::parse(encode(ollama, request, "")->body);
  CHECK(body.at("options").at("num_ctx") == 32768);
}

TEST_CASE("ollama: calls get ids of ours and the turn is replayed byte for byte") {
  constexpr std::string_view message = R"({"role":"assistant","content":"","thinking":"hm",
    "tool_calls":[{"function":{"name":"f","arguments":{"n": 1.0}}},{"function":{"name":"f","arguments":{}}}]})";
  const auto reply = read(message);
  CHECK(reply.stop == Stop::tool_calls);
  REQUIRE(reply.turn.calls.size() == 2);
  CHECK(reply.turn.calls[0].id == "call_0");
  CHECK(reply.turn.calls[1].id == "call_1");
  CHECK(canonical(reply.turn.calls[0].arguments) == canonical(R"({"n":1.0})"));
  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"call_0", "f", "1", false}, {"call_1", "f", "2", false}})};
  const auto http = encode(ollama, next, "");
  REQUIRE(http);
  CHECK(http->body.find(message) != std::string::npos);
}

TEST_CASE("ollama: usage and stop reasons are read") {
  CHECK(read(R"({"role":"assistant","content":"Hi"})").usage == Usage{11, 7, 0});
  CHECK(read(R"({"role":"assistant","content":"Hi"})").stop == Stop::finished);
  CHECK(read(R"({"role":"assistant","content":"Hi"})", "").stop == Stop::finished);
  CHECK(read(R"({"role":"assistant","content":"Hi"})", R"("done_reason":"length",)").stop == Stop::length);
  CHECK(read(R"({"role":"assistant","content":""})", R"("done_reason":"load",)").stop == Stop::other);
}

TEST_CASE("ollama: an error inside a good status is an error") {
  const auto reply = decode(ollama, answer(200, R"({"error":"llama runner process has terminated"})"));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == errc::provider_overloaded);
}

TEST_CASE("ollama: the probe lists the models on disk") {
  CHECK(codecs::encode_probe(ollama)->url == "https://api.example.com/api/tags");
}
