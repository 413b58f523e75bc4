// The members of StageSettings by their names in JSON: one list for all who read, write or compare them.
#pragma once

#include <openindex/workflow/stage_settings.hpp>

#include "json/writer.hpp"

namespace openindex::workflow {

/// Call `visit(name, pointer to member)` for each, in the order they are written.
template <class Visit>
void each_member(const Visit& visit) {
  visit("providers", &StageSettings::providers);
  visit("turnsMax", &StageSettings::turns_max);
  visit("tokensMax", &StageSettings::tokens_max);
  visit("callsMax", &StageSettings::calls_max);
  visit("costMax", &StageSettings::cost_max);
  visit("deadlineMs", &StageSettings::deadline);
  visit("enabled", &StageSettings::enabled);
  visit("claimsByHand", &StageSettings::claims_by_hand);
  visit("approvals", &StageSettings::approvals);
}

/// The entry of a list as text.
inline const std::string& text_of(const std::string& text) { return text; }
inline const std::string& text_of(const ProviderId& id) { return id.str(); }

/// Write the members into an object that is open.
void write_members(json::Writer& out, const StageSettings& settings);

}  // namespace openindex::workflow
