// Which items count as free: the ones that nobody holds, and the ones whose holder's deadline has passed.
#pragma once

#include <string>

#include <openindex/agent_queue.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/storage/storage.hpp>

#include "engine/loaded_item.hpp"
#include "engine/workflow_shelf.hpp"

namespace openindex::queue {

/// Ask for the items that nobody holds.
ScanRequest free_items(const QueueFilter& filter, std::uint32_t limit, const std::string& after);

/// Ask for the items whose holder's deadline has passed: free in all but the record.
ScanRequest expired_items(Time now, std::uint32_t limit, const std::string& after);

/// Tell whether an item that was found is what the filter asks for, and free for agents that claim by hand.
/// @par Errors storage
Result<bool> takeable(engine::WorkflowShelf& shelf, const engine::LoadedItem& item, const QueueFilter& filter,
                      Time now);

}  // namespace openindex::queue
