// The tool with which a model asks a person, and what it is told of the answer.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include <openindex/agent/agent_runner.hpp>

namespace openindex::agent {

inline constexpr std::string_view ask_person = "ask_person";

ToolSpec ask_person_tool();

/// Turn a call into the action that parks the run. @pre the arguments fit the tool's schema
AskPerson to_question(const boost::json::object& arguments);

/// What a model reads of a person who resumed its run. An empty answer: they said nothing.
std::string person_answer(std::string_view by, std::string_view answer);

/// What a model reads of a call that a person did not approve.
std::string person_refusal(std::string_view by, std::string_view answer);

}  // namespace openindex::agent
