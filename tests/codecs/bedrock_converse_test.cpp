#include <doctest/doctest.h>

#include "codecs/aws_signature.hpp"
#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;
using Stop = ChatReply::Stop;

namespace {

const auto bedrock = endpoint(WireFamily::bedrock_converse);
const Time now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 27)) + std::chrono::hours(3);

codecs::ChatEndpoint regional() {
  auto made = bedrock;
  made.base_url.clear();
  made.region = "eu-central-1";
  made.model = "anthropic.claude-3-5-sonnet-20240620-v1:0";
  return made;
}

codecs::ChatEndpoint with_access_key() {
  auto made = regional();
  made.access_key = "AKIDEXAMPLE";
  made.api_key = "wJalrXUtnFEMI/K7MDENG";
  made.session_token = "session-token-0123456789";
  return made;
}

constexpr std::string_view blocks =
    R"({"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln\/"}}}, {"text":"Looking"},
  {"toolUse":{"toolUseId":"tooluse_1","name":"look_up","input":{"n": 1.0}}})";

std::string message(std::string_view content, std::string_view stop = "end_turn") {
  return R"({"metrics":{"latencyMs":5},"output":{"message":{"content":[ )" + std::string(content) +
         R"( ],"role":"assistant"}},"stopReason":")" + std::string(stop) +
         R"(","usage":{"inputTokens":10,"outputTokens":5,"totalTokens":1115,"cacheReadInputTokens":1000,"cacheWriteInputTokens":100}})";
}

ChatReply read(std::string_view content, std::string_view stop = "end_turn") {
  const auto reply = decode(bedrock, answer(200, message(content, stop), {{"x-amzn-RequestId", "req-7"}}));
  REQUIRE(reply);
  return *reply;
}

boost::json::value body_of(const ChatRequest& request) {
  const auto http = encode(bedrock, request, "");
  REQUIRE(http);
  return boost::json::parse(http->body);
}

}  // namespace

TEST_CASE("bedrock: a rebuilt conversation is made of tagged blocks with all outcomes in one message") {
  const auto http = encode(bedrock, rebuilt_conversation(), "req-1");
  REQUIRE(http);
  CHECK(http->url == "https://api.example.com/model/m-1/converse");
  CHECK(header(*http, "Authorization") == "Bearer key-0123456789abcdef");
  CHECK(canonical(http->body) == canonical(R"({
    "system":[{"text":"Be brief."}],
    "messages":[
      {"role":"user","content":[{"text":"Where is it?"}]},
      {"role":"assistant","content":[{"text":"Looking."},
        {"toolUse":{"toolUseId":"call_1_0","name":"look_up","input":{"term":"x"}}},
        {"toolUse":{"toolUseId":"call_1_1","name":"look_up_","input":{}}}]},
      {"role":"user","content":[
        {"toolResult":{"toolUseId":"call_1_0","content":[{"text":"line 7"}],"status":"success"}},
        {"toolResult":{"toolUseId":"call_1_1","content":[{"text":"no such tool"}],"status":"error"}}]}],
    "inferenceConfig":{"maxTokens":1000},
    "toolConfig":{"tools":[
      {"toolSpec":{"name":"look_up","description":"Find a term",
        "inputSchema":{"json":{"type":"object","properties":{"term":{"type":"string"}}}}}},
      {"toolSpec":{"name":"done","description":"Finish","inputSchema":{"json":{"type":"object","properties":{}}}}}]}})"));
}

TEST_CASE("bedrock: the blocks of a turn are replayed byte for byte with their signatures") {
  const auto reply = read(blocks, "tool_use");
  CHECK(reply.stop == Stop::tool_calls);
  CHECK(reply.turn.text == "Looking");
  REQUIRE(reply.turn.calls.size() == 1);
  CHECK(reply.turn.calls[0].id == "tooluse_1");
  ChatRequest next;
  next.turns = {user("go"), reply.turn, outcomes({{"tooluse_1", "look_up", "1", false}})};
  const auto http = encode(bedrock, next, "");
  REQUIRE(http);
  CHECK(http->body.find(blocks) != std::string::npos);
  CHECK(http->body.find(R"("toolUseId":"tooluse_1","content")") != std::string::npos);
}

TEST_CASE("bedrock: tools are configured whenever the history holds a call") {
  auto request = rebuilt_conversation();
  request.tools.clear();
  const auto tools = body_of(request).at("toolConfig").at("tools").as_array();
  REQUIRE(tools.size() == 2);
  CHECK(tools[0].at("toolSpec").at("name") == "look_up");
  CHECK(tools[1].at("toolSpec").at("name") == "look_up_");
  request.turns.resize(1);
  CHECK_FALSE(body_of(request).as_object().contains("toolConfig"));
}

TEST_CASE("bedrock: blank text is left out because blank blocks are refused") {
  auto request = rebuilt_conversation();
  request.tools[0].description.clear();
  request.turns[1].text = " ";
  request.turns[2].outcomes[0].text.clear();
  const auto body = body_of(request);
  CHECK(body.at("messages").at(1).at("content").as_array().size() == 2);
  CHECK(body.at("messages").at(2).at("content").at(0).at("toolResult").at("content").at(0).at("text") == "(no output)");
  CHECK_FALSE(body.at("toolConfig").at("tools").at(0).at("toolSpec").as_object().contains("description"));
}

TEST_CASE("bedrock: a turn that said nothing is left out and the sides still alternate") {
  ChatRequest next;
  next.turns = {user("one"), read("").turn, user("two"), assistant("three"), assistant("four")};
  const auto messages = body_of(next).at("messages").as_array();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].at("content").as_array().size() == 2);
  CHECK(messages[1].at("content").as_array().size() == 2);
}

TEST_CASE("bedrock: cached tokens count as input") {
  const auto reply = read(R"({"text":"Hi"})");
  CHECK(reply.usage == Usage{1110, 5, 1000});
  CHECK(reply.request_id == "req-7");
}

TEST_CASE("bedrock: each stop reason has its meaning") {
  const auto text = R"({"text":"Hi"})";
  CHECK(read(text, "end_turn").stop == Stop::finished);
  CHECK(read(text, "stop_sequence").stop == Stop::finished);
  CHECK(read(text, "max_tokens").stop == Stop::length);
  CHECK(read(text, "model_context_window_exceeded").stop == Stop::length);
  CHECK(read(text, "guardrail_intervened").stop == Stop::refused);
  CHECK(read(text, "content_filtered").stop == Stop::refused);
  CHECK(read(text, "something_new").stop == Stop::other);
  CHECK(read(blocks, "end_turn").stop == Stop::tool_calls);
  CHECK(read(blocks, "max_tokens").turn.calls.empty());
  for (const auto* reason : {"malformed_tool_use", "malformed_model_output"}) {
    CHECK(decode(bedrock, answer(200, message(text, reason))).error().code() == errc::provider_malformed_reply);
  }
}

TEST_CASE("bedrock: a model is one segment of the path") {
  CHECK(
      encode(regional(), rebuilt_conversation(), "")->url ==
      "https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse");
  auto profile = regional();
  profile.model = "arn:aws:bedrock:eu-central-1:1:inference-profile/x";
  CHECK(encode(profile, rebuilt_conversation(), "")
            ->url.ends_with("/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Ainference-profile%2Fx/converse"));
  profile.region = "cn-north-1";
  CHECK(encode(profile, rebuilt_conversation(), "")
            ->url.starts_with("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/"));
  profile.stream = true;
  CHECK(encode(profile, rebuilt_conversation(), "")->url.ends_with("/converse-stream"));
}

TEST_CASE("bedrock: a region that is none makes no host") {
  for (const auto* region : {"", "eu.evil.example/", "a@b", "EU"}) {
    auto where = regional();
    where.region = region;
    CHECK(encode(where, rebuilt_conversation(), "").error().code() == errc::invalid_argument);
    CHECK_FALSE(codecs::encode_probe(where));
  }
}

TEST_CASE("bedrock: an access key signs the request as it is sent") {
  const auto http = encode(with_access_key(), rebuilt_conversation(), "req-1", now);
  REQUIRE(http);
  CHECK(header(*http, "X-Amz-Date") == "20261127T030000Z");
  CHECK(header(*http, "X-Amz-Security-Token") == "session-token-0123456789");
  CHECK(header(*http, "Host").empty());  // the client writes it
  HttpRequest again{.method = http->method, .url = http->url, .body = http->body};
  again.headers = {{"Content-Type", "application/json"}};
  codecs::sign(again, {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session-token-0123456789"}, {"eu-central-1", "bedrock"},
               now);
  CHECK(header(*http, "Authorization") == header(again, "Authorization"));
  CHECK(header(*http, "Authorization")
            .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261127/eu-central-1/bedrock/aws4_request, "
                         "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="));
  CHECK(codecs::canonical_request(again).find("-v1%253A0/converse") != std::string::npos);
}

TEST_CASE("bedrock: nothing is signed without the time or the region") {
  CHECK(encode(with_access_key(), rebuilt_conversation(), "").error().code() == errc::invalid_argument);
  auto where = with_access_key();
  where.region.clear();
  where.base_url = "https://vpce.example.com";
  CHECK(encode(where, rebuilt_conversation(), "", now).error().code() == errc::invalid_argument);
}

TEST_CASE("bedrock: the probe asks the control plane") {
  const auto http = codecs::encode_probe(with_access_key(), now);
  REQUIRE(http);
  CHECK(http->method == "GET");
  CHECK(http->url == "https://bedrock.eu-central-1.amazonaws.com/foundation-models");
  CHECK(header(*http, "Authorization").find("SignedHeaders=host;x-amz-date;x-amz-security-token") != std::string::npos);
  CHECK(codecs::encode_probe(bedrock)->url == "https://api.example.com/foundation-models");
}

TEST_CASE("bedrock: an error names its kind in a header") {
  const auto code = [](int status, std::string type, std::string body = R"({"message":"x"})") {
    const auto reply = decode(bedrock, answer(status, std::move(body), {{"x-amzn-ErrorType", std::move(type)}}));
    REQUIRE_FALSE(reply);
    return name(reply.error().code());
  };
  CHECK(code(429, "ThrottlingException:http://internal.amazon.com/x") == "provider_rate_limited");
  CHECK(code(429, "ModelNotReadyException") == "provider_overloaded");
  CHECK(code(400, "ServiceQuotaExceededException") == "provider_rate_limited");
  CHECK(code(400, "ValidationException", R"({"message":"Input is too long for requested model."})") ==
        "provider_context_too_long");
  CHECK(code(400, "ValidationException") == "provider_rejected_request");
  CHECK(code(403, "ExpiredTokenException") == "provider_unauthorized");
  CHECK(code(400, "ExpiredTokenException") == "provider_unauthorized");
  CHECK(code(400, "UnrecognizedClientException") == "provider_unauthorized");
  CHECK(code(404, "ResourceNotFoundException") == "provider_rejected_request");
  CHECK(code(408, "ModelTimeoutException") == "provider_overloaded");
  CHECK(code(424, "ModelErrorException") == "provider_overloaded");
  CHECK(code(503, "ServiceUnavailableException") == "provider_overloaded");
  CHECK(code(400, "", R"({"__type":"com.amazon#ServiceQuotaExceededException","Message":"x"})") ==
        "provider_rate_limited");
  const auto error =
      decode(bedrock, answer(429, R"({"Message":"slow"})", {{"x-amzn-ErrorType", "ThrottlingException:http://x"}}))
          .error();
  CHECK(error.context("type") == "ThrottlingException");
  CHECK(error.message().find("slow") != std::string::npos);
}

TEST_CASE("bedrock: a session token is not repeated in an error") {
  const auto error =
      decode(with_access_key(), answer(403, R"({"message":"The token session-token-0123456789 has expired"})")).error();
  CHECK(error.describe().find("0123456789") == std::string::npos);
}
