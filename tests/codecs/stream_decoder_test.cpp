#include "codecs/stream_decoder.hpp"

#include <doctest/doctest.h>

#include "codecs/stream_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::StreamDecoder;
using Stop = ChatReply::Stop;

namespace {

StreamDecoder decoder(WireFamily family, int status = 200, HttpHeaders headers = {}) {
  return {endpoint(family), answer(status, "", std::move(headers))};
}

// What came of the chunks: the text on the way and the reply at the end.
struct Seen {
  std::string text;
  Result<ChatReply> reply;
};

Seen feed(WireFamily family, std::initializer_list<std::string_view> chunks) {
  auto stream = decoder(family);
  std::string text;
  for (const auto chunk : chunks) {
    auto more = stream.decode_event(chunk);
    if (!more) return {text, more.error()};
    text += *more;
  }
  return {text, stream.finish()};
}

Seen feed(WireFamily family, const std::string& stream) { return feed(family, {std::string_view(stream)}); }

void check_same(const ChatReply& streamed, const ChatReply& whole) {
  CHECK(streamed.turn.text == whole.turn.text);
  CHECK(streamed.stop == whole.stop);
  CHECK(streamed.usage == whole.usage);
  CHECK(streamed.model == whole.model);
  CHECK(streamed.request_id == whole.request_id);
  CHECK(streamed.turn.role == whole.turn.role);
  CHECK(streamed.turn.raw_family == whole.turn.raw_family);
  CHECK(canonical(streamed.turn.raw) == canonical(whole.turn.raw));
  REQUIRE(streamed.turn.calls.size() == whole.turn.calls.size());
  for (std::size_t i = 0; i < whole.turn.calls.size(); ++i) {
    CHECK(streamed.turn.calls[i].id == whole.turn.calls[i].id);
    CHECK(streamed.turn.calls[i].name == whole.turn.calls[i].name);
    CHECK(canonical(streamed.turn.calls[i].arguments) == canonical(whole.turn.calls[i].arguments));
  }
}

}  // namespace

TEST_CASE("a streamed answer is the answer that comes in one piece") {
  for (const auto& [family, stream, whole] : streams()) {
    const int shown = static_cast<int>(family);
    CAPTURE(shown);
    const auto expected = decode(endpoint(family), answer(200, whole));
    REQUIRE(expected);
    CHECK(expected->stop == Stop::tool_calls);
    const auto seen = feed(family, stream);
    REQUIRE(seen.reply);
    CHECK(seen.text == "Héllo");
    check_same(*seen.reply, *expected);
  }
}

TEST_CASE("a stream may be cut at any byte") {
  for (const auto& [family, stream, whole] : streams()) {
    const auto expected = decode(endpoint(family), answer(200, whole));
    const std::string_view text = stream;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      const auto seen = feed(family, {text.substr(0, at), text.substr(at)});
      if (!seen.reply || seen.text != "Héllo" || seen.reply->turn.calls.size() != expected->turn.calls.size()) {
        const int shown = static_cast<int>(family);
        CAPTURE(shown);
        CAPTURE(at);
        FAIL("the cut changed the answer");
      }
    }
  }
}

TEST_CASE("a stream may come byte by byte") {
  for (const auto& [family, stream, whole] : streams()) {
    auto bytes = decoder(family);
    std::string text;
    for (const char& byte : stream) {
      const auto more = bytes.decode_event({&byte, 1});
      REQUIRE(more);
      text += *more;
    }
    CHECK(text == "Héllo");
    const auto reply = bytes.finish();
    REQUIRE(reply);
    check_same(*reply, *decode(endpoint(family), answer(200, whole)));
  }
}

TEST_CASE("a stream that breaks off is no answer") {
  for (const auto& [family, stream, whole] : streams()) {
    for (std::size_t length = 0; length < stream.size() / 2; ++length) {
      const auto seen = feed(family, stream.substr(0, length));
      if (seen.reply || seen.reply.error().code() != errc::provider_malformed_reply) {
        const int shown = static_cast<int>(family);
        CAPTURE(shown);
        CAPTURE(length);
        FAIL("half an answer was taken for one");
      }
    }
  }
}

TEST_CASE("an error in the middle of a stream is classified like one at its start") {
  struct {
    WireFamily family;
    std::string stream;
    errc code;
  } const table[] = {
      {WireFamily::openai_chat, sse({R"({"error":{"message":"x","code":"rate_limit_exceeded"}})"}),
       errc::provider_rate_limited},
      {WireFamily::openai_responses,
       sse({R"({"type":"error","code":"rate_limit_exceeded","message":"x","param":null})"}),
       errc::provider_rate_limited},
      {WireFamily::openai_responses,
       sse({R"({"type":"response.failed","response":{"status":"failed","output":[],"error":{"code":"server_error","message":"x"}}})"}),
       errc::provider_overloaded},
      {WireFamily::anthropic_messages, sse({R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})"}),
       errc::provider_overloaded},
      {WireFamily::ollama_chat, "{\"error\":\"out of memory\"}\n", errc::provider_overloaded},
      {WireFamily::ollama_chat, "{\"error\":\"out of memory\"}", errc::provider_overloaded},
      {WireFamily::google_generate_content,
       sse({R"([{"error":{"code":429,"message":"rate limit","status":"RESOURCE_EXHAUSTED"}}])"}),
       errc::provider_rate_limited},
      {WireFamily::cohere_chat, sse({R"({"type":"message-end","delta":{"finish_reason":"ERROR"}})"}),
       errc::provider_overloaded},
      {WireFamily::bedrock_converse,
       aws_frame(aws_header(":message-type", "exception") + aws_header(":exception-type", "throttlingException"),
                 R"({"message":"slow down"})"),
       errc::provider_rate_limited},
      {WireFamily::bedrock_converse,
       aws_frame(aws_header(":message-type", "exception") + aws_header(":exception-type", "modelStreamErrorException"),
                 R"({"message":"x"})"),
       errc::provider_overloaded},
  };
  for (const auto& [family, stream, code] : table) {
    const std::string shown(stream);
    CAPTURE(shown);
    const auto seen = feed(family, stream);
    REQUIRE_FALSE(seen.reply);
    CHECK(name(seen.reply.error().code()) == name(code));
  }
}

TEST_CASE("after a failure a stream keeps failing in the same way") {
  auto stream = decoder(WireFamily::openai_chat);
  CHECK_FALSE(stream.decode_event(sse({"no json"})));
  CHECK_FALSE(stream.decode_event(sse({R"({"choices":[]})"})));
  CHECK(stream.finish().error().code() == errc::provider_malformed_reply);
}

TEST_CASE("an answer that is refused before it streams is an error like any other") {
  auto stream = decoder(WireFamily::anthropic_messages, 429, {{"Retry-After", "7"}});
  CHECK(stream.decode_event(R"({"type":"error","error":{"type":"rate_)")->empty());
  CHECK(stream.decode_event(R"(limit_error","message":"x"}})")->empty());
  const auto reply = stream.finish();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == errc::provider_rate_limited);
  CHECK(reply.error().retry_after() == Duration(7000));
}

TEST_CASE("calls that a stream cuts off are not offered") {
  const auto openai = feed(
      WireFamily::openai_chat,
      sse({R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x"}}]}}]})",
           R"({"choices":[{"delta":{},"finish_reason":"length"}]})", "[DONE]"}));
  REQUIRE(openai.reply);
  CHECK(openai.reply->stop == Stop::length);
  CHECK(openai.reply->turn.calls.empty());
  const auto bedrock = feed(
      WireFamily::bedrock_converse,
      aws_event("contentBlockStart", R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f"}}})") +
          aws_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"x"}}})") +
          aws_event("messageStop", R"({"stopReason":"max_tokens"})"));
  REQUIRE(bedrock.reply);
  CHECK(bedrock.reply->stop == Stop::length);
  CHECK(bedrock.reply->turn.calls.empty());
}

TEST_CASE("input that a stream leaves broken reaches the caller as text and is not replayed") {
  const auto seen = feed(
      WireFamily::anthropic_messages,
      sse({R"({"type":"message_start","message":{"id":"m"}})",
           R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x"}})",
           R"({"type":"message_delta","delta":{"stop_reason":"tool_use"}})", R"({"type":"message_stop"})"}));
  REQUIRE(seen.reply);
  REQUIRE(seen.reply->turn.calls.size() == 1);
  CHECK(seen.reply->turn.calls[0].arguments == "{\"x");
  CHECK(seen.reply->turn.raw.empty());
}

TEST_CASE("a plan of Cohere's is the text that is watched, piece by piece, unless the turn has another") {
  const std::string begin = R"({"type":"message-start","id":"c"})";
  const std::string plan = R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will "}}})";
  const std::string more = R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":"look"}}})";
  const std::string call =
      R"({"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}}}})";
  const std::string end = R"({"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}})";
  const auto seen = feed(WireFamily::cohere_chat, sse({begin, plan, more, call, end}));
  REQUIRE(seen.reply);
  CHECK(seen.text == "I will look");
  CHECK(seen.reply->turn.text == seen.text);
  const std::string said = R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Well"}}}})";
  const auto both = feed(WireFamily::cohere_chat, sse({begin, said, plan, call, end}));
  REQUIRE(both.reply);
  CHECK(both.text == "Well");
  CHECK(both.reply->turn.text == both.text);
}

TEST_CASE("a call without an index goes on until the next id") {
  const auto seen =
      feed(WireFamily::openai_chat,
           sse({R"({"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}}]})",
                R"({"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}}]})",
                R"({"choices":[{"delta":{"tool_calls":[{"id":"b","function":{"name":"g","arguments":{"x":1}}}]}}]})",
                R"({"choices":[{"delta":{"content":[{"type":"text","text":"t"}]},"finish_reason":"stop"}]})"}));
  REQUIRE(seen.reply);
  CHECK(seen.text == "t");
  REQUIRE(seen.reply->turn.calls.size() == 2);
  CHECK(seen.reply->turn.calls[0].arguments == "{}");
  CHECK(seen.reply->turn.calls[1].arguments == R"({"x":1})");
}

TEST_CASE("a blocked prompt is a refusal when it streams too") {
  const auto seen = feed(WireFamily::google_generate_content, sse({R"({"promptFeedback":{"blockReason":"SAFETY"}})"}));
  REQUIRE(seen.reply);
  CHECK(seen.reply->stop == Stop::refused);
}

TEST_CASE("an event in an array is an error or no event") {
  const auto seen = feed(WireFamily::google_generate_content,
                         "data: [{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\","
                         "\"args\":{}}}]}}]}]\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]},"
                         "\"finishReason\":\"STOP\"}]}\n\n");
  REQUIRE_FALSE(seen.reply);
  CHECK(seen.reply.error().code() == errc::provider_malformed_reply);
  const auto failed = feed(WireFamily::google_generate_content,
                           "data: [{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}]\n\n");
  REQUIRE_FALSE(failed.reply);
  CHECK(failed.reply.error().code() == errc::provider_rate_limited);
}

TEST_CASE("a stream is bounded however it grows") {
  const std::string piece(100'000, 'x');
  const auto ends = [](StreamDecoder stream, const std::string& chunk) {
    for (int i = 0; i < 200'000; ++i) {
      const auto more = stream.decode_event(chunk);
      if (!more) return more.error().code();
    }
    return errc{};
  };
  // an event that never ends; an answer that never ends; parts that hold nothing
  for (const auto family : families) {
    const int shown = static_cast<int>(family);
    CAPTURE(shown);
    if (family == WireFamily::bedrock_converse) continue;
    CHECK(ends(decoder(family), "data: " + piece) == errc::provider_malformed_reply);
  }
  CHECK(ends(decoder(WireFamily::openai_chat), "data: " + piece + "\n") == errc::provider_malformed_reply);
  CHECK(ends(decoder(WireFamily::openai_chat), sse({R"({"choices":[{"delta":{"content":")" + piece + "\"}}]}"})) ==
        errc::provider_malformed_reply);
  CHECK(ends(decoder(WireFamily::ollama_chat), R"({"message":{"content":")" + piece + "\"}}\n") ==
        errc::provider_malformed_reply);
  CHECK(ends(decoder(WireFamily::google_generate_content),
             sse({R"({"candidates":[{"content":{"parts":[{"x":1},{"x":1},{"x":1},{"x":1}]}}]})"})) ==
        errc::provider_malformed_reply);
  CHECK(ends(decoder(WireFamily::bedrock_converse),
             aws_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":")" + piece + "\"}}")) ==
        errc::provider_malformed_reply);
}

TEST_CASE("a binary event with a wrong length or checksum is refused") {
  const std::string frame = aws_event("messageStop", R"({"stopReason":"end_turn"})");
  CHECK(feed(WireFamily::bedrock_converse, aws_event("contentBlockDelta", R"({"delta":{"text":"x"}})") + frame).reply);
  for (std::size_t at = 0; at < frame.size(); ++at) {
    std::string changed = frame;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    const auto seen = feed(WireFamily::bedrock_converse, changed);
    CAPTURE(at);
    CHECK_FALSE(seen.reply);
  }
  const std::string broken_header = std::string(
      "\x05"
      "abc\x07",
      5);
  CHECK_FALSE(feed(WireFamily::bedrock_converse, aws_frame(broken_header, "{}")).reply);
  CHECK_FALSE(feed(WireFamily::bedrock_converse, aws_frame(aws_header(":event-type", "a\":1"), "{}")).reply);
  CHECK_FALSE(feed(WireFamily::bedrock_converse, big_endian(0xFFFFFFFF, 4) + std::string(8, '\0')).reply);
}

TEST_CASE("headers of every type are passed over in a binary event") {
  const auto typed = [](char type, std::size_t bytes) {
    return std::string("\x01x") + type + std::string(bytes, '\0');
  };
  const std::string headers = typed(0, 0) + typed(1, 0) + typed(2, 1) + typed(3, 2) + typed(4, 4) + typed(5, 8) +
                              typed(6, 2) + typed(8, 8) + typed(9, 16) + aws_header(":event-type", "messageStop");
  CHECK(feed(WireFamily::bedrock_converse, aws_frame(headers, R"({"stopReason":"end_turn"})")).reply);
}

TEST_CASE("a stream with any one byte changed is read or refused") {
  for (const auto& [family, stream, whole] : streams()) {
    if (family == WireFamily::bedrock_converse) continue;
    for (std::size_t at = 0; at < stream.size(); ++at) {
      for (const char byte : {'"', '{', ']', '\n', '\0', '\xff'}) {
        std::string changed = stream;
        changed[at] = byte;
        const auto seen = feed(family, changed);
        if (seen.reply && !seen.reply->turn.raw.empty()) CHECK_NOTHROW(boost::json::parse(seen.reply->turn.raw));
      }
    }
  }
}
