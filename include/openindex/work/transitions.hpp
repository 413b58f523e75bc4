// Transitions: where a work item can go next, whoever works on it. (openindex.md 3.2)
//
// Agents ask it before they claim: it is about the item and its workflow, not about an actor. What one actor may do,
// and why not the rest, is told by an AgentContext. Answered by the rules that also judge commands. Thread safety:
// plain values.
#pragma once

#include <string>
#include <vector>

#include <openindex/core/ids.hpp>
#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

/// A gate that leads out of the current status: its definition, and what the item lacks to pass it.
struct AvailableGate : StageGate {
  std::vector<Field> fields = {};  ///< What the required fields accept, in the order of `required_fields`.
  std::vector<std::string> missing_fields = {};  ///< Keys of the required fields that have no value yet.
};

struct Transitions {
  ItemKey key = {};
  std::string status = {};
  std::string stage = {};
  /// Statuses that a plain move reaches now. Moves over a gated boundary are told by the gate.
  std::vector<std::string> allowed_transitions = {};
  std::vector<AvailableGate> available_stage_gates = {};
  std::vector<std::string> terminal_statuses = {};  ///< Every one of the workflow, within reach or not.
};

}  // namespace v0
}  // namespace openindex
