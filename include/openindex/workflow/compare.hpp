// compare: what changed between two definitions, for a person who is about to save and for a program that decides
// whether live items must be migrated.
//
//     for (const WorkflowDifference& difference : compare(before, after)) std::cout << describe(difference) << '\n';
//
// Thread safety: pure functions of their arguments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <openindex/workflow/workflow.hpp>

namespace openindex {
inline namespace v0 {

/// One difference: an entry that only one side has, or one member that differs.
struct WorkflowDifference {
  enum class Kind : std::uint8_t { added, removed, changed };

  Kind kind = Kind::changed;
  std::string what = {};    ///< `workflow`, `stage`, `status`, `transition`, `gate` or `field`.
  std::string key = {};     ///< Of the entry; of a transition `from -> to`; of the workflow the key of `before`.
  std::string member = {};  ///< changed: the member as it is called in the JSON form, such as `toStatus`.
  std::string before = {};  ///< changed: the value; a list as JSON; empty when it was not set.
  std::string after = {};   ///< changed: likewise.

  friend bool operator==(const WorkflowDifference&, const WorkflowDifference&) = default;
};

/// List the differences: the workflow's own members first, then stages, statuses, transitions, gates and fields.
///
/// Entries belong together by their key: a renamed key is one entry removed and one added. Where entries that both
/// sides have stand in another order, that is a change of the workflow, in the member `stages`, `statuses` and so on:
/// the order decides which move a claim takes. Valid definitions with the same JSON form have no difference, and others
/// have at least one. Takes any definitions, right or wrong.
OPENINDEX_API std::vector<WorkflowDifference> compare(const Workflow& before, const Workflow& after);

/// Say it in one line, such as `changed gate 'review': peopleOnly from false to true`.
OPENINDEX_API std::string describe(const WorkflowDifference& difference);

}  // namespace v0
}  // namespace openindex
