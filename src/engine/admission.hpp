// Who gets as far as the door.
#pragma once

#include "engine/core.hpp"

namespace openindex::engine {

/// What a command on an item is let through as: the actor's role, and what the call itself says. Of the rules'
/// judgement nothing is known yet. @par Errors not_found, not_permitted, outside_run, invalid_argument (idempotency
/// key)
Result<Change> admit(EngineCore& core, const Actor& actor, const ItemKey& key, const Command& command,
                     const CallOptions& call);

}  // namespace openindex::engine
