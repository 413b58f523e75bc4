// What a model is told: the system part from the workflow's own texts, everything else as data.
//
// The system part is written by whoever wrote the workflow and by us. What people, agents and tools wrote (title,
// description, fields, comments) goes out as JSON strings in the user part, where it can close no delimiter and pose as
// nothing else. That lowers the odds of an injection and no more: the boundary is `decide`.
#pragma once

#include <cstddef>
#include <string>

#include <openindex/work/agent_context.hpp>

namespace openindex::agent {

/// Tell what the stage is about, its exits and what they want, how to finish, and what is data.
std::string system_part(const AgentContext& context);

/// Write the item and where it stands as one JSON object. Title, description, fields and comments take at most
/// `item_bytes_max` bytes together (before JSON escapes); whatever is cut says by how much.
std::string data_part(const AgentContext& context, std::size_t item_bytes_max);

/// Tell a model that stopped working that the stage is not finished, and where it stands.
std::string reminder(const AgentContext& context);

/// Tell a model that its answer was cut off.
std::string be_brief();

/// Tell whether an agent has nothing left to do but to leave the exits to people.
bool only_people_can_go_on(const AgentContext& context);

}  // namespace openindex::agent
