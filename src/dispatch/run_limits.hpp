// What the settings of a stage leave a run: time, turns, tokens, calls. Pure functions.
#pragma once

#include <optional>
#include <string>

#include <openindex/work/agent_run.hpp>
#include <openindex/workflow/stage_settings.hpp>

namespace openindex::dispatch {

/// When the run's time is up; nullopt: never.
std::optional<Time> deadline_of(const AgentRun& run, const StageSettings& settings);

/// What is used up that asking a model needs, for people; empty: nothing is.
std::string spent_on_model(const AgentRun& run, const StageSettings& settings);

/// The same for calling a tool of the host.
std::string spent_on_calls(const AgentRun& run, const StageSettings& settings);

/// Tell whether a run that the settings put aside would be put aside again for the same.
bool still_put_aside(const AgentRun& run, const StageSettings& settings);

}  // namespace openindex::dispatch
