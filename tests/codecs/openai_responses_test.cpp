#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto responses = endpoint(WireFamily::openai_responses);

codecs::ChatEndpoint openai(const char* model, const char* base = "https://api.openai.com/v1") {
  auto made = responses;
  made.base_url = base;
  made.model = model;
  return made;
}

codecs::ChatEndpoint perplexity() {
  auto made = responses;
  made.base_url = "https://api.perplexity.ai/v1";
  made.dialect = WireDialect::perplexity;
  return made;
}

constexpr std::string_view items = R"({"type":"reasoning","id":"rs_1","summary":[ ],"encrypted_content":"gAAA\/=="},
  {"type":"message","id":"msg_1","role":"assistant","status":"completed",
   "content":[{"type":"output_text","text":"Looking","annotations":[]}]},
  {"type":"function_call","id":"fc_1","call_id":"call_x","name":"look_up","arguments":"{\"term\": \"\u00e9\"}","status":"completed"},
  {"type":"function_call","id":"fc_2","call_id":"call_y","name":"done","arguments":"{ }","weight": 1.50})";

std::string response(std::string_view output, std::string_view more = R"("status":"completed",)") {
  return R"({"id":"resp_1","object":"response","model":"m-1-2026","error":null,"incomplete_details":null,)" +
         std::string(more) + R"("output":[ )" + std::string(output) +
         R"( ],"usage":{"input_tokens":100,"output_tokens":20,"total_tokens":120,)"
         R"("input_tokens_details":{"cached_tokens":64},"output_tokens_details":{"reasoning_tokens":9}}})";
}

ChatReply read(std::string_view output, std::string_view more = R"("status":"completed",)") {
  const auto reply = decode(responses, answer(200, response(output, more)));
  REQUIRE(reply);
  return *reply;
}

boost::json::value body_of(const codecs::ChatEndpoint& where, const ChatRequest& request) {
  const auto http = encode(where, request, "");
  REQUIRE(http);
  return boost::json::parse(http->body);
}

constexpr std::string_view text_item = R"({"type":"message","content":[{"type":"output_text","text":"Hi"}]})";
constexpr std::string_view call_item = R"({"type":"function_call","call_id":"c","name":"f","arguments":"{}"})";

}  // namespace

TEST_CASE("responses: a rebuilt conversation is a list of items with flat tools") {
  const auto http = encode(responses, rebuilt_conversation(), "req-1");
  REQUIRE(http);
  CHECK(http->method == "POST");
  CHECK(http->url == "https://api.example.com/responses");
  CHECK(header(*http, "Authorization") == "Bearer key-0123456789abcdef");
  CHECK(header(*http, "X-Client-Request-Id") == "req-1");
  CHECK(canonical(http->body) == canonical(R"({
    "model":"m-1","max_output_tokens":1000,"stream":false,"store":false,"instructions":"Be brief.",
    "input":[
      {"role":"user","content":"Where is it?"},
      {"role":"assistant","content":"Looking."},
      {"type":"function_call","call_id":"call_1_0","name":"look_up","arguments":"{\"term\":\"x\"}"},
      {"type":"function_call","call_id":"call_1_1","name":"look_up_","arguments":"{}"},
      {"type":"function_call_output","call_id":"call_1_0","output":"line 7"},
      {"type":"function_call_output","call_id":"call_1_1","output":"Error: no such tool"}],
    "tools":[
      {"type":"function","name":"look_up","description":"Find a term","strict":false,
        "parameters":{"type":"object","properties":{"term":{"type":"string"}}}},
      {"type":"function","name":"done","description":"Finish","strict":false,
        "parameters":{"type":"object","properties":{}}}]})"));
}

TEST_CASE("responses: the items of a turn are replayed byte for byte with their reasoning") {
  const auto reply = read(items);
  CHECK(reply.stop == Stop::tool_calls);
  CHECK(reply.turn.text == "Looking");
  REQUIRE(reply.turn.calls.size() == 2);
  CHECK(reply.turn.calls[0].id == "call_x");  // not fc_1: outputs are matched by call_id
  CHECK(reply.turn.calls[0].arguments == R"({"term": "é"})");
  CHECK(reply.turn.raw.find(items) != std::string::npos);

  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"call_x", "look_up", "1", false}, {"call_y", "done", "2", false}})};
  const auto http = encode(responses, next, "");
  REQUIRE(http);
  CHECK(http->body.find(items) != std::string::npos);
  const auto input = boost::json::parse(http->body).at("input").as_array();
  REQUIRE(input.size() == 7);
  CHECK(input[1].at("type") == "reasoning");
  CHECK(input[5].at("call_id") == "call_x");
  CHECK(input[6].at("call_id") == "call_y");
}

TEST_CASE("responses: calls make a tool turn whatever the status says") {
  for (const auto* status : {"", R"("status":"completed",)", R"("status":"in_progress",)", R"("status":"new",)"}) {
    CAPTURE(status);
    CHECK(read(call_item, status).stop == Stop::tool_calls);
  }
  CHECK(read(text_item, R"("status":"completed",)").stop == Stop::finished);
}

TEST_CASE("responses: an incomplete answer tells why and loses its calls") {
  const auto why = [](std::string_view reason) {
    return R"("status":"incomplete","incomplete_details":{"reason":")" + std::string(reason) + R"("},)";
  };
  const std::string both = std::string(text_item) + "," + std::string(call_item);
  for (const auto& [reason, stop] : {std::pair{"max_output_tokens", Stop::length}, {"content_filter", Stop::refused}}) {
    const auto reply = read(both, why(reason));
    CHECK(reply.stop == stop);
    CHECK(reply.turn.text == "Hi");
    CHECK(reply.turn.calls.empty());
    CHECK(reply.turn.raw.empty());
  }
  CHECK(read(text_item, why("something_new")).stop == Stop::other);
}

TEST_CASE("responses: a call that is marked incomplete is not offered") {
  const auto reply =
      read(R"({"type":"function_call","call_id":"c","name":"f","arguments":"{\"a","status":"incomplete"})");
  CHECK(reply.stop == Stop::length);
  CHECK(reply.turn.calls.empty());
}

TEST_CASE("responses: a refusal is a refusal and no answer") {
  const auto reply = read(R"({"type":"message","content":[{"type":"refusal","refusal":"I cannot"}]})");
  CHECK(reply.stop == Stop::refused);
  CHECK(reply.turn.text == "I cannot");
}

TEST_CASE("responses: usage model and request id are read") {
  const auto reply = read(text_item);
  CHECK(reply.usage == Usage{100, 20, 64});
  CHECK(reply.model == "m-1-2026");
  CHECK(reply.request_id == "resp_1");
}

TEST_CASE("responses: a failure inside a good status is classified like one with a bad status") {
  const auto failed = [](std::string_view code) {
    const auto reply = decode(responses, answer(200, R"({"id":"r","status":"failed","output":[],"error":{"code":")" +
                                                         std::string(code) + R"(","message":"x"}})"));
    REQUIRE_FALSE(reply);
    return reply.error().code();
  };
  CHECK(failed("rate_limit_exceeded") == errc::provider_rate_limited);
  CHECK(failed("server_error") == errc::provider_overloaded);
  CHECK(failed("insufficient_quota") == errc::provider_out_of_credit);
  CHECK(failed("invalid_prompt") == errc::provider_refused);
}

TEST_CASE("responses: encrypted reasoning is asked for where the model has any") {
  const auto asks = [](const codecs::ChatEndpoint& where) {
    const auto body = body_of(where, rebuilt_conversation());
    CHECK(body.at("store") == false);
    const auto* include = body.as_object().if_contains("include");
    return include != nullptr && *include == boost::json::array{"reasoning.encrypted_content"};
  };
  for (const auto* model : {"o1", "o3-mini", "o4-mini-2025", "gpt-5", "gpt-5-mini", "gpt-6.1", "gpt-10"}) {
    CAPTURE(model);
    CHECK(asks(openai(model)));
  }
  for (const auto* model : {"gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "omni", "o", "gpt-", "gpt-x", "ft:m"}) {
    CAPTURE(model);
    CHECK_FALSE(asks(openai(model)));
  }
  CHECK_FALSE(asks(openai("gpt-5", "https://api.x.ai/v1")));
}

TEST_CASE("responses: reasoning that is only an id is not replayed because nothing was stored") {
  const std::string with_call = R"({"type":"reasoning","id":"rs_1","summary":[]},)" + std::string(call_item);
  const auto reply = read(with_call);
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.raw.empty());
  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"c", "f", "1", false}})};
  CHECK(encode(responses, next, "")->body.find("rs_1") == std::string::npos);
  // A server of one's own writes its reasoning in the clear.
  CHECK_FALSE(
      read(R"({"type":"reasoning","id":"rs_1","content":[{"type":"reasoning_text","text":"hm"}]})").turn.raw.empty());
}

TEST_CASE("responses: an empty list of items goes back as no item") {
  ChatRequest next;
  next.turns = {user("go"), read("").turn, user("and?")};
  CHECK(body_of(responses, next).at("input").as_array().size() == 2);
}

TEST_CASE("responses: perplexity gets no member that it does not know") {
  const auto body = body_of(perplexity(), rebuilt_conversation());
  for (const auto& member : body.as_object()) {
    CAPTURE(std::string(member.key()));
    const std::string_view known[] = {"model", "input", "instructions", "tools", "max_output_tokens", "stream"};
    CHECK(std::find(std::begin(known), std::end(known), std::string_view(member.key())) != std::end(known));
  }
}

TEST_CASE("responses: a thought signature is echoed on the call and on its output") {
  const auto reply = decode(perplexity(), answer(200, response(R"({"type":"function_call","call_id":"a","name":"f",
      "arguments":"{}","thought_signature":"c2ln\/"},{"type":"function_call","call_id":"b","name":"f","arguments":"{}"})")));
  REQUIRE(reply);
  ChatRequest next;
  next.turns = {user("go"), reply->turn, outcomes({{"a", "f", "1", false}, {"b", "f", "2", false}})};
  const auto body = body_of(perplexity(), next);
  const auto& input = body.at("input").as_array();
  REQUIRE(input.size() == 5);
  CHECK(input[1].at("thought_signature") == "c2ln/");
  CHECK(input[3].at("thought_signature") == "c2ln/");
  CHECK_FALSE(input[4].as_object().contains("thought_signature"));
}

TEST_CASE("responses: arguments that are no JSON or missing reach the caller and are not replayed") {
  for (const auto* arguments : {R"("{\"a\":")", R"("")", "null"}) {
    CAPTURE(arguments);
    const auto reply =
        read(R"({"type":"function_call","call_id":"c","name":"f","arguments":)" + std::string(arguments) + "}");
    REQUIRE(reply.turn.calls.size() == 1);
    CHECK(reply.turn.raw.empty());
  }
}

TEST_CASE("responses: xai writes its errors as text beside a code") {
  const auto reply = decode(responses, answer(400, R"({"code":"Client specified an invalid argument","error":"bad"})"));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == errc::provider_rejected_request);
  CHECK(reply.error().message().find("bad") != std::string::npos);
}

TEST_CASE("responses: the probe lists models or, where there is no list, asks nothing") {
  const auto listed = codecs::encode_probe(openai("m"));
  REQUIRE(listed);
  CHECK(listed->method == "GET");
  CHECK(listed->url == "https://api.openai.com/v1/models");
  const auto empty = codecs::encode_probe(perplexity());
  REQUIRE(empty);
  CHECK(empty->method == "POST");
  CHECK(empty->url == "https://api.perplexity.ai/v1/responses");
  CHECK(empty->body == "{}");
  CHECK(header(*empty, "Content-Type") == "application/json");
}
