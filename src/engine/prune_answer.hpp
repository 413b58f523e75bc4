// What a call of `prune` with an idempotency key was answered.
#pragma once

#include <optional>
#include <string>

#include <openindex/work/retention.hpp>

#include "engine/answers.hpp"
#include "engine/core.hpp"

namespace openindex::engine {

/// All that is asked for, as the digest of a request has it.
std::string text_of(const Prune& prune);

/// Find what is remembered. @par Errors idempotency_conflict, storage_corrupt, storage
Result<std::optional<Pruned>> recall_pruning(EngineCore& core, const Request& request);

/// Remember a report, and return it; or that of somebody who made the same call and was quicker.
/// @par Errors as recall_pruning, contention
Result<Pruned> remember_pruning(EngineCore& core, const Request& request, Pruned report);

}  // namespace openindex::engine
