// WorkItem: one piece of work, as its readers see it. (openindex.md 1.2)
//
// Read through `WorkflowEngine`; changed only by its commands. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>
#include <openindex/workflow/field_value.hpp>
#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

enum class Priority : std::uint8_t { critical, high, medium, low };

OPENINDEX_API std::string_view to_text(Priority value) noexcept;
OPENINDEX_API std::optional<Priority> parse_priority(std::string_view text) noexcept;

using FieldValues = std::map<std::string, FieldValue, std::less<>>;  ///< By field key; unset fields are absent.

/// Who works on an item, and until when that is believed.
///
/// The epoch rises with every claim and takeover: a write that carries an older one is refused with `hold_lost`.
/// After the deadline the item is claimable by others at once; the holder may still go on if nobody took it.
struct Hold {
  AgentId agent = {};
  std::uint64_t epoch = 0;
  Time deadline{};
  RunId run = {};  ///< Set when the dispatcher holds it for a run.
};

struct WorkItem {
  ItemKey key = {};
  std::string title = {};        ///< 1 to 500 bytes, no control characters.
  std::string description = {};  ///< Markdown, at most 640 KiB.
  WorkflowId workflow = {};
  std::uint32_t workflow_version = 0;  ///< The version it is pinned to.
  std::string domain = {};
  std::string status = {};
  std::string stage = {};
  Resolution resolution = Resolution::unresolved;
  Priority priority = Priority::medium;
  ExecutionTarget execution_target = ExecutionTarget::human;
  FieldValues fields = {};
  std::optional<Hold> hold = {};  ///< Also when past its deadline: compare with the time of reading.
  RunId run = {};                 ///< The run of the current stage, when it has one that has not ended.
  std::uint64_t version = 0;      ///< Rises with every change of the item's state.
  std::uint32_t comment_count = 0;
  Time created_at{};
  Time updated_at{};
  std::optional<Time> resolved_at = {};
};

/// What a host gives to create an item.
struct OPENINDEX_API NewItem {
  WorkflowId workflow = {};
  std::string title = {};
  std::string description = {};
  Priority priority = Priority::medium;
  std::optional<ExecutionTarget> execution_target = {};  ///< Absent: the workflow's default.
  std::string status = {};                               ///< Empty: the workflow's initial status.
  std::string domain = {};                               ///< Empty: the workflow's domain.
  FieldValues fields = {};

  /// The same key with the same content creates one item, however often it is sent; with another content it is refused
  /// with `idempotency_conflict`. Empty: none. At most 200 bytes; the scope is the workflow.
  std::string idempotency_key = {};

  /// Read a JSON array of items, at most 64 MiB: `[{"title", "description", "priority", "workflow", "executionTarget",
  /// "status", "domain", "fields": {key: text | number | {"date": "YYYY-MM-DD"}}, "idempotencyKey"}]`.
  /// @par Errors invalid_json, input_too_large, invalid_argument (every problem with its JSON pointer)
  static Result<std::vector<NewItem>> list_from_json(std::string_view json);
};

struct Comment {
  std::uint32_t number = 0;  ///< Counts from 1 within the item.
  std::string body = {};     ///< Plain text or Markdown as given, 1 byte to 64 KiB; escape it before display.
  bool external = false;     ///< Visible outside the team.
  std::string author = {};   ///< The actor's id.
  bool by_agent = false;
  Time at{};
};

}  // namespace v0
}  // namespace openindex
