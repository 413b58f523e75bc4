// Tool: something an agent can call that the host wrote. Tools are what makes an agent useful.
//
// Register them with `Dispatcher::add_tool`; `ChatRunner` offers them to the model beside the built-in ones (set
// fields, comment, change status, progress a gate), which are generated from what is allowed at that moment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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

/// What a call does to the world. A `read` is repeated after a crash. The others are journaled before they begin; when
/// an interruption leaves it open whether a call took effect, the tool's `outcome` is asked, or it is made again if it
/// is `repeatable`, or else the run waits with `unknown_effect` for a person, and the call is never made again.
enum class ToolEffect : std::uint8_t {
  read,
  write,     ///< Changes what is the host's.
  external,  ///< Reaches others: a mail, a payment, a deployment.
};

struct Tool {
  std::string name = {};  ///< 1 to 64 of `a-zA-Z0-9_-`; `set_fields`, `add_comment`, `change_status`, `ask_person` and
                          ///< `progress_…` are taken.
  std::string description = {};  ///< Told to the model.
  /// JSON Schema of the arguments, an object schema. Checked: type, properties, required, additionalProperties, enum,
  /// const, minimum, maximum, minLength, maxLength, items, minItems, maxItems. Ignored: description, title, default.
  /// Others are refused.
  std::string schema = R"({"type":"object","properties":{}})";
  ToolEffect effect = ToolEffect::read;
  /// A call with a key that was used before does no harm: the other side knows the key, or the effect is the same.
  bool repeatable = false;
  /// Ask a person before each call: the run waits with `needs_approval` until `ResumeRun::approved` says yes or no. A
  /// stage can demand it of any tool: `StageSettings::approvals`.
  bool needs_approval = false;
  std::size_t result_bytes_max = 16'384;  ///< A longer result is cut, and says so; an error, too.

  /// Do it. The text goes to the model as data; an error too, and the run goes on. Called on the dispatcher's thread:
  /// nothing else goes on meanwhile, and a call longer than the dispatcher's `hold` loses the item. An exception counts
  /// as an error.
  std::function<Result<std::string>(const ToolCall&)> call = {};

  /// Tell what became of a call that an interruption left open, by its key: its result if it took effect, nullopt if it
  /// did not, never will (a call that is still on its way under that key included), and is to be made now; an error:
  /// that cannot be told, a person is asked. Called as `call` is.
  std::function<Result<std::optional<std::string>>(const ToolCall&)> outcome = {};
};

}  // namespace v0
}  // namespace openindex
