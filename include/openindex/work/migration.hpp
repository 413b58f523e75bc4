// Migration: may an item go on under another version of its workflow, and where would it stand?
//
// An item keeps the version it was created with until somebody migrates it. This is the judgement; whoever stores the
// answer asks it for every item first, shows all that would break, and then moves all items or none.
//
// Thread safety: pure functions of their arguments.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/result.hpp>
#include <openindex/work/work_item.hpp>
#include <openindex/workflow/compare.hpp>
#include <openindex/workflow/compiled_workflow.hpp>

namespace openindex {
inline namespace v0 {

/// What becomes of what the new version does not have.
struct StatusMapping {
  std::map<std::string, std::string, std::less<>> statuses = {};  ///< Old key to new key; others keep their key.
  bool drop_unknown_fields = false;  ///< Values of fields that the new version lacks go; else they are a problem.
  friend bool operator==(const StatusMapping&, const StatusMapping&) = default;
};

/// What migrating changes about an item.
struct MigrationStep {
  std::string status = {};                       ///< Where it stands in the new version.
  std::vector<std::string> dropped_fields = {};  ///< Keys of the fields whose values go.
};

/// Judge one item: the status it stands in under `from`, and its field values.
///
/// A migration is no work: an item that is finished stays finished in the same way, and one that is not stays open.
/// @par Errors migration_refused with every problem: `` (another workflow), `/status` (unknown in `from`, not in `to`
/// and not mapped, or finished on one side only), `/statuses/<old key>` (mapped to a status that `to` does not have,
/// whichever status the item has), `/fields/<key>` (lacking in `to`, or a value that `to` refuses)
OPENINDEX_API Result<MigrationStep> plan_migration(const CompiledWorkflow& from, const CompiledWorkflow& to,
                                                   const StatusMapping& mapping, std::string_view status,
                                                   const FieldValues& fields);

/// Which items of a workflow to migrate, and how.
struct MigrateAll {
  std::uint32_t version = 0;  ///< 0: the latest.
  StatusMapping mapping = {};
  std::string domain = {};  ///< Empty: of every domain.
  bool resolved = false;    ///< Finished items, too; else they keep the version they were finished under.
  bool dry_run = false;     ///< Judge every item, change none.
};

struct MigrationReport {
  std::uint32_t version = 0;         ///< Migrated to.
  std::uint64_t checked_count = 0;   ///< Items that were looked at.
  std::uint64_t migrated_count = 0;  ///< Those that stood under another version; in a dry run: that would be migrated.
};

/// A difference between two versions, and the unresolved items under the older one that it is about.
struct TouchingDifference {
  WorkflowDifference difference = {};
  std::uint64_t item_count = 0;
  std::vector<ItemKey> items = {};  ///< The first of them, at most 100.
};

/// Tell whether a difference is about this item, as it stands under `before`: its status, a move from its status, its
/// stage, a gate out of its stage or one that it has passed, a field that it has a value of.
OPENINDEX_API bool touches(const WorkflowDifference& difference, const Workflow& before, const Workflow& after,
                           const WorkItem& item);

}  // namespace v0
}  // namespace openindex
