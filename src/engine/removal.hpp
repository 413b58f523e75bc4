// Taking an item away: what may still need it, and what the commit that takes it says.
#pragma once

#include <vector>

#include <openindex/storage/storage.hpp>

#include "engine/dependents.hpp"
#include "engine/item_door.hpp"

namespace openindex::engine {

/// Written anew whenever an item is created below another, so that whoever takes the upper one away notices it. Nobody
/// expects it who creates: any number of them do so at once.
RecordId below_record(const ItemKey& key);
Put write_below(const ItemKey& key);

/// Who needs an item, and the versions that say so.
struct NeededBy {
  std::vector<ItemKey> items;  ///< The first 100 below it, and all that depend on it.
  Dependents dependents;
  std::uint64_t below_version = 0;
};

/// @par Errors storage_corrupt, storage
Result<NeededBy> read_needed_by(Storage& storage, const ItemKey& key);

/// Erase the records that make an item one, as long as it is as it was read and nobody needs it. What else it leaves
/// behind is found through the mark that the caller puts. @par Errors storage_corrupt, storage
Result<void> write_removal(Storage& storage, ChangeSet& changes, const LoadedItem& item, const NeededBy& needed_by);

}  // namespace openindex::engine
