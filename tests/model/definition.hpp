// The definition that the reference model and the engine are compared on.
#pragma once

#include <openindex/workflow/workflow.hpp>

namespace openindex::model {

/// Gates of every mode, for people only and for approvers who did not do the work; stages for agents and for everybody;
/// ways around and back; every type of field.
Workflow claims_workflow();

/// Its second version: a status has another name, a stage is for people, a gate asks for more, a gate and a field are
/// gone.
Workflow changed_claims_workflow();
/// The agent-required stage whose settings keep agents from claiming by hand.
inline constexpr const char* stage_for_runs = "letter";

}  // namespace openindex::model
