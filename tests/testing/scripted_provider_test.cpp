#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <vector>

#include <boost/json/parse.hpp>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/testing/scripted_provider.hpp>

#include "codecs/chat_codec.hpp"
#include "testing/provider_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using testing::ScriptedProvider;

namespace {

ScriptedProvider started(std::string script, std::filesystem::path log = {}, std::string key = {}) {
  auto provider = ScriptedProvider::start({std::move(script), std::move(log), std::move(key)});
  REQUIRE(provider);
  return std::move(*provider);
}

Result<HttpResponse> post(const std::string& url, std::string body) {
  CurlHttpClient client({.egress = Egress::public_and_loopback()});
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.body = std::move(body);
  return send_and_wait(client, request);
}

errc code_of(const Result<ChatReply>& reply) {
  REQUIRE_FALSE(reply);
  return reply.error().code();
}

// Three turns: two calls, one call, an answer. The server refuses whatever is out of order.
void converse(Chat& chat) {
  ChatRequest request;
  request.system = "Be brief.";
  request.tools = {{"look_up", "Find", ""}, {"done", "Finish", ""}};
  request.turns.push_back({.text = "Where is it?"});

  auto reply = chat.ask(request);
  REQUIRE_MESSAGE(reply, reply.error().describe());
  CHECK(reply->stop == ChatReply::Stop::tool_calls);
  CHECK(reply->turn.text == "L\u00f6\u00f6king.");
  REQUIRE(reply->turn.calls.size() == 2);
  CHECK(reply->turn.calls[0].name == "look_up");
  CHECK(reply->turn.calls[0].arguments == R"({"term":"x"})");
  CHECK(reply->turn.calls[1].arguments == R"({"term":"y"})");
  CHECK_FALSE(reply->turn.raw.empty());
  CHECK(reply->usage.input > 0);
  CHECK(reply->usage.output > 0);
  CHECK(reply->request_id == "req_1");
  answer_calls(request, reply->turn, {"line 7", "no such term"});

  reply = chat.ask(request);
  REQUIRE_MESSAGE(reply, reply.error().describe());
  REQUIRE(reply->turn.calls.size() == 1);
  CHECK(reply->turn.calls[0].name == "done");
  CHECK(reply->turn.calls[0].arguments == "{}");
  answer_calls(request, reply->turn, {"finished"});

  reply = chat.ask(request);
  REQUIRE_MESSAGE(reply, reply.error().describe());
  CHECK(reply->stop == ChatReply::Stop::finished);
  CHECK(reply->turn.text == "It is in line 7.");
  if (chat.endpoint.stream) CHECK(chat.text_on_the_way == "It is in line 7.");
}

}  // namespace

TEST_CASE("a conversation of three turns with tools works over each wire, in one piece and streamed") {
  constexpr auto script = R"({"rules":[
    {"when":{"turn":0,"text_contains":["brief","Where"],"tool_offered":["look_up","done"]},
     "reply":{"text":"L\u00f6\u00f6king.","tool_calls":[{"name":"look_up","arguments":{"term":"x"}},{"name":"look_up","arguments":{"term":"y"}}]}},
    {"when":{"turn":1,"last_contains":["line 7","no such"]},
     "reply":{"tool_calls":[{"name":"done","arguments":{}}]}},
    {"when":{"turn":2,"last_contains":"finished"},"reply":{"text":"It is in line 7."}}]})";
  for (const bool stream : {false, true}) {
    for (const auto family : all_wires) {
      CAPTURE(std::string(to_text(family)));
      CAPTURE(stream);
      const auto provider = started(script);
      Chat chat(provider, family);
      chat.endpoint.stream = stream;
      converse(chat);
      CHECK(provider.request_count() == 3);
    }
  }
}

TEST_CASE("a conversation begun on one wire goes on over another") {
  const auto provider = started(R"({"rules":[{"when":{"turn":0},"reply":{"tool_calls":[{"name":"f","arguments":{}}]}},
                                             {"when":{"turn":1},"reply":{"text":"done"}}]})");
  for (const auto from : all_wires) {
    for (const auto to : all_wires) {
      ChatRequest request;
      request.tools = {{"f", "", ""}};
      request.turns.push_back({.text = "go"});
      auto reply = Chat(provider, from).ask(request);
      REQUIRE(reply);
      answer_calls(request, reply->turn, {"1"});
      reply = Chat(provider, to).ask(request);
      REQUIRE(reply);
      CHECK(reply->turn.text == "done");
    }
  }
}

TEST_CASE("arguments given as text are sent as written and the conversation goes on") {
  const auto provider =
      started(R"({"rules":[{"when":{"turn":0},"reply":{"tool_calls":[{"name":"f","arguments":"{\"a\":"}]}},
                                             {"reply":{"text":"sorry"}}]})");
  for (const auto family : all_wires) {
    Chat chat(provider, family);
    ChatRequest request;
    request.turns.push_back({.text = "go"});
    auto reply = chat.ask(request);
    REQUIRE(reply);
    REQUIRE(reply->turn.calls.size() == 1);
    CHECK(reply->turn.calls[0].arguments == "{\"a\":");
    answer_calls(request, reply->turn, {"that was no JSON"});
    reply = chat.ask(request);
    REQUIRE(reply);
    CHECK(reply->turn.text == "sorry");
  }
}

TEST_CASE("a rule serves as often as it says and the next one follows") {
  const auto provider = started(R"({"rules":[{"when":{"times":2},"status":529},{"reply":{"text":"back"}}]})");
  Chat chat(provider, WireFamily::anthropic_messages);
  CHECK(code_of(chat.ask("one")) == errc::provider_overloaded);
  CHECK(code_of(chat.ask("two")) == errc::provider_overloaded);
  CHECK(chat.ask("three"));
  CHECK(chat.ask("four"));
}

TEST_CASE("a status comes with its headers and the family's own error") {
  const auto provider = started(R"({"rules":[{"status":429,"headers":{"Retry-After":"3"}}]})");
  for (const auto family : all_wires) {
    const auto reply = Chat(provider, family).ask("x");
    CHECK(code_of(reply) == errc::provider_rate_limited);
    CHECK(reply.error().retry_after() == Duration(3000));
    CHECK(reply.error().message().find("scripted status 429") != std::string::npos);
  }
}

TEST_CASE("a status may come with a body of the script's") {
  const auto provider =
      started(R"({"rules":[{"status":429,"body":"{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\"}}"}]})");
  CHECK(code_of(Chat(provider, WireFamily::openai_chat).ask("x")) == errc::provider_out_of_credit);
}

TEST_CASE("raw bytes are sent as a good answer of the content type given") {
  const auto provider = started(R"({"rules":[{"raw":"<html>hi</html>","content_type":"text/html"}]})");
  const auto reply = Chat(provider, WireFamily::openai_chat).ask("x");
  CHECK(code_of(reply) == errc::provider_malformed_reply);
  CHECK(reply.error().context("content_type") == "text/html");
}

TEST_CASE("a dropped connection is interrupted before or in the answer") {
  const auto provider = started(R"({"rules":[{"when":{"times":1},"drop":"before"},
                                             {"when":{"times":1},"drop":"half","reply":{"text":"never seen"}},
                                             {"reply":{"text":"ok"}}]})");
  Chat chat(provider, WireFamily::openai_chat);
  CHECK(code_of(chat.ask("one")) == errc::http_interrupted);
  CHECK(code_of(chat.ask("two")) == errc::http_interrupted);
  CHECK(chat.ask("three"));
  CHECK(provider.request_count() == 3);
}

TEST_CASE("a stream that ends in the middle is no answer on any wire") {
  const auto provider =
      started(R"({"rules":[{"reply":{"text":"never whole","tool_calls":[{"name":"f","arguments":{}}]}}]})");
  for (const auto family : all_wires) {
    CAPTURE(std::string(to_text(family)));
    Chat chat(provider, family);
    chat.endpoint.stream = true;
    ChatRequest request;
    request.turns.push_back({.text = "x"});
    const auto http = codecs::encode(chat.endpoint, request, "");
    REQUIRE(http);
    auto whole = send_and_wait(chat.client, *http);
    REQUIRE(whole);
    CHECK(chat.read_stream(*whole));
    whole->body.resize(whole->body.size() / 2);
    CHECK(code_of(chat.read_stream(*whole)) == errc::provider_malformed_reply);
  }
}

TEST_CASE("a request that no rule matches is told so") {
  const auto provider = started(R"({"rules":[{"when":{"turn":5},"reply":{}}]})");
  const auto reply = Chat(provider, WireFamily::openai_chat).ask("x");
  CHECK(code_of(reply) == errc::provider_overloaded);
  CHECK(reply.error().message().find("no rule of the script matches: turn 0") != std::string::npos);
}

TEST_CASE("rules look at what was said and offered") {
  const auto provider = started(R"({"rules":[
    {"when":{"text_contains":"alpha","last_contains":"alpha"},"reply":{"text":"1"}},
    {"when":{"tool_offered":"f"},"reply":{"text":"2"}},
    {"reply":{"text":"3"}}]})");
  Chat chat(provider, WireFamily::anthropic_messages);
  CHECK(chat.ask("about alpha")->turn.text == "1");
  CHECK(chat.ask("about beta")->turn.text == "3");
  ChatRequest request;
  request.system = "alpha";
  request.turns.push_back({.text = "beta"});
  CHECK(chat.ask(request)->turn.text == "3");
  request.tools = {{"f", "", ""}};
  CHECK(chat.ask(request)->turn.text == "2");
}

TEST_CASE("hundreds of delayed answers wait side by side") {
  const auto provider = started(R"({"delay_ms":30,"rules":[{"reply":{"text":"late"}}]})");
  CurlHttpClient client({.egress = Egress::public_and_loopback()});
  constexpr int count = 300;
  std::atomic<int> good{0}, left{count};
  std::promise<void> all;
  for (int i = 0; i < count; ++i) {
    HttpRequest request;
    request.method = "POST";
    request.url = provider.url() + "/v1/chat/completions";
    request.body = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
    client.send(request, [&](auto answer) {
      if (answer && answer->status == 200) ++good;
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
  CHECK(good == count);
  CHECK(provider.request_count() == count);
}

TEST_CASE("a delay of a rule replaces the script's") {
  const auto provider = started(R"({"delay_ms":600000,"rules":[{"delay_ms":1,"reply":{"text":"soon"}}]})");
  CHECK(Chat(provider, WireFamily::ollama_chat).ask("x"));
}

TEST_CASE("a request without the key is refused as the family does and probes need it too") {
  const auto provider = started(one_answer, {}, "the-key");
  for (const auto family : all_wires) {
    CAPTURE(std::string(to_text(family)));
    Chat chat(provider, family);
    CHECK(code_of(chat.ask("x")) == errc::provider_unauthorized);
    CHECK(chat.probe() == (family == WireFamily::bedrock_converse ? 403 : 401));
    chat.endpoint.api_key = "the-key";
    CHECK(chat.ask("x"));
    CHECK(chat.probe() == 200);
    chat.endpoint.version = "2026-10-21";
    CHECK(chat.ask("x"));
  }
  CHECK(provider.request_count() == 3 * std::size(all_wires));
}

TEST_CASE("requests that a provider would refuse are refused") {
  const auto provider = started(one_answer);
  struct Case {
    const char* path;
    const char* body;
  };
  const Case table[] = {
      {"/v1/chat/completions", "{"},
      {"/v1/chat/completions", R"({"model":"m","messages":[]})"},
      {"/v1/chat/completions", R"({"messages":[{"role":"user","content":"x"}]})"},
      {"/v1/chat/completions", R"({"model":"m","stream":1,"messages":[{"role":"user","content":"x"}]})"},
      {"/v1/chat/completions", R"({"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[
         {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"x"}]})"},
      {"/v1/chat/completions",
       R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"tool","tool_call_id":"a","content":"y"}]})"},
      {"/v1/chat/completions", R"({"model":"m","messages":[{"role":"assistant","tool_calls":[
         {"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]},{"role":"tool","tool_call_id":"a","content":"y"}]})"},
      {"/v1/messages", R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"no version header"}]})"},
      {"/api/chat", R"({"model":"m","messages":[{"role":"user","content":"x"}]})"},
      {"/v1/responses",
       R"({"model":"m","input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}]})"},
      {"/v1/responses",
       R"({"model":"m","input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"a","name":"f",
         "arguments":"{"},{"type":"function_call_output","call_id":"a","output":"y"}]})"},
      {"/v1/responses", R"({"model":"m","input":[{"type":"reasoning","id":"r"},{"role":"user","content":"x"}]})"},
      {"/v1/responses", R"({"model":"m","input":[{"role":"user","content":"x"},{"type":"message_of_none"}]})"},
      {"/v1beta/models/gemini-x:generateContent",
       R"({"model":"m","contents":[{"role":"user","parts":[{"text":"x"}]}]})"},
      {"/v1beta/models/gemini-x:generateContent", R"({"contents":[{"role":"assistant","parts":[{"text":"x"}]}]})"},
      {"/v1beta/models/gemini-x:generateContent", R"({"contents":[{"role":"user","parts":[]}]})"},
      {"/v1beta/models/gemini-x:generateContent",
       R"({"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},
         {"role":"user","parts":[{"functionResponse":{"name":"f","response":"text"}}]}]})"},
      {"/v1beta/models/gemini-3-x:generateContent",
       R"({"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},
         {"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]})"},
      {"/model/x/converse", R"({"messages":[{"role":"user","content":[{"text":" "}]}]})"},
      {"/model/x/converse", R"({"messages":[{"role":"assistant","content":[{"text":"x"}]}]})"},
      {"/model/x/converse", R"({"messages":[{"role":"user","content":[{"text":"x"}]},
         {"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},
         {"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"y"}]}}]}]})"},
      {"/v2/chat", R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[
         {"id":"a","type":"function","function":{"name":"f","arguments":{}}}]},{"role":"tool","tool_call_id":"a","content":"y"}]})"},
  };
  for (const Case& wrong : table) {
    CAPTURE(std::string(wrong.body));
    const auto answer = post(provider.url() + wrong.path, wrong.body);
    REQUIRE(answer);
    CHECK(answer->status == 400);
  }
  CHECK(post(provider.url() + "/elsewhere", "{}")->status == 404);
}

TEST_CASE("a script that is none is refused with every mistake and its place") {
  const auto not_json = ScriptedProvider::start({"{", {}, {}});
  REQUIRE_FALSE(not_json);
  CHECK(not_json.error().code() == errc::invalid_json);
  const auto wrong = ScriptedProvider::start({R"({"rules":[{"when":{"turn":-1,"who":1},"reply":{"tool_calls":[{}]}},
    {}, {"status":200,"raw":""}, {"drop":"late"}, {"status":99}, {"status":200,"headers":{"a":"b\n"}}], "delay":1})",
                                              {},
                                              {}});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == errc::invalid_definition);
  std::vector<std::string> places;
  for (const auto& problem : wrong.error().problems()) places.push_back(problem.pointer);
  CHECK(places == std::vector<std::string>{"/rules/0/when/turn", "/rules/0/when/who",
                                           "/rules/0/reply/tool_calls/0/name", "/rules/1", "/rules/2", "/rules/3/drop",
                                           "/rules/3", "/rules/4/status", "/rules/5/headers/a", "/delay"});
}

TEST_CASE("a log that cannot be written is refused with its path") {
  const auto provider = ScriptedProvider::start({one_answer, "/nonexistent/provider.log", {}});
  REQUIRE_FALSE(provider);
  CHECK(provider.error().code() == errc::storage_read_only);
  CHECK(provider.error().context("path") == "/nonexistent/provider.log");
}

TEST_CASE("each chat request is in the log before it is answered") {
  const TempDir dir;
  const auto log = dir.path / "provider.log";
  const auto provider =
      started(R"({"rules":[{"when":{"times":1},"reply":{"text":"a"}},{"when":{"times":1},"drop":"before"}]})", log);
  Chat chat(provider, WireFamily::anthropic_messages);
  chat.request_id = "run-1/0";
  CHECK(chat.ask("x"));
  CHECK(lines_of(log).size() == 1);
  CHECK_FALSE(chat.ask("x"));
  chat.request_id.clear();
  CHECK_FALSE(chat.ask("x"));
  CHECK(chat.probe() == 200);

  const auto lines = lines_of(log);
  REQUIRE(lines.size() == 3);
  const auto first = boost::json::parse(lines[0]);
  CHECK(parse_rfc3339(std::string_view(first.at("at").as_string())));
  CHECK(first.at("family") == "anthropic_messages");
  CHECK(first.at("request_id") == "run-1/0");
  CHECK(first.at("turn") == 0);
  CHECK(first.at("rule") == 0);
  CHECK(first.at("model") == "m-1");
  CHECK(first.at("answer") == 200);
  CHECK(boost::json::parse(lines[1]).at("answer") == "drop");
  CHECK(boost::json::parse(lines[2]).at("rule").is_null());
  CHECK(boost::json::parse(lines[2]).at("answer") == 500);
}

TEST_CASE("a log is appended to") {
  const TempDir dir;
  const auto log = dir.path / "provider.log";
  for (int i = 0; i < 2; ++i) {
    const auto provider = started(one_answer, log);
    CHECK(Chat(provider, WireFamily::openai_chat).ask("x"));
  }
  CHECK(lines_of(log).size() == 2);
}

TEST_CASE("a provider can be moved and still serves") {
  auto provider = started(one_answer);
  auto moved = std::move(provider);
  CHECK(Chat(moved, WireFamily::openai_chat).ask("x"));
  moved = started(one_answer);
  CHECK(Chat(moved, WireFamily::openai_chat).ask("x"));
  CHECK(moved.request_count() == 1);
}
