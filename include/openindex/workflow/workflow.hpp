// Workflow: the definition of a process, as plain values.
//
// A person writes it as JSON, a program with `WorkflowBuilder`. `WorkflowEngine::save` stores it as an immutable
// version; items pin the version they were created with. It says what the process *requires*; which providers serve a
// stage is kept beside it and may change at any time. (openindex.md 1.3 and 2.4; names of members are ours.)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/core/result.hpp>
#include <openindex/workflow/field_value.hpp>

namespace openindex {
inline namespace v0 {

enum class Resolution : std::uint8_t { unresolved, resolved, cancelled };
enum class ExecutionTarget : std::uint8_t { human, agent, either };
enum class GateMode : std::uint8_t { none, text, checklist };
enum class FieldType : std::uint8_t { text, number, select, date };

/// An exact state of an item. Keys everywhere: 1 to 48 of `a-z A-Z 0-9 _ -`.
struct Status {
  std::string key = {};
  std::string name = {};   ///< For people; empty: the key.
  std::string stage = {};  ///< Key of the stage it belongs to.
  /// Set on terminal statuses: how an item that reaches it counts. `unresolved` is refused here.
  std::optional<Resolution> resolution = {};
  bool in_progress = false;  ///< Claiming an item that stands here keeps its status.
};

/// A move between two statuses. Moves that cross a gated stage boundary go through the gate.
struct Transition {
  std::string from = {};
  std::string to = {};
};

/// A named group of statuses.
struct Stage {
  std::string key = {};
  std::string name = {};
  bool agent_required = false;  ///< Entering it dispatches an agent run instead of waiting for a person.
  std::string goal = {};        ///< What the stage wants, told to whoever works on it; at most 4,000 bytes.
  std::string runner = "chat";  ///< Which registered runner executes it.
};

/// A checkpoint between two stages.
struct StageGate {
  std::string key = {};
  std::string name = {};
  std::string from_stage = {};
  std::string to_stage = {};
  std::string to_status = {};  ///< Where progressing leads; a status of `to_stage`.
  GateMode mode = GateMode::none;
  std::string text = {};                          ///< Mode text: what is acknowledged.
  std::vector<std::string> items = {};            ///< Mode checklist: every one must be checked.
  std::vector<std::string> required_fields = {};  ///< Custom fields that must have a value.
  bool people_only = false;                       ///< No agent can progress it.
  bool approver_not_worker = false;  ///< Whoever claimed the item or changed its content cannot progress it.
};

/// A custom field of the items of this workflow.
struct Field {
  std::string key = {};
  std::string name = {};
  FieldType type = FieldType::text;
  std::vector<std::string> options = {};  ///< select: at least one.
  std::optional<double> minimum = {};     ///< number: smallest value accepted.
  std::optional<double> maximum = {};     ///< number: largest value accepted.
  std::uint32_t bytes_max = 16'384;       ///< text: longest value accepted, 1 to 262,144.
  std::string description = {};           ///< Told to agents; at most 1,000 bytes.
  std::uint32_t bytes_min = 0;            ///< text: shortest value accepted, up to `bytes_max`.

  /// text: a regular expression in Perl's syntax, at most 200 bytes, that the whole value must match; empty: none.
  /// It sees characters, not bytes; `.` stops at a line's end, and classes such as `\w` and `(?i)` know ASCII only. A
  /// value on which matching would take too long is refused like one that does not match.
  std::string pattern = {};
  std::optional<Date> earliest = {};  ///< date: first day accepted, in the years 0 to 9999.
  std::optional<Date> latest = {};    ///< date: last day accepted, in the years 0 to 9999.
};

/// A whole definition. JSON form (every member unknown to this list is refused with its place):
///
///     {"key": "TRIAGE", "name": "…", "description": "…", "domain": "BUG", "executionTarget": "agent",
///      "initialStatus": "new",
///      "statuses":    [{"key", "name", "stage", "resolution": "resolved" | "cancelled", "inProgress": true}],
///      "transitions": [{"from", "to"}],
///      "stages":      [{"key", "name", "agentRequired", "goal", "runner"}],
///      "stageGates":  [{"key", "name", "fromStage", "toStage", "toStatus", "mode": "none" | "text" | "checklist",
///                       "text", "items", "requiredFields", "peopleOnly", "approverNotWorker"}],
///      "fields":      [{"key", "name", "type": "text" | "number" | "select" | "date", "options", "minimum",
///                       "maximum", "bytesMin", "bytesMax", "pattern", "earliest": "YYYY-MM-DD", "latest",
///                       "description"}]}
struct OPENINDEX_API Workflow {
  WorkflowId id = {};  ///< JSON `key`.
  std::string name = {};
  std::string description = {};
  std::string domain = {};  ///< Key of the domain its items are numbered in: 1 to 16 of `A-Z 0-9`; empty: from the id.
  ExecutionTarget execution_target = ExecutionTarget::human;  ///< For items that do not say.
  std::string initial_status = {};
  std::vector<Status> statuses = {};
  std::vector<Transition> transitions = {};
  std::vector<Stage> stages = {};  ///< In the order of work: a claim by itself never leads to an earlier one.
  std::vector<StageGate> gates = {};
  std::vector<Field> fields = {};

  /// Read a definition of at most 1 MiB and check it with `validate`.
  /// @par Errors invalid_json, input_too_large, invalid_definition: every problem with its JSON pointer
  static Result<Workflow> from_json(std::string_view json);

  /// Write the JSON form: the same value always gives the same bytes. @pre validate() succeeds
  [[nodiscard]] std::string to_json() const;

  /// Check that the definition can work: references, unique keys, reachability, gates that a transition joins.
  /// @par Errors invalid_definition: every problem with the JSON pointer it has in the JSON form
  [[nodiscard]] Result<void> validate() const;
};

/// Give the spelling on the wire, and back (nullopt: no such spelling).
OPENINDEX_API std::string_view to_text(Resolution value) noexcept;
OPENINDEX_API std::string_view to_text(ExecutionTarget value) noexcept;
OPENINDEX_API std::string_view to_text(GateMode value) noexcept;
OPENINDEX_API std::string_view to_text(FieldType value) noexcept;
OPENINDEX_API std::optional<Resolution> parse_resolution(std::string_view text) noexcept;
OPENINDEX_API std::optional<ExecutionTarget> parse_execution_target(std::string_view text) noexcept;
OPENINDEX_API std::optional<GateMode> parse_gate_mode(std::string_view text) noexcept;
OPENINDEX_API std::optional<FieldType> parse_field_type(std::string_view text) noexcept;

}  // namespace v0
}  // namespace openindex
