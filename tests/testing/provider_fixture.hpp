// Talking to a ScriptedProvider as a dispatcher would: a codec and a client.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <stdlib.h>

#include <openindex/adapters/curl_http_client.hpp>
#include <openindex/testing/scripted_provider.hpp>

#include "codecs/chat_codec.hpp"
#include "codecs/stream_decoder.hpp"

namespace openindex::test {

constexpr WireFamily all_wires[] = {
    WireFamily::openai_chat,      WireFamily::anthropic_messages,      WireFamily::ollama_chat,
    WireFamily::openai_responses, WireFamily::google_generate_content, WireFamily::cohere_chat,
    WireFamily::bedrock_converse};

constexpr auto one_answer = R"({"rules":[{"reply":{"text":"Hello"}}]})";

struct TempDir {
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "openindex-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path = name;
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::filesystem::path path;
};

inline std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Chat {
  Chat(const testing::ScriptedProvider& provider, WireFamily family) {
    endpoint.family = family;
    const bool versioned = family == WireFamily::openai_chat || family == WireFamily::openai_responses;
    endpoint.base_url = provider.url() + (versioned ? "/v1" : "");
    endpoint.model = "m-1";
  }

  Result<ChatReply> ask(const ChatRequest& request) {
    auto http = codecs::encode(endpoint, request, request_id);
    if (!http) return http.error();
    const auto answer = send_and_wait(client, *http);
    if (!answer) return answer.error();
    return endpoint.stream ? read_stream(*answer) : codecs::decode(endpoint, *answer);
  }

  // In chunks as a network might cut them.
  Result<ChatReply> read_stream(const HttpResponse& answer) {
    codecs::StreamDecoder decoder(endpoint, {answer.status, answer.headers, {}});
    constexpr std::size_t chunk = 7;
    text_on_the_way.clear();
    for (std::size_t at = 0; at < answer.body.size(); at += chunk) {
      auto more = decoder.decode_event(std::string_view(answer.body).substr(at, chunk));
      if (!more) return more.error();
      text_on_the_way += *more;
    }
    return decoder.finish();
  }

  Result<ChatReply> ask(std::string text) {
    ChatRequest request;
    request.turns.push_back({.text = std::move(text)});
    return ask(request);
  }

  int probe() {
    const auto http = codecs::encode_probe(endpoint);
    const auto answer = http ? send_and_wait(client, *http) : Result<HttpResponse>(http.error());
    return answer ? answer->status : 0;
  }

  codecs::ChatEndpoint endpoint;
  std::string request_id;
  std::string text_on_the_way;
  CurlHttpClient client{{.egress = Egress::public_and_loopback()}};
};

/// Append an assistant turn and what came of its calls.
inline void answer_calls(ChatRequest& request, const ChatTurn& turn, const std::vector<std::string>& texts) {
  ChatTurn outcomes;
  outcomes.role = ChatTurn::Role::tool;
  for (std::size_t i = 0; i < turn.calls.size(); ++i) {
    outcomes.outcomes.push_back({turn.calls[i].id, turn.calls[i].name, texts.at(i), false});
  }
  request.turns.push_back(turn);
  request.turns.push_back(std::move(outcomes));
}

}  // namespace openindex::test
