// How an item is stored: a small state record, a content record, and a tiny record for the hold's deadline.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <openindex/storage/storage.hpp>

#include "engine/loaded_item.hpp"

namespace openindex::engine {

RecordId state_record(const ItemKey& key);
RecordId content_record(const ItemKey& key);
RecordId hold_record(const ItemKey& key);

Put write_state(const LoadedItem& item);
Put write_content(const LoadedItem& item);
/// A hold that was given up is written empty, not erased: versions of the record then never repeat.
Put write_hold(const LoadedItem& item);

using CompiledWorkflowPtr = std::shared_ptr<const CompiledWorkflow>;
using FindWorkflow = std::function<Result<CompiledWorkflowPtr>(const WorkflowId&, std::uint32_t version)>;

/// Put an item together from its three records, in the order of the functions above.
/// @par Errors not_found, storage_corrupt, those of `find`
Result<LoadedItemPtr> read_item(const ItemKey& key, std::span<const std::optional<Record>> records,
                                const FindWorkflow& find);

}  // namespace openindex::engine
