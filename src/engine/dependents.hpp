// Who waits for an item. Each item that others wait for has a record that lists them, so that resolving it frees them
// in the same commit, and so that the item itself need not change when somebody starts to wait.
#pragma once

#include <cstdint>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex::engine {

struct Dependents {
  std::vector<ItemKey> items;
  std::uint64_t version = 0;  ///< Of the record; 0: there is none.
};

RecordId dependents_record(const ItemKey& key);

/// @par Errors storage_corrupt, storage
Result<Dependents> read_dependents(Storage& storage, const ItemKey& key);

/// Put the list, and expect the record to be as it was read.
void write_dependents(ChangeSet& changes, const ItemKey& key, const Dependents& dependents);

}  // namespace openindex::engine
