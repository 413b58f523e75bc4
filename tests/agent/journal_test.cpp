#include "agent/journal.hpp"

#include <doctest/doctest.h>

using namespace openindex;
using namespace std::string_literals;

namespace {

// Whatever a model may write: quotes, escapes, line ends, zeros, separators, the last code point.
const std::string nasty = "\"\\/\b\f\n\r\t\0\x1f\x7f </script> {\"a\":[1]} é漢😀\xe2\x80\xa8\xf4\x8f\xbf\xbf"s;

}  // namespace

TEST_CASE("a turn comes back from the journal exactly as it went in") {
  ChatReply reply;
  reply.turn.role = ChatTurn::Role::assistant;
  reply.turn.text = nasty;
  reply.turn.calls = {{"toolu_1", "set_fields", nasty}, {"", "", ""}};
  reply.turn.raw = "[{\"type\":\"text\",\"text\":\"\\u00e9\"} , 1.0e5]";
  reply.turn.raw_family = WireFamily::anthropic_messages;
  reply.usage = {123'456'789'012, 7, 3};
  reply.model = "m";
  reply.request_id = "req_1";
  for (const auto stop : {ChatReply::Stop::finished, ChatReply::Stop::tool_calls, ChatReply::Stop::length,
                          ChatReply::Stop::refused, ChatReply::Stop::other}) {
    reply.stop = stop;
    const auto read = agent::read_turn(agent::turn_body(reply, "prov_1")).value();
    CHECK(read.turn.role == ChatTurn::Role::assistant);
    CHECK(read.turn.text == nasty);
    REQUIRE(read.turn.calls.size() == 2);
    CHECK(read.turn.calls[0].id == "toolu_1");
    CHECK(read.turn.calls[0].name == "set_fields");
    CHECK(read.turn.calls[0].arguments == nasty);
    CHECK(read.turn.raw == reply.turn.raw);
    CHECK(read.turn.raw_family == WireFamily::anthropic_messages);
    CHECK(read.stop == stop);
    CHECK(read.usage == reply.usage);
    CHECK(read.model == "m");
    CHECK(read.request_id == "req_1");
  }
}

TEST_CASE("a turn of every wire family comes back as one of that family") {
  for (const auto family : {WireFamily::openai_chat, WireFamily::openai_responses, WireFamily::anthropic_messages,
                            WireFamily::google_generate_content, WireFamily::cohere_chat, WireFamily::bedrock_converse,
                            WireFamily::ollama_chat}) {
    ChatReply reply;
    reply.turn.role = ChatTurn::Role::assistant;
    reply.turn.raw = "{}";
    reply.turn.raw_family = family;
    CHECK(agent::read_turn(agent::turn_body(reply, "prov_1")).value().turn.raw_family == family);
  }
}

TEST_CASE("a tool step comes back exactly as it went in") {
  const auto [call, outcome] =
      agent::read_tool(agent::tool_body({"c1", "search", nasty}, {"c1", "search", nasty, true})).value();
  CHECK(call.arguments == nasty);
  CHECK(outcome.id == "c1");
  CHECK(outcome.name == "search");
  CHECK(outcome.text == nasty);
  CHECK(outcome.is_error);
}

TEST_CASE("context, intent and note come back exactly as they went in") {
  const auto [system, user] = agent::read_context(agent::context_body(nasty, nasty + "u")).value();
  CHECK(system == nasty);
  CHECK(user == nasty + "u");
  const auto call = agent::read_intent(agent::intent_body({"c1", "search", nasty})).value();
  CHECK(call.id == "c1");
  CHECK(call.name == "search");
  CHECK(call.arguments == nasty);
  CHECK(agent::read_note(agent::note_body(nasty)).value() == nasty);
}

TEST_CASE("bytes that are no UTF-8 do not break the journal") {
  CHECK(agent::read_tool(agent::tool_body({"c", "t", "{}"}, {"c", "t", "a\xff", false})).value().second.text ==
        "a\xEF\xBF\xBD");
}

TEST_CASE("members that a version does not know are ignored") {
  CHECK(agent::read_note(R"({"text":"a","commit":"c1","later":[1]})").value() == "a");
}

TEST_CASE("a body of the wrong shape is an error with its places") {
  const auto turn = agent::read_turn(R"({"text":1,"calls":[{"id":2}],"stop":"soon","family":"telegraph"})");
  REQUIRE_FALSE(turn.has_value());
  CHECK(turn.error().code() == errc::storage_corrupt);
  CHECK(turn.error().problems().size() == 4);
  CHECK(agent::read_tool("{}").error().code() == errc::storage_corrupt);
  CHECK(agent::read_intent("{\"call\":3}").error().code() == errc::storage_corrupt);
  CHECK(agent::read_context("").error().code() == errc::storage_corrupt);
}
