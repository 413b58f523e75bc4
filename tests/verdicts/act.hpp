// The door of runners: an `Act` that a dispatcher carries out.
#pragma once

#include <optional>
#include <string>

#include "verdicts/stage_set.hpp"

namespace openindex::verdicts {

/// What the run's dispatcher makes of the command; nothing where the dispatcher keeps it for itself: its holds.
/// @pre the set's item is free but for a run of its own
std::optional<std::string> act(StageSet& set, const Command& command);

}  // namespace openindex::verdicts
