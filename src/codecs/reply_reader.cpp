#include "codecs/reply_reader.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "codecs/conversation.hpp"

namespace openindex::codecs {

const boost::json::value* member(const boost::json::object& object, std::string_view name) noexcept {
  const auto* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string_view text_member(const boost::json::object& object, std::string_view name) noexcept {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  const auto& text = value->get_string();
  return {text.data(), text.size()};
}

std::uint64_t count_member(const boost::json::object& object, std::string_view name) noexcept {
  constexpr double sane = 1e15;
  const auto* value = object.if_contains(name);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return std::min(value->get_uint64(), static_cast<std::uint64_t>(sane));
  if (value->is_int64())
    return static_cast<std::uint64_t>(std::clamp(value->get_int64(), std::int64_t{0}, static_cast<std::int64_t>(sane)));
  if (value->is_double() && value->get_double() > 0)
    return static_cast<std::uint64_t>(std::min(value->get_double(), sane));
  return 0;
}

const boost::json::object* object_member(const boost::json::object& object, std::string_view name) noexcept {
  const auto* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

Error misshapen(std::string_view what) {
  return Error(errc::provider_malformed_reply, fmt::format("The provider's answer has the wrong shape: {}", what));
}

std::string read_arguments(const boost::json::value* value) {
  if (value == nullptr) return "{}";
  if (!value->is_string()) return boost::json::serialize(*value);
  const auto& text = value->get_string();
  return text.empty() ? "{}" : std::string(text.data(), text.size());
}

Result<std::string> read_content(const boost::json::value* content) {
  if (content == nullptr) return std::string();
  if (const auto* text = content->if_string()) return std::string(text->data(), text->size());
  const auto* parts = content->if_array();
  if (parts == nullptr) return misshapen("message.content is neither text nor parts");
  std::string text;
  for (const auto& part : *parts) {
    if (!part.is_object()) return misshapen("a part of message.content is no object");
    if (text_member(part.get_object(), "type") == "text") text += text_member(part.get_object(), "text");
  }
  return text;
}

Result<std::vector<FunctionCall>> function_calls(const boost::json::value* tool_calls) {
  std::vector<FunctionCall> calls;
  if (tool_calls == nullptr) return calls;
  if (!tool_calls->is_array()) return misshapen("message.tool_calls is no array");
  for (const auto& entry : tool_calls->get_array()) {
    const auto* function = entry.is_object() ? object_member(entry.get_object(), "function") : nullptr;
    if (function == nullptr) return misshapen("a tool call without its function");
    calls.push_back({&entry.get_object(), function});
  }
  return calls;
}

Result<void> settle(ChatReply& reply, Calls calls, std::string_view raw, WireFamily family) {
  std::set<std::string_view> ids;
  for (const ToolUse& call : calls.calls) {
    if (call.name.empty()) return misshapen("a tool call without a name");
    if (!ids.insert(call.id).second) return misshapen("two tool calls with one id");
    calls.whole = calls.whole && is_json_object(call.arguments);
  }
  using Stop = ChatReply::Stop;
  const bool cut_off = reply.stop == Stop::length || reply.stop == Stop::refused;
  if (calls.calls.empty() || (calls.whole && !cut_off)) reply.turn.raw = raw;
  if (!calls.calls.empty() && !cut_off) {
    reply.stop = Stop::tool_calls;
    reply.turn.calls = std::move(calls.calls);
  }
  reply.turn.role = ChatTurn::Role::assistant;
  reply.turn.raw_family = family;
  return {};
}

}  // namespace openindex::codecs
