#include <doctest/doctest.h>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto google = endpoint(WireFamily::google_generate_content);

constexpr std::string_view parts = R"({"thought":true,"text":"hm"},
  {"text":"Looking","thoughtSignature":"c2ln\/MA=="},
  {"functionCall":{"name":"look_up","args":{"n": 1.0}},"thoughtSignature":"c2ln\/MQ=="},
  {"functionCall":{"id":"fc-9","name":"done","args":{ }}})";

std::string candidate(std::string_view inside, std::string_view finish = "STOP") {
  return R"({"candidates":[{"content":{"parts":[ )" + std::string(inside) + R"( ],"role":"model"},"finishReason":")" +
         std::string(finish) +
         R"(","index":0}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":5,)"
         R"("toolUsePromptTokenCount":7,"cachedContentTokenCount":64,"totalTokenCount":132},)"
         R"("modelVersion":"gemini-x-001","responseId":"resp-1"})";
}

ChatReply read(const std::string& body) {
  const auto reply = decode(google, answer(200, body));
  REQUIRE(reply);
  return *reply;
}

boost::json::value body_of(const ChatRequest& request, const char* model = "m-1") {
  auto where = google;
  where.model = model;
  const auto http = encode(where, request, "");
  REQUIRE(http);
  return boost::json::parse(http->body);
}

boost::json::object declaration_of(std::string_view schema) {
  auto request = rebuilt_conversation();
  request.tools = {{"f", "d", std::string(schema)}};
  return body_of(request).at("tools").at(0).at("functionDeclarations").at(0).as_object();
}

}  // namespace

TEST_CASE("google: a rebuilt conversation alternates between user and model") {
  const auto http = encode(google, rebuilt_conversation(), "req-1");
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/v1beta/models/m-1:generateContent");
  CHECK(header(*http, "x-goog-api-key") == "key-0123456789abcdef");
  CHECK(header(*http, "Authorization").empty());
  CHECK(canonical(http->body) == canonical(R"({
    "systemInstruction":{"parts":[{"text":"Be brief."}]},
    "contents":[
      {"role":"user","parts":[{"text":"Where is it?"}]},
      {"role":"model","parts":[{"text":"Looking."},
        {"functionCall":{"name":"look_up","args":{"term":"x"}}},
        {"functionCall":{"name":"look_up_","args":{}}}]},
      {"role":"user","parts":[
        {"functionResponse":{"name":"look_up","response":{"result":"line 7"}}},
        {"functionResponse":{"name":"look_up_","response":{"error":"no such tool"}}}]}],
    "tools":[{"functionDeclarations":[
      {"name":"look_up","description":"Find a term",
        "parameters":{"type":"object","properties":{"term":{"type":"string"}}}},
      {"name":"done","description":"Finish"}]}],
    "generationConfig":{"maxOutputTokens":1000}})"));
}

TEST_CASE("google: the parts of a turn are replayed byte for byte with their thought signatures") {
  const auto reply = read(candidate(parts));
  CHECK(reply.stop == Stop::tool_calls);
  CHECK(reply.turn.text == "Looking");
  REQUIRE(reply.turn.calls.size() == 2);
  CHECK(reply.turn.calls[0].id == "call_0");
  CHECK(reply.turn.calls[1].id == "fc-9");

  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"call_0", "look_up", "1", false}, {"fc-9", "done", "2", false}})};
  const auto http = encode(google, next, "");
  REQUIRE(http);
  CHECK(http->body.find(parts) != std::string::npos);
  const auto responses = boost::json::parse(http->body).at("contents").at(2).at("parts");
  CHECK_FALSE(responses.at(0).at("functionResponse").as_object().contains("id"));  // never one of ours
  CHECK(responses.at(1).at("functionResponse").at("id") == "fc-9");
}

TEST_CASE("google: calls of another model get the signature that stands for none where one is wanted") {
  const auto calls = [](const char* model) {
    const auto body = body_of(rebuilt_conversation(), model);
    return body.at("contents").at(1).at("parts").as_array();
  };
  for (const auto* model : {"gemini-3-pro", "gemini-3.5-flash", "models/gemini-4"}) {
    CAPTURE(model);
    CHECK(calls(model)[1].at("thoughtSignature") == "skip_thought_signature_validator");
    CHECK_FALSE(calls(model)[2].as_object().contains("thoughtSignature"));
  }
  for (const auto* model : {"gemini-2.5-pro", "gemini-1.5-flash", "gemma-3", "gemini-"}) {
    CAPTURE(model);
    CHECK_FALSE(calls(model)[1].as_object().contains("thoughtSignature"));
  }
}

TEST_CASE("google: calls are found among the parts because no reason says so") {
  CHECK(read(candidate(R"({"functionCall":{"name":"f"}})", "STOP")).stop == Stop::tool_calls);
  CHECK(read(candidate(R"({"functionCall":{"name":"f"}})", "")).turn.calls[0].arguments == "{}");
}

TEST_CASE("google: each reason has its meaning and an unknown one is an error") {
  const auto text = R"({"text":"Hi"})";
  CHECK(read(candidate(text)).stop == Stop::finished);
  CHECK(read(candidate(text, "MAX_TOKENS")).stop == Stop::length);
  for (const auto* reason : {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}) {
    CHECK(read(candidate(text, reason)).stop == Stop::refused);
  }
  for (const auto* reason :
       {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "OTHER", "NEW"}) {
    CAPTURE(reason);
    const auto reply = decode(google, answer(200, candidate(text, reason)));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code() == errc::provider_malformed_reply);
  }
}

TEST_CASE("google: a turn cut off by the limit keeps its text and loses its calls") {
  const auto reply = read(candidate(parts, "MAX_TOKENS"));
  CHECK(reply.stop == Stop::length);
  CHECK(reply.turn.text == "Looking");
  CHECK(reply.turn.calls.empty());
  CHECK(reply.turn.raw.empty());
}

TEST_CASE("google: a blocked prompt has no candidates and is a refusal") {
  for (const auto* candidates : {"", R"("candidates":[],)"}) {
    const auto reply = read("{" + std::string(candidates) +
                            R"("promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"not this"},)"
                            R"("usageMetadata":{"promptTokenCount":9}})");
    CHECK(reply.stop == Stop::refused);
    CHECK(reply.turn.text == "not this");
    CHECK(reply.usage.input == 9);
  }
  const auto silent = read(R"({"candidates":[{"finishReason":"SAFETY"}]})");
  CHECK(silent.stop == Stop::refused);
}

TEST_CASE("google: an answer without parts says nothing and is not sent back") {
  for (const auto* content : {"", R"("content":{"role":"model"},)", R"("content":{"role":"model","parts":[]},)"}) {
    CAPTURE(content);
    const auto reply = read(R"({"candidates":[{)" + std::string(content) + R"("finishReason":"MAX_TOKENS"}]})");
    CHECK(reply.stop == Stop::length);
    ChatRequest next;
    next.turns = {user("one"), reply.turn, user("two")};
    const auto contents = body_of(next).at("contents").as_array();
    REQUIRE(contents.size() == 1);
    CHECK(contents[0].at("parts").as_array().size() == 2);
  }
}

TEST_CASE("google: text after outcomes joins their content behind them") {
  auto request = rebuilt_conversation();
  request.turns.push_back(user("And hurry."));
  const auto contents = body_of(request).at("contents").as_array();
  REQUIRE(contents.size() == 3);
  REQUIRE(contents[2].at("parts").as_array().size() == 3);
  CHECK(contents[2].at("parts").at(2).at("text") == "And hurry.");
}

TEST_CASE("google: usage counts thoughts as output and cached tokens as input") {
  const auto reply = read(candidate(R"({"text":"Hi"})"));
  CHECK(reply.usage == Usage{107, 25, 64});
  CHECK(reply.model == "gemini-x-001");
  CHECK(reply.request_id == "resp-1");
}

TEST_CASE("google: a schema is said in the subset of openapi when the subset can say it") {
  CHECK(canonical(boost::json::serialize(declaration_of(R"({"$schema":"x","type":"object","additionalProperties":false,
    "properties":{"a":{"type":["string","null"],"minLength":1},"b":{"const":"x"},"c":{"type":"array","items":{"enum":["p","q"]}},
    "d":{"oneOf":[{"type":"string"},{"type":"integer"}]}},"required":["a"]})"))) ==
        canonical(R"({"name":"f","description":"d","parameters":{"type":"object",
    "properties":{"a":{"type":"string","nullable":true,"minLength":1},"b":{"type":"string","enum":["x"]},
    "c":{"type":"array","items":{"type":"string","enum":["p","q"]}},
    "d":{"anyOf":[{"type":"string"},{"type":"integer"}]}},"required":["a"]}})"));
}

TEST_CASE("google: a schema beyond the subset goes out as json schema and one without arguments not at all") {
  for (const auto* property : {R"({"$ref":"#/$defs/x"})", R"({"type":"object"})", R"({"enum":[1,2]})",
                               R"({"type":["string","integer"]})", R"({"allOf":[{"type":"string"}]})", "true"}) {
    CAPTURE(property);
    const std::string schema = R"({"type":"object","properties":{"a":)" + std::string(property) + "}}";
    const auto tool = declaration_of(schema);
    CHECK_FALSE(tool.contains("parameters"));
    REQUIRE(tool.contains("parametersJsonSchema"));
    CHECK(canonical(boost::json::serialize(tool.at("parametersJsonSchema"))) == canonical(schema));
  }
  for (const auto* schema : {"", R"({"type":"object"})", R"({"type":"object","additionalProperties":false})"}) {
    const auto tool = declaration_of(schema);
    CHECK_FALSE(tool.contains("parameters"));
    CHECK_FALSE(tool.contains("parametersJsonSchema"));
  }
  CHECK(declaration_of(R"({"type":"object","additionalProperties":true})").contains("parametersJsonSchema"));
}

TEST_CASE("google: a streamed answer is asked for by the path") {
  auto streaming = google;
  streaming.stream = true;
  const auto http = encode(streaming, rebuilt_conversation(), "");
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/v1beta/models/m-1:streamGenerateContent?alt=sse");
}

TEST_CASE("google: the probe asks for one model without the key in its url") {
  const auto http = codecs::encode_probe(google);
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/v1beta/models?pageSize=1");
  CHECK(header(*http, "x-goog-api-key") == "key-0123456789abcdef");
}
