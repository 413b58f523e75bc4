#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "json/read.hpp"
#include "testing/provider_wires.hpp"

namespace openindex::scripted {
namespace {

using boost::json::object;
using boost::json::value;

struct Message {
  std::string role;
  std::string text;
  std::vector<std::string> calls;    // ids; on Ollama names
  std::vector<std::string> results;  // ids; on Ollama names
  bool results_first = true;
};

Error wrong(std::string what) { return {errc::invalid_argument, std::move(what)}; }

std::string string_of(const object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

const object* object_of(const object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}

// Text is a string, or blocks with `text`, or results with `content` of the same kind.
void collect_text(const value& from, std::string& out) {
  if (const auto* text = from.if_string()) {
    out.append(text->data(), text->size()) += '\n';
  } else if (const auto* parts = from.if_array()) {
    for (const auto& part : *parts) collect_text(part, out);
  } else if (const auto* block = from.if_object()) {
    for (const auto* name : {"text", "content"}) {
      if (const auto* inner = block->if_contains(name)) collect_text(*inner, out);
    }
  }
}

Result<void> read_blocks(const value& content, Message& message) {
  const auto* blocks = content.if_array();
  if (blocks == nullptr) return content.is_string() ? Result<void>() : wrong("content is neither text nor blocks");
  if (blocks->empty()) return wrong("messages must have non-empty content");
  bool text_seen = false;
  for (const auto& entry : *blocks) {
    if (!entry.is_object()) return wrong("a content block is no object");
    const auto& block = entry.get_object();
    const std::string type = string_of(block, "type");
    if (type == "tool_use") {
      if (object_of(block, "input") == nullptr) return wrong("tool_use.input is no object");
      message.calls.push_back(string_of(block, "id"));
    } else if (type == "tool_result") {
      message.results.push_back(string_of(block, "tool_use_id"));
      message.results_first = message.results_first && !text_seen;
    } else if (type == "text") {
      text_seen = true;
      if (string_of(block, "text").empty()) return wrong("text content blocks must be non-empty");
    }
  }
  return {};
}

Result<void> read_calls(WireFamily family, const value& calls, Message& message) {
  if (!calls.is_array()) return wrong("tool_calls is no array");
  for (const auto& entry : calls.get_array()) {
    const auto* function = entry.is_object() ? object_of(entry.get_object(), "function") : nullptr;
    const auto* arguments = function ? function->if_contains("arguments") : nullptr;
    if (arguments == nullptr) return wrong("a tool call without function and arguments");
    if (family == WireFamily::ollama_chat) {
      if (!arguments->is_object()) return wrong("function.arguments is no object");
      message.calls.push_back(string_of(*function, "name"));
    } else {
      if (!arguments->is_string() || !json::parse(std::string_view(arguments->get_string()))) {
        return wrong("function.arguments is no string of JSON");
      }
      message.calls.push_back(string_of(entry.get_object(), "id"));
    }
  }
  return {};
}

Result<Message> read_message(WireFamily family, const value& from) {
  if (!from.is_object()) return wrong("a message is no object");
  const auto& fields = from.get_object();
  Message message;
  message.role = string_of(fields, "role");
  const auto* content = fields.if_contains("content");
  if (content != nullptr) collect_text(*content, message.text);
  if (family == WireFamily::anthropic_messages) {
    if (message.role != "user" && message.role != "assistant") return wrong("unknown role " + message.role);
    if (content == nullptr) return wrong("a message without content");
    if (auto read = read_blocks(*content, message); !read) return read.error();
    return message;
  }
  if (message.role == "tool") {
    message.results.push_back(string_of(fields, family == WireFamily::ollama_chat ? "tool_name" : "tool_call_id"));
  }
  if (const auto* calls = fields.if_contains("tool_calls")) {
    if (auto read = read_calls(family, *calls, message); !read) return read.error();
  }
  return message;
}

Result<void> check_order(WireFamily family, const std::vector<Message>& messages) {
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
  if (!open.empty()) return wrong("a tool call without its result: " + open.front());
  const bool chat = family != WireFamily::anthropic_messages || messages.front().role == "user";
  return chat ? Result<void>() : wrong("first message must use the user role");
}

Result<void> check_options(WireFamily family, const object& root) {
  if (string_of(root, "model").empty()) return wrong("model is required");
  const auto* stream = root.if_contains("stream");
  const bool streams = stream == nullptr ? family == WireFamily::ollama_chat : *stream != value(false);
  if (streams) return wrong("the scripted provider does not stream: send \"stream\": false");
  if (family == WireFamily::anthropic_messages && root.if_contains("max_tokens") == nullptr) {
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

}  // namespace

Result<SeenRequest> read_request(WireFamily family, std::string_view body) {
  const auto parsed = json::parse(body, {.bytes_max = 64u << 20});
  if (!parsed || !parsed->is_object()) return wrong("the request is no JSON object");
  const auto& root = parsed->get_object();
  if (auto sound = check_options(family, root); !sound) return sound.error();
  const auto* list = root.if_contains("messages");
  if (list == nullptr || !list->is_array() || list->get_array().empty()) return wrong("messages must not be empty");

  std::vector<Message> messages;
  for (const auto& entry : list->get_array()) {
    auto message = read_message(family, entry);
    if (!message) return message.error();
    messages.push_back(std::move(*message));
  }
  if (auto ordered = check_order(family, messages); !ordered) return ordered.error();

  SeenRequest seen;
  seen.model = string_of(root, "model");
  if (const auto* system = root.if_contains("system")) collect_text(*system, seen.first_text);
  summarize(messages, seen);
  if (const auto* tools = root.if_contains("tools"); tools != nullptr && tools->is_array()) {
    for (const auto& tool : tools->get_array()) {
      if (!tool.is_object()) return wrong("a tool is no object");
      const auto* function = object_of(tool.get_object(), "function");
      seen.tools.push_back(string_of(function ? *function : tool.get_object(), "name"));
    }
  }
  return seen;
}

}  // namespace openindex::scripted
