// Ending a run, as its record tells it.
#pragma once

#include <openindex/access/actor.hpp>
#include <openindex/work/agent_run.hpp>
#include <openindex/work/rules.hpp>

namespace openindex::engine {

/// Tell whether a command is judged by the item's run.
[[nodiscard]] bool is_about_run(const Command& command) noexcept;

/// A run that fails says why itself; of the others the reason follows from the decision. @pre it ends the run
void set_ended(AgentRun& run, const Decision& decision, const Actor& by, Time now);

}  // namespace openindex::engine
