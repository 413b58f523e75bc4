// How an item gets somewhere: the shortest way through a definition, and values for the fields asked for on it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/workflow/workflow.hpp>

namespace openindex::scenario {

struct Step {
  const Status* to = nullptr;
  const StageGate* gate = nullptr;  // that must be progressed to make it
};

// Tells whether a status is where the way may end.
using Goal = std::function<bool(const Status& status)>;

// nullopt: no way. Of ways of one length, the first in the order of the definition. Points into the definition.
std::optional<std::vector<Step>> find_way(const Workflow& workflow, const std::string& from_status, const Goal& goal);

// Tells whether the gate can be progressed from that status.
bool leads_from(const Workflow& workflow, const std::string& status, const StageGate& gate);

// A value that fits the field's options and bounds. A pattern is not looked at.
FieldValue plausible_value(const Field& field, Time now);

}  // namespace openindex::scenario
