// What an actor's name must look like before anything is written under it.
#pragma once

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>

namespace openindex::work {

/// Refuse an id that could not be read back: it goes into audit entries, comments and indexes.
/// @par Errors agent_id_required (an agent without one), invalid_argument
Result<void> check_actor_id(const Actor& actor);

}  // namespace openindex::work
