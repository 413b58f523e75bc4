// Which items count as free: the ones that nobody holds, and the ones whose holder's deadline has passed.
#pragma once

#include <array>
#include <string>

#include <openindex/access/actor.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/storage/storage.hpp>

#include "engine/core.hpp"
#include "engine/loaded_item.hpp"

namespace openindex {
inline namespace v0 {
class EngineCore;
}  // namespace v0
}  // namespace openindex

namespace openindex::queue {

/// Where free items are found, in the order in which they are handed out: those that somebody let go stale come first.
enum class FreePart : char { expired = 'e', expired_run = 'r', unheld = 'f' };
inline constexpr std::array free_parts{FreePart::expired, FreePart::expired_run, FreePart::unheld};

/// Ask for a page of one part. What it finds is free in all but what `takeable` and the actor's role say.
ScanRequest free_items(FreePart part, const QueueFilter& filter, Time now, std::uint32_t limit,
                       const std::string& after = {});

/// Ask for what somebody holds, most urgent first; an empty holder: what nobody holds.
ScanRequest held_items(const QueueFilter& filter, const std::string& holder);

/// Tell whether an item is what the filter asks for.
bool matches(const engine::LoadedItem& item, const QueueFilter& filter);

/// Tell whether an actor's role lets it claim in a domain. @par Errors storage
Result<bool> may_claim(EngineCore& core, const Actor& actor, const std::string& domain);

/// Tell whether an item that was found is what the filter asks for, and free for agents that claim by hand.
/// @par Errors storage
Result<bool> takeable(EngineCore& core, const engine::LoadedItem& item, const QueueFilter& filter, Time now);

}  // namespace openindex::queue
