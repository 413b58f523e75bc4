// How an item is stored: a small state record, a content record, a tiny record for the hold's deadline, and one for the
// gates it has passed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "engine/loaded_item.hpp"

namespace openindex::engine {

RecordId state_record(const ItemKey& key);
RecordId content_record(const ItemKey& key);
RecordId hold_record(const ItemKey& key);
RecordId gates_record(const ItemKey& key);
constexpr std::size_t records_per_item = 4;

/// Where an item stands in the index of all items.
std::vector<IndexValue> place_among_items(const LoadedItem& item);

/// Where an item of this key stands in it, domain, number and sub; nothing when no item can have the key.
std::optional<std::vector<IndexValue>> place_of_key(const ItemKey& key);

/// What tells which words may be in a text. `place`: domain, number and sub of the item.
IndexEntry text_entry(std::string_view title, std::string_view description, std::vector<IndexValue> place);

Put write_state(const LoadedItem& item);
Put write_content(const LoadedItem& item);
/// A hold that was given up is written empty, not erased: versions of the record then never repeat.
Put write_hold(const LoadedItem& item);
Put write_gates(const LoadedItem& item);

using FindWorkflow = std::function<Result<CompiledWorkflowPtr>(const WorkflowId&, std::uint32_t version)>;

/// Put an item together from its records, in the order of the functions above.
/// @par Errors not_found, storage_corrupt, those of `find`
Result<LoadedItemPtr> read_item(const ItemKey& key, std::span<const std::optional<Record>> records,
                                const FindWorkflow& find);

}  // namespace openindex::engine
