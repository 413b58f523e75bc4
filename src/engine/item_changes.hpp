// What a decision makes of an item: the changes, applied to a copy of it.
#pragma once

#include <openindex/storage/change_set.hpp>

#include "engine/loaded_item.hpp"

namespace openindex::engine {

/// Put the item under another version of its workflow; before the rest of the decision is applied.
void migrate_item(LoadedItem& next, const MigrationChange& change, const CompiledWorkflowPtr& target,
                  const Actor& actor);

/// Apply everything but comments and runs, which have records of their own.
void apply_decision(LoadedItem& next, const Decision& decision, const Actor& actor, Time now);

/// Apply the hold alone, for a heartbeat.
void change_hold(LoadedItem& next, const HoldChange& change, const Actor& actor, Time now);

/// Write the item's newest comment. @pre `comment_count` counts it
Put write_comment(const LoadedItem& item, const AddComment& comment, const Actor& actor, Time now);

}  // namespace openindex::engine
