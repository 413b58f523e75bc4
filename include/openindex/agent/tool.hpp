// Tool: something an agent can call that the host wrote. Tools are what makes an agent useful.
//
// Register them with `Dispatcher::add_tool`; `ChatRunner` offers them to the model beside the built-in ones (set
// fields, comment, change status, progress a gate), which are generated from what is allowed at that moment.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

/// One call by an agent, checked against the tool's schema before the tool sees it.
struct ToolCall {
  std::string_view key;  ///< Unique for this call and the same after a crash: an idempotency key for effects outside.
  const ItemKey& item;   ///< The run's own item; never taken from the arguments.
  const boost::json::object& arguments;

  /// Return a text argument; empty when it is absent or no text.
  [[nodiscard]] OPENINDEX_API std::string text(std::string_view name) const;
  /// Return a number argument, or the other value when it is absent or no number.
  [[nodiscard]] OPENINDEX_API double number(std::string_view name, double otherwise = 0) const;
};

/// What a call does to the world. After a crash a `read` is repeated; for the others a person is asked when it is not
/// known whether the call happened.
enum class ToolEffect : std::uint8_t { read, write };

struct Tool {
  std::string name =
      {};  ///< 1 to 64 of `a-zA-Z0-9_-`; `set_fields`, `add_comment`, `change_status` and `progress_…` are taken.
  std::string description = {};  ///< Told to the model.
  /// JSON Schema of the arguments, an object schema. Checked: type, properties, required, additionalProperties, enum,
  /// const, minimum, maximum, minLength, maxLength, items, minItems, maxItems. Ignored: description, title, default.
  /// Others are refused.
  std::string schema = R"({"type":"object","properties":{}})";
  ToolEffect effect = ToolEffect::read;
  std::size_t result_bytes_max = 16'384;  ///< A longer result is cut, and says so.

  /// Do it. The text goes to the model as data; an error too, and the run goes on. Called on the dispatcher's thread:
  /// nothing else goes on meanwhile, and a call longer than the dispatcher's `hold` loses the item. An exception counts
  /// as an error.
  std::function<Result<std::string>(const ToolCall&)> call = {};
};

}  // namespace v0
}  // namespace openindex
