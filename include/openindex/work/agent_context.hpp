// AgentContext: what may I do now, and why not the rest?
//
// Answered by the rules that also judge commands, so an exit listed as allowed is accepted and one listed as blocked is
// refused with the same code and text. (openindex.md 3.2 and 3.3) Thread safety: plain values.
#pragma once

#include <string>
#include <vector>

#include <openindex/core/error.hpp>
#include <openindex/work/agent_run.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {

/// A way out of the item's current status.
struct Exit {
  enum class Type : std::uint8_t { status, stage_gate };
  Type type = Type::status;
  std::string key = {};  ///< The gate's key, or the status.
  std::string to_status = {};
  std::string to_stage = {};
  bool completes = false;  ///< Leads to a terminal status.

  // Gates only: what progressing must bring along.
  GateMode mode = GateMode::none;
  std::string text = {};
  std::vector<std::string> items = {};
};

struct BlockedExit {
  Exit exit = {};
  std::vector<Error> reasons = {};  ///< All of them at once; the first is what taking the exit is refused with.
};

/// A field that some gate out of the current stage requires.
struct RequiredField {
  std::string key = {};
  FieldType type = FieldType::text;
  std::string gate = {};
  bool missing = true;
};

struct AgentContext {
  WorkItem item;
  std::string current_goal = {};
  /// A text or checklist gate is allowed when the acknowledgement is all that it still wants.
  std::vector<Exit> allowed_exits = {};
  std::vector<BlockedExit> blocked_exits = {};
  std::vector<RequiredField> required_fields = {};
  std::vector<Field> fields = {};             ///< Every custom field of the workflow.
  std::vector<AgentRun> runs = {};            ///< Newest first, at most 20.
  std::vector<Comment> recent_comments = {};  ///< Newest last, at most 20.
  std::vector<std::string> terminal_statuses = {};
};

/// Why an item does not move, and who or what can move it.
struct Explanation {
  std::string summary = {};            ///< One line for a person.
  std::vector<std::string> next = {};  ///< What would move it, most useful first.
  RunState run_state = RunState::queued;
  RunReason run_reason = RunReason::none;  ///< `none` when no run stands in the way.
};

}  // namespace v0
}  // namespace openindex
