// WorkItem: one piece of work, as its readers see it. (openindex.md 1.2)
//
// Read through `WorkflowEngine`; changed only by its commands. Thread safety: plain values.
#pragma once

#include <chrono>
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

/// Where an item stands: projects hold tasks, tasks hold sub-tasks. A task needs no project, a sub-task needs a task.
enum class WorkKind : std::uint8_t { project, task, sub_task };

OPENINDEX_API std::string_view to_text(WorkKind value) noexcept;
OPENINDEX_API std::optional<WorkKind> parse_work_kind(std::string_view text) noexcept;

enum class ScheduleGranularity : std::uint8_t { none, date, datetime };

OPENINDEX_API std::string_view to_text(ScheduleGranularity value) noexcept;
OPENINDEX_API std::optional<ScheduleGranularity> parse_schedule_granularity(std::string_view text) noexcept;

/// When it is planned: not at all, on a day, or in a block of time.
struct Schedule {
  ScheduleGranularity granularity = ScheduleGranularity::none;
  Time start{};  ///< A day: its midnight in UTC.
  Time end{};    ///< Blocks only; after `start`.

  static Schedule on(std::chrono::sys_days day) { return {ScheduleGranularity::date, Time(day), {}}; }
  static Schedule block(Time start, Time end) { return {ScheduleGranularity::datetime, start, end}; }

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// A file somewhere else: the bytes are the host's.
struct Attachment {
  std::uint32_t number = 0;     ///< Counts from 1 within the item; given when it is added, never used again.
  std::string name = {};        ///< 1 to 255 bytes, no control characters.
  std::string media_type = {};  ///< Such as `text/plain`; at most 127 bytes.
  std::uint64_t size_bytes = 0;
  std::string uri = {};  ///< 1 to 2,000 bytes, no control characters.
  std::string added_by = {};
  Time added_at{};

  friend bool operator==(const Attachment&, const Attachment&) = default;
};

/// What somebody vouched for when they progressed a gate, and whether it is still so.
struct GateAcknowledgement {
  std::string gate = {};
  std::string by = {};  ///< The actor's id.
  bool by_agent = false;
  Time at{};
  std::vector<std::string> checked = {};  ///< Checklist items that were confirmed.
  /// Keys of the fields that had a value, and `attachment/<number>` of each attachment that was there. Title and
  /// description are always covered. What is added later needs no vouching for by those who passed before.
  std::vector<std::string> covered = {};
  std::string digest = {};                ///< Hex SHA-256 of what was covered.
  std::vector<std::string> changed = {};  ///< What was covered and has changed since: field keys, `title`, …
  std::string changed_by = {};            ///< Who changed it last.

  /// A stale gate keeps the item from being completed until somebody acknowledges it again.
  [[nodiscard]] bool stale() const noexcept { return !changed.empty(); }
};

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
  ItemKey key = {};  ///< `OPS-42`; of a sub-task: its parent's key and a number, `OPS-42.1`.
  WorkKind kind = WorkKind::task;
  ItemKey parent = {};
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
  std::string owner = {};                    ///< User id.
  std::string assignee = {};                 ///< User id. Who holds it for an agent is `hold`.
  std::vector<std::string> categories = {};  ///< Labels of the domain; sorted, each once.
  Schedule schedule = {};
  std::string objective_state = {};  ///< Free text of the host's own meaning.
  FieldValues fields = {};
  std::vector<ItemKey> depends_on = {};  ///< Work that comes first.
  std::vector<ItemKey> blocked_by = {};  ///< Those of them that are not resolved: until then it is not available.
  std::vector<Attachment> attachments = {};
  std::vector<GateAcknowledgement> gates = {};  ///< Gates that were progressed, the last time of each.
  std::optional<Hold> hold = {};                ///< Also when past its deadline: compare with the time of reading.
  RunId run = {};                               ///< The run of the current stage, when it has one that has not ended.
  std::uint64_t version = 0;                    ///< Rises with every change of the item's state.
  std::uint32_t comment_count = 0;
  Time created_at{};
  Time updated_at{};
  std::optional<Time> resolved_at = {};
};

/// What a host gives to create an item.
struct OPENINDEX_API NewItem {
  WorkflowId workflow = {};  ///< Empty: the default workflow of the domain.
  std::string title = {};
  std::string description = {};
  Priority priority = Priority::medium;
  std::optional<ExecutionTarget> execution_target = {};  ///< Absent: the workflow's default.
  std::string status = {};                               ///< Empty: the workflow's initial status.
  std::string domain = {};                               ///< Empty: the parent's, else the workflow's domain.
  WorkKind kind = WorkKind::task;
  ItemKey parent = {};  ///< A sub-task's task, or a task's project; in the same domain.
  std::string owner = {};
  std::string assignee = {};
  std::vector<std::string> categories = {};  ///< At most 50, each 1 to 100 bytes.
  Schedule schedule = {};
  std::string objective_state = {};      ///< At most 1,000 bytes.
  std::vector<ItemKey> depends_on = {};  ///< At most 100.
  FieldValues fields = {};

  /// The same key with the same content creates one item, however often it is sent; with another content it is refused
  /// with `idempotency_conflict`. Empty: none. At most 200 bytes; the scope is the workflow, and the actor unless it is
  /// the host. It does not expire, so that an import may be started again at any time, until `WorkflowEngine::prune`
  /// erases it; when the item was pruned or deleted, the answer is not_found, and none is created again.
  std::string idempotency_key = {};

  /// Read a JSON array of items, at most 64 MiB: `[{"title", "description", "priority", "workflow", "executionTarget",
  /// "status", "domain", "kind", "parentKey", "ownerUserId", "assigneeUserId", "categories", "objectiveState",
  /// "dependsOn", "fields": {key: text | number | {"date": "YYYY-MM-DD"}}, "idempotencyKey"}]`.
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
