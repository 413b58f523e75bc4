// What stands in the way of changing an item and of leaving its status by a plain move: one set of checks behind
// `decide` and `context_of`. Gates: gate_rules.hpp.
#pragma once

#include <vector>

#include <openindex/work/rules.hpp>

namespace openindex::work {

/// Which statuses a command may lead to: a refusal lists only those.
enum class Moves : std::uint8_t { all, onward, completing };

/// Tell whether a plain move along a transition that exists may be made: no gate guards it and none that is stale.
bool is_plain_move(const ItemSnapshot& snapshot, StatusIndex to);

/// Refuse a plain move to `to` that no transition allows or that a gate guards.
Result<void> check_move(const ItemSnapshot& snapshot, StatusIndex to, Moves moves = Moves::all);

/// The refusal of a status that no transition leads to.
Error no_such_move(const ItemSnapshot& snapshot, const std::string& to, Moves moves = Moves::all);

/// The refusal of an item that waits for others.
Error unresolved_dependencies(const WorkItem& item);

/// The refusal of an item that is for people.
Error not_for_agents(const WorkItem& item);

/// A refusal that tells who holds the item, and until when.
Error held_by(errc code, const Hold& hold);

/// Statuses that a plain move reaches.
std::vector<std::string> open_moves(const ItemSnapshot& snapshot, Moves moves = Moves::all);

/// Every terminal status of the workflow.
std::vector<std::string> terminal_statuses(const CompiledWorkflow& workflow);

/// Refuse an item that is resolved.
Result<void> check_open(const WorkItem& item);

/// Refuse a run that is another item's.
Result<void> check_inside(const ItemSnapshot& snapshot, const Actor& actor);

/// Refuse an actor who may not change this item now, with the reason the holder or the stranger needs.
Result<void> check_actor(const ItemSnapshot& snapshot, const Actor& actor, Time now, std::uint64_t fence);

/// Tell whether an actor is the one the hold is about.
bool holds(const std::optional<Hold>& hold, const Actor& actor);

}  // namespace openindex::work
