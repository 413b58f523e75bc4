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

/// @returns what became of each element: the item, or why it was refused. When any was and `options.partial` is not
/// set, nothing was changed.
/// @par Errors contention, storage
Result<std::vector<Result<LoadedItemPtr>>> apply_all(EngineCore& core, std::size_t count, const BulkElement& element,
                                                     const BulkOptions& options);

/// As callers get it. @par Errors bulk_refused, invalid_argument (too many elements), contention, storage
Result<BulkAnswer> answer_all(EngineCore& core, std::size_t count, const BulkElement& element,
                              const BulkOptions& options);

}  // namespace openindex::engine
