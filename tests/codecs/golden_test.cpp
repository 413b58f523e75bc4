// The files below golden/: what each family's documentation says a request and an answer look like, written by hand
// from it and never by the encoder. One conversation for all: a question, an answer with two calls (the family's
// `reply.json`, which goes back as it came), their outcomes, a turn of another family, what came of its call.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "codecs/codec_fixture.hpp"
#include "codecs/stream_decoder.hpp"

using namespace openindex;
using namespace openindex::test;
namespace fs = std::filesystem;

namespace {

const fs::path golden = GOLDEN_DIR;

struct Wire {
  const char* folder;
  WireFamily family;
  const char* base_url;
  const char* model;
  WireDialect dialect = WireDialect::plain;
};

constexpr Wire wires[] = {
    {"openai_chat", WireFamily::openai_chat, "https://api.openai.com/v1", "gpt-5.2"},
    {"openai_responses", WireFamily::openai_responses, "https://api.openai.com/v1", "gpt-5.2"},
    {"anthropic_messages", WireFamily::anthropic_messages, "https://api.anthropic.com", "claude-sonnet-4-5"},
    {"google_generate_content", WireFamily::google_generate_content, "https://generativelanguage.googleapis.com",
     "gemini-3.5-flash"},
    {"google_vertex", WireFamily::google_generate_content, "", "gemini-2.5-pro", WireDialect::vertex},
    {"bedrock_converse", WireFamily::bedrock_converse, "", "anthropic.claude-3-5-sonnet-20240620-v1:0"},
    {"cohere_chat", WireFamily::cohere_chat, "https://api.cohere.com", "command-a-03-2025"},
    {"ollama_chat", WireFamily::ollama_chat, "http://localhost:11434", "qwen3"},
};

std::string read(const Wire& wire, const std::string& name) {
  std::ifstream in(golden / wire.folder / name, std::ios::binary);
  REQUIRE_MESSAGE(in, (golden / wire.folder / name).string());
  return {std::istreambuf_iterator<char>(in), {}};
}

codecs::ChatEndpoint endpoint_of(const Wire& wire) {
  auto made = endpoint(wire.family);
  made.base_url = wire.base_url;
  made.model = wire.model;
  made.dialect = wire.dialect;
  if (wire.family == WireFamily::ollama_chat) made.api_key.clear();
  if (wire.family == WireFamily::bedrock_converse) made.region = "eu-central-1";
  if (wire.dialect == WireDialect::vertex) {
    made.region = "europe-west1";
    made.project = "acme-7";
  }
  return made;
}

ChatRequest third_request(const ChatTurn& first_answer) {
  ChatRequest request;
  request.system = "You keep the work items of a project.";
  request.output_tokens_max = 1024;
  request.tools = {
      {"look_up", "Read a work item",
       R"({"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":false})"},
      {"update_fields", "Set fields of a work item",
       R"({"type":"object","properties":{"id":{"type":"string"},"fields":{"type":"object","additionalProperties":true}},)"
       R"("required":["id","fields"],"additionalProperties":false})"},
      {"finish", "Say that all is done", ""}};
  ChatTurn retry =
      assistant("Trying once more.", {{"their-id!", "update_fields", R"({"id":"WI-7","fields":{"priority":"high"}})"}});
  REQUIRE(first_answer.calls.size() == 2);
  request.turns = {user("Who owns WI-7? Raise its priority to high."), first_answer,
                   outcomes({{first_answer.calls[0].id, "look_up", R"({"owner":"mia"})", false},
                             {first_answer.calls[1].id, "update_fields", "priority is locked", true}}),
                   retry, outcomes({{"their-id!", "update_fields", "done", false}})};
  return request;
}

// A frame a line, in hexadecimal; lines that begin with # tell what is in it.
std::string from_hex(const std::string& text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      bytes += static_cast<char>(digit(line[i]) * 16 + digit(line[i + 1]));
    }
  }
  return bytes;
}

std::string stream_of(const Wire& wire) {
  return wire.family == WireFamily::bedrock_converse ? from_hex(read(wire, "stream.hex")) : read(wire, "stream.txt");
}

Result<ChatReply> decode_stream(const Wire& wire) {
  auto where = endpoint_of(wire);
  where.stream = true;
  codecs::StreamDecoder decoder(where, answer(200, ""));
  for (const char byte : stream_of(wire)) {
    if (auto read = decoder.decode_event({&byte, 1}); !read) return read.error();
  }
  return decoder.finish();
}

std::string_view to_word(ChatReply::Stop stop) {
  constexpr std::string_view words[] = {"finished", "tool_calls", "length", "refused", "other"};
  return words[static_cast<int>(stop)];
}

// A reply in the form of decoded.json.
std::string written(const ChatReply& reply) {
  boost::json::array calls;
  for (const ToolUse& call : reply.turn.calls) {
    calls.push_back({{"id", call.id}, {"name", call.name}, {"arguments", boost::json::parse(call.arguments)}});
  }
  const Usage& used = reply.usage;
  return canonical(boost::json::serialize(
      boost::json::object{{"text", reply.turn.text},
                          {"stop", to_word(reply.stop)},
                          {"calls", calls},
                          {"usage", {{"input", used.input}, {"output", used.output}, {"cached", used.cached}}},
                          {"model", reply.model},
                          {"request_id", reply.request_id}}));
}

// Without what says nothing: a stream does not tell that a member was null or empty, or in which space it stood.
boost::json::value meant(const boost::json::value& from) {
  if (const auto* list = from.if_array()) {
    boost::json::array out;
    for (const auto& entry : *list) out.push_back(meant(entry));
    return out;
  }
  if (!from.is_object()) return from;
  boost::json::object out;
  for (const auto& entry : from.get_object()) {
    const auto* list = entry.value().if_array();
    if (!entry.value().is_null() && (list == nullptr || !list->empty())) out[entry.key()] = meant(entry.value());
  }
  return out;
}

std::string meant(std::string_view text) {
  return canonical(boost::json::serialize(meant(boost::json::parse(boost::json::string_view(text)))));
}

}  // namespace

TEST_CASE("golden files: every family has them, and every folder is tested") {
  std::set<WireFamily> tested;
  std::set<std::string> folders, listed;
  for (const Wire& wire : wires) {
    tested.insert(wire.family);
    listed.insert(wire.folder);
  }
  for (const WireFamily family : families) {
    const int shown = static_cast<int>(family);
    CAPTURE(shown);
    CHECK(tested.count(family) == 1);
  }
  for (const auto& entry : fs::directory_iterator(golden)) folders.insert(entry.path().filename().string());
  CHECK(folders == listed);
}

TEST_CASE("golden files: a request is what the documentation says") {
  for (const Wire& wire : wires) {
    CAPTURE(std::string(wire.folder));
    const auto where = endpoint_of(wire);
    const std::string body = read(wire, "reply.json");
    const auto reply = codecs::decode(where, answer(200, body));
    REQUIRE(reply);
    const auto http = codecs::encode(where, third_request(reply->turn), "");
    REQUIRE(http);
    CHECK(canonical(http->body) == canonical(read(wire, "request.json")));
    CHECK(body.find(reply->turn.raw) != std::string::npos);

    std::istringstream head(read(wire, "request.head"));
    std::string line;
    std::getline(head, line);
    CHECK(http->method + " " + http->url == line);
    std::set<std::string> wanted = {"Accept: application/json"}, sent;
    while (std::getline(head, line)) wanted.insert(line);
    for (const auto& [name, value] : http->headers) sent.insert(name + ": " + value);
    CHECK(sent == wanted);
  }
}

TEST_CASE("golden files: an answer decodes to what it means") {
  for (const Wire& wire : wires) {
    CAPTURE(std::string(wire.folder));
    const auto reply = codecs::decode(endpoint_of(wire), answer(200, read(wire, "reply.json")));
    REQUIRE(reply);
    CHECK(written(*reply) == canonical(read(wire, "decoded.json")));
  }
}

TEST_CASE("golden files: a stream decodes to the same, and goes back as the answer in one piece does") {
  for (const Wire& wire : wires) {
    CAPTURE(std::string(wire.folder));
    const auto reply = decode_stream(wire);
    REQUIRE(reply);
    CHECK(written(*reply) == canonical(read(wire, "decoded.json")));
    const auto http = codecs::encode(endpoint_of(wire), third_request(reply->turn), "");
    REQUIRE(http);
    CHECK(meant(http->body) == meant(read(wire, "request.json")));
  }
}
