// What is available, and what an agent holds, a page at a time.
//
// Items that nobody holds and items whose holder's deadline has passed stand in one order. Who lets go of a stale one
// while somebody lists does not move it: it is listed once. An item whose priority is lowered behind the page that had
// it stands in two places, one after the other: it is listed again, unless it was the last of its page.
#pragma once

#include <openindex/agent_queue.hpp>

#include "engine/core.hpp"

namespace openindex::queue {

/// @par Errors invalid_argument (limit, cursor), storage
Result<QueuePage> list_available(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit,
                                 const std::string& after);

/// @pre the actor is an agent @par Errors invalid_argument (limit, cursor), storage
Result<QueuePage> list_held(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit,
                            const std::string& after);

}  // namespace openindex::queue
