// Ending a run, as its record tells it.
#pragma once

#include <openindex/access/actor.hpp>
#include <openindex/work/agent_run.hpp>

namespace openindex::engine {

/// A run that fails says why itself; of the others the reason follows from the state.
void set_ended(AgentRun& run, RunState state, const Actor& by, Time now);

}  // namespace openindex::engine
