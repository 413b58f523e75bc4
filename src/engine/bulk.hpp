// Many changes as one: each is decided on what those before it leave behind, and all land in one commit or none.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <openindex/work/bulk.hpp>

#include "engine/core.hpp"

namespace openindex::engine {

/// Makes one of the changes through the door it is given. Asked again, from the first on, when somebody was faster.
using BulkElement = std::function<Result<LoadedItemPtr>(ItemDoor& door, std::size_t position)>;

/// What to commit together with the elements, once all of them were accepted.
using BulkFinish = std::function<Result<ChangeSet>(const std::vector<Result<LoadedItemPtr>>& answers)>;

/// @returns what became of each element: the item, or why it was refused. When any was and `options.partial` is not
/// set, nothing was changed.
/// @par Errors contention, storage
Result<std::vector<Result<LoadedItemPtr>>> apply_all(EngineCore& core, std::size_t count, const BulkElement& element,
                                                     const BulkOptions& options, const BulkFinish& finish = {});

/// As callers get it. @par Errors bulk_refused, invalid_argument (too many elements), contention, storage
Result<BulkAnswer> answer_all(EngineCore& core, std::size_t count, const BulkElement& element,
                              const BulkOptions& options);

}  // namespace openindex::engine
