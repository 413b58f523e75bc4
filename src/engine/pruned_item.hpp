// What stays of an item that was pruned: the head of its audit chain, and until all is erased, that something is left.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

/// @par Errors storage_corrupt
Result<PrunedItem> read_pruned(const Record& record);

/// What a domain has forgotten is told in a stream of its own, `<domain>-retention`.
std::string retention_stream(std::string_view domain);
RecordId retention_record(std::string_view domain);
Put write_retention(std::string_view domain, const ChainHead& head);

/// The head of a chain that no item has any more: of one that was pruned, or of what a domain has forgotten. Null:
/// there is none. @par Errors storage_corrupt, storage
Result<std::optional<ChainHead>> find_chain(Storage& storage, const ItemKey& stream);

}  // namespace openindex::engine
