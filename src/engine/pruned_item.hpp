// What stays of an item that was pruned: the head of its audit chain, and until all is erased, that something is left.
#pragma once

#include <openindex/storage/storage.hpp>

#include "engine/audit_chain.hpp"

namespace openindex::engine {

struct PrunedItem {
  ItemKey key;
  ChainHead chain;
  bool audit_kept = true;
  std::uint64_t version = 0;
};

RecordId pruned_record(const ItemKey& key);

/// `left`: records of the item are still to be erased.
Put write_pruned(const PrunedItem& item, bool left, Time now);

/// @par Errors not_found, storage_corrupt, storage
Result<PrunedItem> find_pruned(Storage& storage, const ItemKey& key);
Result<PrunedItem> read_pruned(const Record& record);

}  // namespace openindex::engine
