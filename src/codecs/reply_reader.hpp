// Reading the parts of an answer that all families share, without trusting any of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codecs/chat_codec.hpp"

namespace openindex::codecs {

/// Return the member, or null when it is missing or JSON null.
const boost::json::value* member(const boost::json::object& object, std::string_view name) noexcept;

/// Return the member's text, empty when it is missing or no string.
std::string_view text_member(const boost::json::object& object, std::string_view name) noexcept;

/// Return the member as a count; 0 when it is missing, negative or no number.
std::uint64_t count_member(const boost::json::object& object, std::string_view name) noexcept;

/// Return the member as an object; null when it is missing or none.
const boost::json::object* object_member(const boost::json::object& object, std::string_view name) noexcept;

/// Say that an answer has not the shape of its family.
Error misshapen(std::string_view what);

/// Read a call's arguments, which come as a string of JSON or as an object; none means `{}`.
std::string read_arguments(const boost::json::value* value);

/// Read a message's content: a string, or parts of which some are text, or nothing at all.
Result<std::string> read_content(const boost::json::value* content);

/// An entry of `tool_calls`, and the function in it.
struct FunctionCall {
  const boost::json::object* entry;
  const boost::json::object* function;
};

/// Return the entries of `message.tool_calls`, none when it is null.
Result<std::vector<FunctionCall>> function_calls(const boost::json::value* tool_calls);

/// Finish an assistant turn: keep the provider's own text for the replay, or leave it out where a replay would be
/// refused because calls were cut off, have no id on a wire that needs one, or have arguments that are no JSON object.
struct Calls {
  std::vector<ToolUse> calls;
  bool whole = true;  ///< None had to be given an id, or has unreadable arguments.
};
Result<void> settle(ChatReply& reply, Calls calls, std::string_view raw, WireFamily family);

}  // namespace openindex::codecs
