#include "testing/provider_messages.hpp"

#include <boost/json/array.hpp>

#include "json/read.hpp"

namespace openindex::scripted {

using boost::json::object;
using boost::json::value;

Error wrong(std::string what) { return {errc::invalid_argument, std::move(what)}; }

std::string string_of(const object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

const object* object_of(const object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}

Result<const boost::json::array*> list_of(const object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  const auto* list = found == nullptr ? nullptr : found->if_array();
  if (list == nullptr || list->empty()) return wrong(std::string(name) + " must not be empty");
  return list;
}

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

namespace {

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

}  // namespace

Result<std::vector<Message>> read_messages(WireFamily family, const object& root) {
  const auto list = list_of(root, "messages");
  if (!list) return list.error();
  std::vector<Message> messages;
  for (const auto& entry : **list) {
    auto message = read_message(family, entry);
    if (!message) return message.error();
    messages.push_back(std::move(*message));
  }
  if (family == WireFamily::anthropic_messages && messages.front().role != "user") {
    return wrong("first message must use the user role");
  }
  return messages;
}

}  // namespace openindex::scripted
