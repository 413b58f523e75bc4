// The built-in tools of a stage: made from what is allowed at this moment, and turned into commands of the rules.
//
// Offering a tool is a courtesy to the model, not a permission: `decide` judges every command again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include <openindex/agent/chat.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/rules.hpp>

#include "json/writer.hpp"

namespace openindex::agent {

/// Tell whether a name is one of the built-in tools', which hosts may not take.
[[nodiscard]] bool is_stage_tool(std::string_view name) noexcept;

/// Describe the tools that make sense now.
std::vector<ToolSpec> stage_tools(const AgentContext& context);

/// Name the tool that takes an exit.
std::string tool_of(const Exit& exit);

/// Turn a call into a command. @pre `name` is offered now, and is not `ask_person` and the arguments fit its schema
/// @par Errors invalid_field_value (what a schema cannot say: a day that no calendar has)
Result<Command> to_command(const AgentContext& context, std::string_view name, const boost::json::object& arguments);

/// Say why a built-in tool is not offered now; `offered` are those that are.
Error not_offered(const AgentContext& context, std::string_view name, std::vector<std::string> offered);

/// Write `status`, `allowed_exits` and `blocked_exits` into the object that is open.
void write_state(json::Writer& writer, const AgentContext& context);

/// What a model reads after a built-in tool did its work: where the item stands now.
std::string act_result(const AgentContext& context);

/// What a model reads after a refusal: `{"error": {"code", "message", "missing", "allowed", "problems"}}`.
std::string refusal_text(const Error& error);

}  // namespace openindex::agent
