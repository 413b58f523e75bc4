#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "json/read.hpp"
#include "testing/provider_messages.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

using boost::json::object;
using boost::json::value;

// Wires whose path names the model.
struct NamedRoute {
  WireFamily family;
  std::string_view before, after;
  bool stream;
};
constexpr NamedRoute by_path[] = {
    {WireFamily::google_generate_content, "/models/", ":generateContent", false},
    {WireFamily::google_generate_content, "/models/", ":streamGenerateContent", true},
    {WireFamily::bedrock_converse, "/model/", "/converse", false},
    {WireFamily::bedrock_converse, "/model/", "/converse-stream", true},
};

Result<std::vector<Message>> read_conversation(const ChatRoute& route, const object& root) {
  switch (route.family) {
    case WireFamily::openai_responses:
      return read_response_items(root);
    case WireFamily::google_generate_content:
      return read_google_contents(root, route.model);
    case WireFamily::bedrock_converse:
      return read_converse_messages(root);
    default:
      return read_messages(route.family, root);
  }
}

Result<void> check_order(const std::vector<Message>& messages) {
  std::vector<std::string> open;
  for (const Message& message : messages) {
    if (!message.results_first) return wrong("tool_result blocks must come first");
    for (const std::string& id : message.results) {
      const auto answered = std::find(open.begin(), open.end(), id);
      if (answered == open.end()) return wrong("a tool result for no call: " + id);
      open.erase(answered);
    }
    const bool more_may_come = message.role == "tool";
    if (!open.empty() && !more_may_come) return wrong("a tool call without its result: " + open.front());
    open.insert(open.end(), message.calls.begin(), message.calls.end());
  }
  return open.empty() ? Result<void>() : wrong("a tool call without its result: " + open.front());
}

// Where the path names the model and tells whether to stream, the body must not.
Result<void> check_options(const ChatRoute& route, const object& root) {
  const auto* stream = root.if_contains("stream");
  if (!route.model.empty()) {
    for (const auto* name : {"model", "stream"}) {
      if (root.if_contains(name) != nullptr) return wrong("Unknown name \"" + std::string(name) + "\"");
    }
    return {};
  }
  if (string_of(root, "model").empty()) return wrong("model is required");
  if (stream != nullptr && !stream->is_bool()) return wrong("stream is neither true nor false");
  if (stream == nullptr && route.family == WireFamily::ollama_chat) {
    return wrong("the scripted provider wants to be told whether to stream: \"stream\" is missing");
  }
  if (route.family == WireFamily::anthropic_messages && root.if_contains("max_tokens") == nullptr) {
    return wrong("max_tokens: Field required");
  }
  return {};
}

void summarize(const std::vector<Message>& messages, SeenRequest& seen) {
  bool user_seen = false;
  for (const Message& message : messages) {
    const bool first_user = message.role == "user" && !user_seen;
    user_seen = user_seen || first_user;
    if (message.role == "system" || message.role == "developer" || first_user) seen.first_text += message.text;
    if (message.role == "assistant") {
      ++seen.turn;
      seen.last_text.clear();
    } else {
      seen.last_text += message.text;
    }
  }
  if (seen.last_text.empty()) seen.last_text = messages.back().text;
}

void read_system(const object& root, SeenRequest& seen) {
  for (const auto* name : {"system", "instructions"}) {
    if (const auto* system = root.if_contains(name)) collect_text(*system, seen.first_text);
  }
  if (const auto* system = object_of(root, "systemInstruction")) {
    if (const auto* parts = system->if_contains("parts")) collect_text(*parts, seen.first_text);
  }
}

// Every wire describes tools by objects with a name, under one member or another.
Result<void> read_tools(const value& tools, SeenRequest& seen) {
  if (!tools.is_array()) return wrong("tools is no array");
  for (const auto& tool : tools.get_array()) {
    if (!tool.is_object()) return wrong("a tool is no object");
    const auto& fields = tool.get_object();
    if (const auto* several = fields.if_contains("functionDeclarations")) {
      if (auto read = read_tools(*several, seen); !read) return read.error();
      continue;
    }
    const auto* inner = object_of(fields, "function");
    if (inner == nullptr) inner = object_of(fields, "toolSpec");
    seen.tools.push_back(string_of(inner == nullptr ? fields : *inner, "name"));
  }
  return {};
}

}  // namespace

std::optional<ChatRoute> chat_route(std::string_view path) {
  if (path == "/v1/chat/completions" || path == "/chat/completions")
    return ChatRoute{WireFamily::openai_chat, {}, false};
  if (path == "/v1/responses" || path == "/responses") return ChatRoute{WireFamily::openai_responses, {}, false};
  if (path == "/v1/messages") return ChatRoute{WireFamily::anthropic_messages, {}, false};
  if (path == "/v2/chat") return ChatRoute{WireFamily::cohere_chat, {}, false};
  if (path == "/api/chat") return ChatRoute{WireFamily::ollama_chat, {}, false};
  for (const auto& named : by_path) {
    const auto start = path.find(named.before);
    if (start == std::string_view::npos || !path.ends_with(named.after)) continue;
    const auto from = start + named.before.size();
    if (path.size() <= from + named.after.size()) continue;
    return ChatRoute{named.family, std::string(path.substr(from, path.size() - from - named.after.size())),
                     named.stream};
  }
  return std::nullopt;
}

Result<SeenRequest> read_request(const ChatRoute& route, std::string_view body) {
  const auto parsed = json::parse(body, {.bytes_max = 64u << 20});
  if (!parsed || !parsed->is_object()) return wrong("the request is no JSON object");
  const auto& root = parsed->get_object();
  if (auto sound = check_options(route, root); !sound) return sound.error();
  const auto messages = read_conversation(route, root);
  if (!messages) return messages.error();
  if (auto ordered = check_order(*messages); !ordered) return ordered.error();

  SeenRequest seen;
  seen.model = route.model.empty() ? string_of(root, "model") : route.model;
  const auto* stream = root.if_contains("stream");
  seen.stream = route.stream || (stream != nullptr && *stream == value(true));
  const auto* options = object_of(root, "stream_options");
  const auto* wanted = options == nullptr ? nullptr : options->if_contains("include_usage");
  seen.stream_usage = wanted != nullptr && *wanted == value(true);
  read_system(root, seen);
  summarize(*messages, seen);
  const bool converse = route.family == WireFamily::bedrock_converse;
  const auto* config = converse ? object_of(root, "toolConfig") : nullptr;
  const auto* tools = (config == nullptr ? root : *config).if_contains("tools");
  if (tools != nullptr) {
    if (auto read = read_tools(*tools, seen); !read) return read.error();
  }
  return seen;
}

}  // namespace openindex::scripted
