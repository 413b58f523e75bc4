// Conversations on the wires that are not made of messages with tool calls: items, parts, tagged blocks.

#include <boost/json/array.hpp>

#include "json/read.hpp"
#include "testing/provider_messages.hpp"

namespace openindex::scripted {
namespace {

using boost::json::object;
using boost::json::value;

Result<Message> read_item(const object& item) {
  const std::string type = string_of(item, "type");
  Message message;
  if (type == "function_call") {
    const std::string arguments = string_of(item, "arguments");
    if (!json::parse(arguments)) return wrong("function_call.arguments is no string of JSON");
    message.role = "assistant";
    message.calls.push_back(string_of(item, "call_id"));
  } else if (type == "function_call_output") {
    const auto* output = item.if_contains("output");
    if (output == nullptr) return wrong("function_call_output.output is required");
    message.role = "tool";
    message.results.push_back(string_of(item, "call_id"));
    collect_text(*output, message.text);
  } else if (type == "reasoning") {
    message.role = "reasoning";
  } else if (type.empty() || type == "message") {
    message.role = string_of(item, "role");
    if (const auto* content = item.if_contains("content")) collect_text(*content, message.text);
    if (message.role.empty()) return wrong("an item without role and type");
  } else {
    return wrong("unknown item type " + type);
  }
  return message;
}

std::string calls_key(const object& of) {
  const std::string id = string_of(of, "id");
  return id.empty() ? string_of(of, "name") : id;
}

// Since Gemini 3, the first call of a turn.
bool wants_signatures(std::string_view model) { return model.find("gemini-3") != std::string_view::npos; }

Result<void> read_part(const object& part, bool wants_signature, Message& message) {
  if (const auto* call = object_of(part, "functionCall")) {
    if (call->if_contains("args") != nullptr && object_of(*call, "args") == nullptr) {
      return wrong("functionCall.args is no object");
    }
    if (wants_signature && message.calls.empty() && string_of(part, "thoughtSignature").empty()) {
      return wrong("Function call is missing a thought_signature in functionCall parts");
    }
    message.calls.push_back(calls_key(*call));
  } else if (const auto* answer = object_of(part, "functionResponse")) {
    const auto* response = object_of(*answer, "response");
    if (response == nullptr) return wrong("functionResponse.response is no object");
    for (const auto& entry : *response) collect_text(entry.value(), message.text);
    message.results.push_back(calls_key(*answer));
  } else if (const auto* text = part.if_contains("text")) {
    collect_text(*text, message.text);
  } else {
    return wrong("a part without data");
  }
  return {};
}

Result<void> read_block(const object& block, Message& message) {
  if (const auto* use = object_of(block, "toolUse")) {
    if (object_of(*use, "input") == nullptr) return wrong("toolUse.input is no object");
    message.calls.push_back(string_of(*use, "toolUseId"));
  } else if (const auto* result = object_of(block, "toolResult")) {
    const auto content = list_of(*result, "content");
    if (!content) return content.error();
    for (const auto& entry : **content) collect_text(entry, message.text);
    message.results.push_back(string_of(*result, "toolUseId"));
  } else if (const auto* text = block.if_contains("text")) {
    if (string_of(block, "text").find_first_not_of(" \n\t") == std::string::npos) {
      return wrong("The text field in the ContentBlock object is blank");
    }
    collect_text(*text, message.text);
  } else if (object_of(block, "reasoningContent") == nullptr) {
    return wrong("a content block of no known kind");
  }
  return {};
}

Result<const object*> object_in(const value& entry) {
  const auto* found = entry.if_object();
  return found == nullptr ? Result<const object*>(wrong("an element of the conversation is no object")) : found;
}

}  // namespace

Result<std::vector<Message>> read_response_items(const object& root) {
  const auto list = list_of(root, "input");
  if (!list) return list.error();
  std::vector<Message> messages;
  bool reasoned = false;
  for (const auto& entry : **list) {
    const auto item = object_in(entry);
    if (!item) return item.error();
    auto message = read_item(**item);
    if (!message) return message.error();
    if (reasoned && message->role != "assistant" && message->role != "reasoning") {
      return wrong("a reasoning item without the item that must follow it");
    }
    reasoned = message->role == "reasoning";
    if (reasoned) continue;
    const bool goes_on = !messages.empty() && message->role == "assistant" && messages.back().role == "assistant";
    if (!goes_on) {
      messages.push_back(std::move(*message));
      continue;
    }
    messages.back().text += message->text;
    messages.back().calls.insert(messages.back().calls.end(), message->calls.begin(), message->calls.end());
  }
  if (reasoned || messages.empty()) return wrong("a reasoning item without the item that must follow it");
  return messages;
}

Result<std::vector<Message>> read_google_contents(const object& root, std::string_view model) {
  const auto list = list_of(root, "contents");
  if (!list) return list.error();
  std::vector<Message> messages;
  for (const auto& entry : **list) {
    const auto content = object_in(entry);
    if (!content) return content.error();
    Message message;
    message.role = string_of(**content, "role");
    if (message.role != "user" && message.role != "model") return wrong("Please use a valid role: user, model");
    if (message.role == "model") message.role = "assistant";
    const auto parts = list_of(**content, "parts");
    if (!parts) return parts.error();
    for (const auto& each : **parts) {
      const auto part = object_in(each);
      if (!part) return part.error();
      if (auto read = read_part(**part, wants_signatures(model), message); !read) return read.error();
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

Result<std::vector<Message>> read_converse_messages(const object& root) {
  const auto list = list_of(root, "messages");
  if (!list) return list.error();
  std::vector<Message> messages;
  for (const auto& entry : **list) {
    const auto from = object_in(entry);
    if (!from) return from.error();
    Message message;
    message.role = string_of(**from, "role");
    const auto content = list_of(**from, "content");
    if (!content) return content.error();
    for (const auto& each : **content) {
      const auto block = object_in(each);
      if (!block) return block.error();
      if (auto read = read_block(**block, message); !read) return read.error();
    }
    const bool configured = object_of(root, "toolConfig") != nullptr;
    if (!configured && message.calls.size() + message.results.size() > 0) {
      return wrong("The toolConfig field must be defined when using toolUse and toolResult content blocks");
    }
    const std::string_view expected = messages.size() % 2 == 0 ? "user" : "assistant";
    if (message.role != expected) return wrong("roles must alternate, beginning with the user's");
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace openindex::scripted
