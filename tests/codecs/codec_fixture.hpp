// What the codec tests share: endpoints, a conversation of three turns, and JSON compared as values.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <openindex/agent/chat.hpp>

#include "codecs/chat_codec.hpp"

namespace openindex::test {

inline constexpr WireFamily families[] = {
    WireFamily::openai_chat,      WireFamily::anthropic_messages,      WireFamily::ollama_chat,
    WireFamily::openai_responses, WireFamily::google_generate_content, WireFamily::cohere_chat,
    WireFamily::bedrock_converse};

inline codecs::ChatEndpoint endpoint(WireFamily family) {
  codecs::ChatEndpoint made;
  made.family = family;
  made.base_url = "https://api.example.com";
  made.api_key = "key-0123456789abcdef";
  made.model = "m-1";
  return made;
}

inline ChatTurn user(std::string text) {
  ChatTurn turn;
  turn.text = std::move(text);
  return turn;
}

inline ChatTurn assistant(std::string text, std::vector<ToolUse> calls = {}) {
  ChatTurn turn;
  turn.role = ChatTurn::Role::assistant;
  turn.text = std::move(text);
  turn.calls = std::move(calls);
  return turn;
}

inline ChatTurn outcomes(std::vector<ToolOutcome> outcomes) {
  ChatTurn turn;
  turn.role = ChatTurn::Role::tool;
  turn.outcomes = std::move(outcomes);
  return turn;
}

/// A question, two calls that no wire has written yet, and what came of them.
inline ChatRequest rebuilt_conversation() {
  ChatRequest request;
  request.system = "Be brief.";
  request.output_tokens_max = 1000;
  request.tools = {{"look_up", "Find a term", R"({"type":"object","properties":{"term":{"type":"string"}}})"},
                   {"done", "Finish", ""}};
  request.turns = {user("Where is it?"),
                   assistant("Looking.", {{"a", "look_up", R"({"term":"x"})"}, {"b", "look up!", "{broken"}}),
                   outcomes({{"a", "look_up", "line 7", false}, {"b", "look up!", "no such tool", true}})};
  return request;
}

inline HttpResponse answer(int status, std::string body, HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

/// Bring JSON text into one form, so that two texts compare as values.
inline std::string canonical(std::string_view text) {
  const auto sorted = [](const auto& self, const boost::json::value& value) -> boost::json::value {
    if (const auto* object = value.if_object()) {
      std::vector<std::pair<std::string, const boost::json::value*>> members;
      for (const auto& entry : *object) members.emplace_back(entry.key(), &entry.value());
      std::sort(members.begin(), members.end());
      boost::json::object out;
      for (const auto& [name, inner] : members) out.emplace(name, self(self, *inner));
      return out;
    }
    if (const auto* array = value.if_array()) {
      boost::json::array out;
      for (const auto& element : *array) out.push_back(self(self, element));
      return out;
    }
    return value;
  };
  return boost::json::serialize(sorted(sorted, boost::json::parse(text)));
}

inline std::string header(const HttpRequest& request, std::string_view name) {
  return std::string(HttpResponse{0, request.headers, {}}.header(name));
}

}  // namespace openindex::test
