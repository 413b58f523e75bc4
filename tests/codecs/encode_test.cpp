#include <doctest/doctest.h>

#include <algorithm>

#include "codecs/codec_fixture.hpp"

using namespace openindex;
using namespace openindex::test;
using codecs::decode;
using codecs::encode;

namespace {

errc refused(const codecs::ChatEndpoint& where, const ChatRequest& request, const std::string& id = "") {
  const auto http = encode(where, request, id);
  REQUIRE_FALSE(http);
  return http.error().code();
}

}  // namespace

TEST_CASE("a base URL is composed once whether it ends with a slash or the version") {
  struct {
    WireFamily family;
    const char* base;
    const char* url;
  } const table[] = {
      {WireFamily::openai_chat, "https://h/v1", "https://h/v1/chat/completions"},
      {WireFamily::openai_chat, "https://h/v1/", "https://h/v1/chat/completions"},
      {WireFamily::openai_chat, "https://h/openai/v1", "https://h/openai/v1/chat/completions"},
      {WireFamily::openai_responses, "https://h/v1", "https://h/v1/responses"},
      {WireFamily::openai_responses, "https://h/v1/", "https://h/v1/responses"},
      {WireFamily::anthropic_messages, "https://h", "https://h/v1/messages"},
      {WireFamily::anthropic_messages, "https://h/", "https://h/v1/messages"},
      {WireFamily::anthropic_messages, "https://h/v1", "https://h/v1/messages"},
      {WireFamily::anthropic_messages, "https://h/v1/", "https://h/v1/messages"},
      {WireFamily::anthropic_messages, "https://h/proxy", "https://h/proxy/v1/messages"},
      {WireFamily::google_generate_content, "https://h", "https://h/v1beta/models/m-1:generateContent"},
      {WireFamily::google_generate_content, "https://h/v1beta/", "https://h/v1beta/models/m-1:generateContent"},
      {WireFamily::cohere_chat, "https://h", "https://h/v2/chat"},
      {WireFamily::cohere_chat, "https://h/v2/", "https://h/v2/chat"},
      {WireFamily::cohere_chat, "https://h/v1", "https://h/v2/chat"},
      {WireFamily::bedrock_converse, "https://h/", "https://h/model/m-1/converse"},
      {WireFamily::ollama_chat, "http://localhost:11434", "http://localhost:11434/api/chat"},
      {WireFamily::ollama_chat, "http://localhost:11434/api/", "http://localhost:11434/api/chat"},
      {WireFamily::ollama_chat, "http://api", "http://api/api/chat"},
      {WireFamily::anthropic_messages, "https://v1", "https://v1/v1/messages"},
  };
  for (const auto& [family, base, url] : table) {
    auto where = endpoint(family);
    where.base_url = base;
    const auto http = encode(where, rebuilt_conversation(), "");
    REQUIRE(http);
    CHECK(http->url == url);
  }
}

TEST_CASE("a model at Vertex stands below its project and its region, whose host it is") {
  const struct {
    const char* region;
    const char* base;
  } places[] = {{"global", "https://aiplatform.googleapis.com"},
                {"eu", "https://aiplatform.eu.rep.googleapis.com"},
                {"europe-west1", "https://europe-west1-aiplatform.googleapis.com"}};
  codecs::ChatEndpoint where;
  where.family = WireFamily::google_generate_content;
  where.dialect = WireDialect::vertex;
  where.api_key = "token";
  where.model = "gemini-x";
  where.project = "p/1";
  const ChatRequest request{.turns = {{.text = "hello"}}};
  for (const auto& [region, base] : places) {
    where.region = region;
    where.stream = false;
    const std::string model =
        std::string(base) + "/v1/projects/p%2F1/locations/" + region + "/publishers/google/models/gemini-x";
    const auto http = encode(where, request, "id").value();
    CHECK(http.url == model + ":generateContent");
    CHECK(std::count(http.headers.begin(), http.headers.end(),
                     std::pair<std::string, std::string>("Authorization", "Bearer token")) == 1);
    where.stream = true;
    CHECK(encode(where, request, "id")->url == model + ":streamGenerateContent?alt=sse");
    CHECK(codecs::encode_probe(where)->url == model + ":countTokens");
  }
  where.base_url = "https://private.example.com/";
  CHECK(encode(where, request, "id")->url.starts_with("https://private.example.com/v1/projects/"));
  where.publisher = "anthropic";
  CHECK_FALSE(encode(where, request, "id"));
  where.publisher = "google";
  where.region = "evil.example.com/";
  CHECK_FALSE(encode(where, request, "id"));
}

TEST_CASE("azure has its chat under a path of its own, or under the deployment when a version is named") {
  struct {
    const char* base;
    const char* version;
    const char* url;
    const char* probe;
  } const table[] = {
      {"https://r.openai.azure.com", "", "https://r.openai.azure.com/openai/v1/chat/completions",
       "https://r.openai.azure.com/openai/v1/models"},
      {"https://r.openai.azure.com/openai/", "", "https://r.openai.azure.com/openai/v1/chat/completions",
       "https://r.openai.azure.com/openai/v1/models"},
      {"https://r.openai.azure.com/openai/v1/", "", "https://r.openai.azure.com/openai/v1/chat/completions",
       "https://r.openai.azure.com/openai/v1/models"},
      {"https://r.openai.azure.com/", "2024-10-21",
       "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
       "https://r.openai.azure.com/openai/models?api-version=2024-10-21"},
      {"https://r.openai.azure.com/openai", "2024-10-21",
       "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
       "https://r.openai.azure.com/openai/models?api-version=2024-10-21"},
  };
  for (const auto& [base, version, url, probe] : table) {
    const std::string shown(base);
    CAPTURE(shown);
    auto where = endpoint(WireFamily::openai_chat);
    where.dialect = WireDialect::azure;
    where.base_url = base;
    where.version = version;
    where.model = "my gpt";
    const auto http = encode(where, rebuilt_conversation(), "");
    REQUIRE(http);
    CHECK(http->url == url);
    CHECK(header(*http, "api-key") == "key-0123456789abcdef");
    CHECK(header(*http, "Authorization").empty());
    CHECK(boost::json::parse(http->body).as_object().contains("max_completion_tokens"));
    CHECK(codecs::encode_probe(where)->url == probe);
  }
}

TEST_CASE("a stream is asked for, with its usage where that must be asked for too") {
  for (const auto family : families) {
    auto where = endpoint(family);
    where.stream = true;
    const auto http = encode(where, rebuilt_conversation(), "");
    REQUIRE(http);
    CHECK(header(*http, "Accept") != "application/json");
    if (family == WireFamily::google_generate_content || family == WireFamily::bedrock_converse) continue;
    CHECK(boost::json::parse(http->body).at("stream") == true);
  }
  auto where = endpoint(WireFamily::openai_chat);
  where.stream = true;
  const auto body = [&] { return boost::json::parse(encode(where, rebuilt_conversation(), "")->body); };
  CHECK(body().at("stream_options").at("include_usage") == true);
  where.dialect = WireDialect::mistral;
  CHECK_FALSE(body().as_object().contains("stream_options"));
}

TEST_CASE("an endpoint that cannot work is refused before anything is sent") {
  for (const auto family : families) {
    auto where = endpoint(family);
    where.model.clear();
    CHECK(refused(where, rebuilt_conversation()) == errc::invalid_argument);
    for (const auto* base : {"", "https://h/v1?key=1", "https://h/ v1", "https://h\r\n/v1"}) {
      where = endpoint(family);
      where.base_url = base;
      CHECK(refused(where, rebuilt_conversation()) == errc::invalid_argument);
      CHECK_FALSE(codecs::encode_probe(where));
    }
  }
}

TEST_CASE("a header or key with a line break is refused without being repeated") {
  for (const auto family : families) {
    auto where = endpoint(family);
    where.api_key = "hunter2\r\nX-Evil: 1";
    const auto by_key = encode(where, rebuilt_conversation(), "");
    REQUIRE_FALSE(by_key);
    CHECK(by_key.error().code() == errc::invalid_argument);
    CHECK(by_key.error().describe().find("hunter2") == std::string::npos);
    where = endpoint(family);
    where.headers = {{"OpenAI-Organization", "org\n"}};
    CHECK(refused(where, rebuilt_conversation()) == errc::invalid_argument);
    CHECK(refused(endpoint(family), rebuilt_conversation(), "id\r\n") == errc::invalid_argument);
  }
}

TEST_CASE("extra headers of the endpoint are sent") {
  auto where = endpoint(WireFamily::openai_chat);
  where.headers = {{"OpenAI-Organization", "org-1"}};
  CHECK(header(*encode(where, rebuilt_conversation(), ""), "openai-organization") == "org-1");
}

TEST_CASE("no family streams or sends sampling parameters") {
  for (const auto family : families) {
    const auto body = boost::json::parse(encode(endpoint(family), rebuilt_conversation(), "")->body);
    if (family == WireFamily::google_generate_content || family == WireFamily::bedrock_converse) {
      CHECK_FALSE(body.as_object().contains("stream"));  // the path says it
    } else {
      CHECK(body.at("stream") == false);
    }
    for (const auto* name : {"temperature", "top_p", "top_k", "tool_choice"})
      CHECK_FALSE(body.as_object().contains(name));
  }
}

TEST_CASE("a conversation that no provider would take is refused") {
  const ToolUse call{"a", "f", "{}"};
  const ToolOutcome outcome{"a", "f", "ok", false};
  const std::vector<std::vector<ChatTurn>> broken = {
      {},
      {user("q"), assistant("", {call})},
      {user("q"), assistant("", {call}), user("and?")},
      {user("q"), assistant("", {call}), outcomes({})},
      {user("q"), assistant("", {call}), outcomes({outcome, outcome})},
      {user("q"), assistant("", {call}), outcomes({{"b", "f", "ok", false}})},
      {user("q"), assistant("no calls"), outcomes({outcome})},
      {outcomes({outcome})},
  };
  for (std::size_t i = 0; i < broken.size(); ++i) {
    CAPTURE(i);
    ChatRequest request;
    request.turns = broken[i];
    CHECK(refused(endpoint(WireFamily::openai_chat), request) == errc::invalid_argument);
  }
}

TEST_CASE("a tool whose name or schema would spoil the request is refused") {
  const std::vector<ToolSpec> broken = {{"", "", ""},    {"look up", "", ""}, {std::string(65, 'x'), "", ""},
                                        {"f", "", "[]"}, {"f", "", "{"},      {"f", "", "{},\"model\":\"other\""}};
  for (const auto& tool : broken) {
    CAPTURE(tool.name);
    auto request = rebuilt_conversation();
    request.tools = {tool};
    CHECK(refused(endpoint(WireFamily::openai_chat), request) == errc::invalid_argument);
  }
  auto request = rebuilt_conversation();
  request.output_tokens_max = 0;
  CHECK(refused(endpoint(WireFamily::openai_chat), request) == errc::invalid_argument);
}

TEST_CASE("text that is no UTF-8 goes out as text that is") {
  auto request = rebuilt_conversation();
  request.turns[2].outcomes[0].text = "a\xff\xc3(\xed\xa0\x80z";
  for (const auto family : families) {
    const auto http = encode(endpoint(family), request, "");
    REQUIRE(http);
    CHECK_NOTHROW(boost::json::parse(http->body));
    CHECK(http->body.find("a\xEF\xBF\xBD\xEF\xBF\xBD(") != std::string::npos);
  }
}

TEST_CASE("a turn of one family is rebuilt for another") {
  const auto reply =
      decode(endpoint(WireFamily::ollama_chat), answer(200, R"({"model":"m","message":{"role":"assistant","content":"",
      "thinking":"private","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":true})"));
  REQUIRE(reply);
  ChatRequest next;
  next.turns = {user("go"), reply->turn, outcomes({{"call_0", "f", "1", false}}),
                user("go"), reply->turn, outcomes({{"call_0", "f", "2", false}})};
  const auto http = encode(endpoint(WireFamily::anthropic_messages), next, "");
  REQUIRE(http);
  const auto messages = boost::json::parse(http->body).at("messages");
  CHECK(messages.at(1).at("content").at(0).at("id") == "call_1_0");
  CHECK(messages.at(2).at("content").at(0).at("tool_use_id") == "call_1_0");
  CHECK(messages.at(3).at("content").at(0).at("id") == "call_4_0");
  CHECK(messages.at(4).at("content").at(0).at("tool_use_id") == "call_4_0");
  CHECK(http->body.find("private") == std::string::npos);
}
