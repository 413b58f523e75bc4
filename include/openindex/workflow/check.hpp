// check: the structural mistakes that a person makes in a definition, found before it meets real work.
//
// `Workflow::validate` refuses what cannot work at all, and `save` goes by it. `check` tells that and more: what is
// accepted but strands items, and what is probably not meant. Who designs workflows runs it in a test of their own:
//
//     const CheckReport report = check(workflow);
//     for (const Finding& finding : report.findings) std::cout << finding.pointer << ": " << finding.message << '\n';
//     if (!report.ok()) return 1;
//
// Thread safety: a pure function of its argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

enum class Severity : std::uint8_t {
  error,    ///< Items get stuck, or the definition is refused.
  warning,  ///< It works, but probably not as meant.
  note      ///< Worth a look.
};

/// One mistake and its place. The codes:
///
/// | Code | Severity | What |
/// |---|---|---|
/// | `invalid` | error | what `validate` refuses, other than the next four |
/// | `unreachable_status` | error | no way leads to a status that is not terminal |
/// | `unreachable_terminal` | error | no way leads to a terminal status |
/// | `unreachable_stage` | error | no way leads to any status of a stage |
/// | `unreachable_gate` | error | no item can ever stand where the gate could be progressed |
/// | `no_terminal_status` | error | no item is ever finished |
/// | `dead_end` | error | nothing leads out of a status that is not terminal |
/// | `loop_without_exit` | error | statuses that lead to each other, and to no terminal status |
/// | `agent_stage_without_exit` | error | nothing leads out of an agent-required stage |
/// | `blocked_transition` | warning | crosses a gated boundary beside the gate's target: nobody can make it |
/// | `no_resolved_status` | warning | items can only be cancelled |
/// | `no_in_progress_status` | warning | agents may take the items, and no status says that somebody works on one |
/// | `agent_stage_for_people` | warning | every way out of an agent-required stage is for people only |
/// | `agent_stage_for_others` | warning | no way out of an agent-required stage is open to the agent that works there |
/// | `agent_stage_only_terminal` | warning | an agent-required stage whose statuses are all terminal: no work is left |
/// | `agent_stage_without_goal` | warning | an agent-required stage does not say what it wants |
/// | `checklist_items_alike` | warning | items that differ only in case and spaces |
/// | `options_alike` | warning | options that differ only in case and spaces |
/// | `gate_asks_nothing` | note | a gate that anybody can progress without a condition |
///
/// A way is one that the gates leave: over a gated boundary only the gate leads, and only to its target. As long as a
/// key is unknown or used twice, only that is told, and not what follows from it for the ways.
struct Finding {
  Severity severity = Severity::error;
  std::string code = {};
  std::string pointer = {};  ///< JSON pointer (RFC 6901) into the JSON form, such as `/statuses/3`; empty: the whole.
  std::string message = {};  ///< What is wrong there, for a person.

  friend bool operator==(const Finding&, const Finding&) = default;
};

struct OPENINDEX_API CheckReport {
  std::vector<Finding> findings = {};  ///< Errors first, then warnings, then notes.

  [[nodiscard]] std::size_t errors() const noexcept;
  [[nodiscard]] std::size_t warnings() const noexcept;
  [[nodiscard]] bool ok() const noexcept { return errors() == 0; }
};

/// Look for mistakes in a definition, right or wrong, of any size; the time grows with the size and little more. A
/// definition without errors is accepted by `validate`.
OPENINDEX_API CheckReport check(const Workflow& workflow);

/// Give the spelling for reports: `error`, `warning`, `note`.
OPENINDEX_API std::string_view to_text(Severity value) noexcept;

}  // namespace v0
}  // namespace openindex
