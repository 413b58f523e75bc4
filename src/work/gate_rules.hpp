// What a stage gate wants: one list of checks behind `decide`, which stops at the first, and `context_of`, which tells
// all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/work/rules.hpp>

namespace openindex::work {

/// An attempt to progress a gate, or to vouch for it again. Refers to what it is made of.
struct GateAttempt {
  const ItemSnapshot& snapshot;
  GateIndex index;
  const Actor& actor;
  bool accept_text = false;
  std::span<const std::string> checked = {};

  [[nodiscard]] const StageGate& gate() const { return snapshot.workflow.gate(index); }
  [[nodiscard]] StatusIndex target() const { return snapshot.workflow.target_of(index); }
};

/// Refuse an attempt that does not bring what the gate itself asks for, wherever the item stands.
Result<void> check_demands(const GateAttempt& attempt);
bool meets_demands(const GateAttempt& attempt);

/// Refuse an attempt to progress the gate from where the item stands.
Result<void> check_gate(const GateAttempt& attempt);

/// Add everything that `check_gate` would refuse, in the order of refusal. @pre the gate leads out of the item's stage
void add_obstacles(const GateAttempt& attempt, std::vector<Error>& out);

/// Refuse a status that stale gates keep the item from: only completion is kept back. `except`: the gate that is being
/// progressed.
Result<void> check_fresh(const ItemSnapshot& snapshot, StatusIndex to, std::string_view except = {});
bool is_fresh(const ItemSnapshot& snapshot, StatusIndex to, std::string_view except = {});

/// Tell whether a gate out of the item's stage leads on from its status: only some of them may have the move.
bool leads_from_here(const ItemSnapshot& snapshot, GateIndex gate);

/// The refusal of a gate that does not lead out of the current status.
Error gate_not_available(const ItemSnapshot& snapshot, const std::string& gate);

/// How an acknowledgement names an attachment that it covers. (Keys of fields have no `/`.)
std::string attachment_covered(std::uint32_t number);

/// Tell whether the item has no value in a field.
bool lacks_field(const WorkItem& item, const std::string& key);

/// Keys of the fields that the gate requires and the item lacks.
std::vector<std::string> missing_fields(const WorkItem& item, const StageGate& gate);

}  // namespace openindex::work
