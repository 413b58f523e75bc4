// Which items count as free: the ones that nobody holds, and the ones whose holder's deadline has passed.
#pragma once

#include <string>
#include <vector>

#include <openindex/agent_queue.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/storage/storage.hpp>
#include <openindex/workflow_engine.hpp>

namespace openindex::queue {

/// Ask for the items that nobody holds.
ScanRequest free_items(const QueueFilter& filter, std::uint32_t limit, const std::string& after);

/// Items whose holder's deadline has passed: free in all but the record.
Result<std::vector<ItemKey>> expired_items(WorkflowEngine& engine, std::uint32_t limit);

/// Tell whether an item that was found is what the filter asks for, and free.
bool takeable(const WorkItem& item, const QueueFilter& filter, Time now);

}  // namespace openindex::queue
