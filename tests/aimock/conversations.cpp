// The conversation of fixtures/*.json on every wire, against a mock server that others wrote: see tests/aimock/run.
//
// The server reads the whole conversation with every request and answers only when the instructions, the tools, the
// number of the assistant's turns, the id of the call and its result are what the fixture says.

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <openindex/adapters/curl_http_client.hpp>

#include "codecs/codec_fixture.hpp"
#include "codecs/stream_decoder.hpp"

using namespace openindex;
using test::families;
using Stop = ChatReply::Stop;

namespace {

enum class Way { whole, streamed };

// What stands in front of the family's own path at the server, and which fixture is its.
struct Place {
  std::string_view prefix = {};
  std::string_view model = {};
  bool has_ids = true;
  bool has_usage = true;
  std::string_view thought = {};  // of the first turn: part of what goes back as it came
  std::string_view plan = {};     // made up by the server before it streams calls; not shown on the way
};

Place place_of(WireFamily family) {
  switch (family) {
    case WireFamily::openai_chat:
      return {.prefix = "/v1", .model = "mock-turns"};
    case WireFamily::openai_responses:  // the server counts the items of a turn, not the turns
      return {.prefix = "/v1", .model = "mock-items", .thought = "The list may know."};
    case WireFamily::anthropic_messages:
      return {.model = "mock-thinking", .thought = "c2lnbmVk"};  // the signature
    case WireFamily::bedrock_converse:
      return {.model = "mock-thinking", .thought = "The list may know."};
    case WireFamily::google_generate_content:  // the server has to be told to end calls with STOP, as Google does
      return {.model = "mock-google", .thought = "The list may know."};
    case WireFamily::cohere_chat:
      return {.model = "mock-turns", .plan = "I will use the requested tool."};
    case WireFamily::ollama_chat:
      return {.model = "mock-turns-without-ids", .has_ids = false, .has_usage = false};
  }
  return {};
}

codecs::ChatEndpoint endpoint(WireFamily family, Way way) {
  const char* server = std::getenv("OPENINDEX_AIMOCK_URL");
  REQUIRE_MESSAGE(server != nullptr, "OPENINDEX_AIMOCK_URL is not set: start tests/aimock/run");
  const Place place = place_of(family);
  codecs::ChatEndpoint made = test::endpoint(family);
  made.base_url = server + std::string(place.prefix);
  made.model = place.model;
  made.stream = way == Way::streamed;
  if (family == WireFamily::bedrock_converse) {
    made.region = "eu-central-1";
    made.access_key = "AKIDEXAMPLE";
  }
  return made;
}

ChatRequest question() {
  ChatRequest request;
  request.system = "Be brief.";
  request.output_tokens_max = 1000;
  request.tools = {
      {"look_up", "Find a thing",
       R"({"type":"object","properties":{"term":{"type":"string"},"limit":{"type":"integer"}},"required":["term"]})"},
      {"list_shelf", "List what is there", ""}};
  request.turns = {test::user("Where is the lamp?")};
  return request;
}

std::string_view streamed_type(WireFamily family) {
  if (family == WireFamily::ollama_chat) return "application/x-ndjson";
  if (family == WireFamily::bedrock_converse) return "application/vnd.amazon.eventstream";
  return "text/event-stream";
}

// The client hands over whole bodies, so the stream is cut here: into pieces that end anywhere.
Result<ChatReply> read_stream(const codecs::ChatEndpoint& endpoint, HttpResponse response) {
  constexpr std::size_t piece = 7;
  CHECK(response.header("content-type").starts_with(streamed_type(endpoint.family)));
  const std::string body = std::exchange(response.body, {});
  codecs::StreamDecoder decoder(endpoint, std::move(response));
  std::string text;
  for (std::size_t at = 0; at < body.size(); at += piece) {
    const auto more = decoder.decode_event(std::string_view(body).substr(at, piece));
    if (!more) return more.error();
    text += *more;
  }
  auto reply = decoder.finish();
  const std::string_view plan = place_of(endpoint.family).plan;
  if (reply && (plan.empty() || reply->turn.text != plan)) CHECK(text == reply->turn.text);
  return reply;
}

Result<ChatReply> ask(const codecs::ChatEndpoint& endpoint, const ChatRequest& request) {
  static CurlHttpClient client({.egress = Egress::public_and_loopback()});
  auto http = codecs::encode(endpoint, request, "request-1", system_clock().now());
  if (!http) return http.error();
  http->timeout = Duration(10'000);
  auto response = send_and_wait(client, std::move(*http));
  if (!response) return response.error();
  if (endpoint.stream && response->status == 200) return read_stream(endpoint, std::move(*response));
  return codecs::decode(endpoint, *response);
}

struct Expected {
  std::string text;
  std::vector<ToolUse> calls;
  Usage usage;
};

const Expected turn_1{"", {{"call_lamp", "look_up", R"({"term":"lamp","limit":3})"}}, {11, 3, 0}};
const Expected turn_2{"It was moved; two looks more — then I know.",
                      {{"call_row", "look_up", R"({"term":"row 7","limit":1})"}, {"call_shelf", "list_shelf", "{}"}},
                      {23, 5, 0}};
const Expected turn_3{"The lamp is in row 7, third from the left — behind the café's sign.", {}, {37, 7, 0}};

// Tell whether the calls are those that the next turn answers.
bool check_reply(const ChatReply& reply, const Expected& expected, const codecs::ChatEndpoint& endpoint) {
  const Place place = place_of(endpoint.family);
  CHECK(reply.turn.text == (endpoint.stream && expected.text.empty() ? place.plan : expected.text));
  CHECK(reply.stop == (expected.calls.empty() ? Stop::finished : Stop::tool_calls));
  if (place.has_usage) CHECK(reply.usage == expected.usage);
  CHECK(reply.turn.calls.size() == expected.calls.size());
  if (reply.turn.calls.size() != expected.calls.size()) return false;
  for (std::size_t i = 0; i < expected.calls.size(); ++i) {
    if (place.has_ids) CHECK(reply.turn.calls[i].id == expected.calls[i].id);
    CHECK(reply.turn.calls[i].name == expected.calls[i].name);
    CHECK(test::canonical(reply.turn.calls[i].arguments) == test::canonical(expected.calls[i].arguments));
  }
  return true;
}

ChatTurn results(const ChatTurn& asked, std::vector<std::string> texts) {
  ChatTurn turn;
  turn.role = ChatTurn::Role::tool;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    turn.outcomes.push_back({asked.calls[i].id, asked.calls[i].name, std::move(texts[i]), false});
  }
  return turn;
}

// A conversation that goes on: what is asked, and what every answer has to be.
class Conversation {
 public:
  Conversation(WireFamily family, Way way) : endpoint_(endpoint(family, way)) {}

  /// Ask for the next answer; tell whether there is one to go on from. Fatal checks would hide the other wires.
  bool expect(const Expected& expected) {
    const auto reply = ask(endpoint_, request_);
    if (!reply) FAIL_CHECK(reply.error().message());
    if (!reply || !check_reply(*reply, expected, endpoint_)) return false;
    if (request_.turns.size() == 1)
      CHECK(reply->turn.raw.find(place_of(endpoint_.family).thought) != std::string::npos);
    request_.turns.push_back(reply->turn);
    return true;
  }

  void answer(std::vector<std::string> texts) {
    request_.turns.push_back(results(request_.turns.back(), std::move(texts)));
  }

  /// Leave out the first call and its result.
  void forget_first_call() { request_.turns.erase(request_.turns.begin() + 1, request_.turns.begin() + 3); }

  [[nodiscard]] Result<ChatReply> next() const { return ask(endpoint_, request_); }

 private:
  codecs::ChatEndpoint endpoint_;
  ChatRequest request_ = question();
};

// A question, two answers that ask for tools, and what those gave; nothing when it did not come so far.
std::optional<Conversation> with_two_answers(WireFamily family, Way way) {
  Conversation conversation(family, way);
  if (!conversation.expect(turn_1)) return std::nullopt;
  conversation.answer({"The lamp was moved to row 7."});
  if (!conversation.expect(turn_2)) return std::nullopt;
  conversation.answer({"Row 7 has one shelf.", "A sign, a chair; the lamp is third from the left."});
  return conversation;
}

void hold(WireFamily family, Way way) {
  if (auto conversation = with_two_answers(family, way)) conversation->expect(turn_3);
}

}  // namespace

TEST_CASE("a conversation of three turns with tools comes in one piece") {
  for (const WireFamily family : families) {
    SUBCASE(to_text(family).data()) { hold(family, Way::whole); }
  }
}

TEST_CASE("a conversation of three turns with tools is streamed") {
  for (const WireFamily family : families) {
    SUBCASE(to_text(family).data()) { hold(family, Way::streamed); }
  }
}

// What the other cases prove rests on it.
TEST_CASE("the server refuses a conversation that lacks a turn") {
  for (const WireFamily family : families) {
    SUBCASE(to_text(family).data()) {
      auto conversation = with_two_answers(family, Way::whole);
      if (!conversation) continue;  // which has failed the test
      conversation->forget_first_call();
      const auto reply = conversation->next();
      CHECK_FALSE(reply);
      if (!reply) CHECK(reply.error().code() == errc::provider_overloaded);  // it answers 503
    }
  }
}
