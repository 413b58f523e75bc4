#include "agent/stage_tools.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <boost/json/object.hpp>

#include "agent/rehearsal.hpp"
#include "agent/schema.hpp"
#include "json/read.hpp"

using namespace openindex;
using rehearsal::Rehearsal;

namespace {

const ToolSpec* find(const std::vector<ToolSpec>& tools, std::string_view name) {
  const auto found = std::find_if(tools.begin(), tools.end(), [&](const ToolSpec& tool) { return tool.name == name; });
  return found == tools.end() ? nullptr : &*found;
}

bool fits(const ToolSpec& tool, std::string_view arguments) {
  return agent::check_arguments(agent::read_schema(tool.schema).value(), json::parse(arguments).value()).has_value();
}

Command command(const Rehearsal& rehearsal, std::string_view name, std::string_view arguments) {
  return agent::to_command(rehearsal.context(), name, json::parse(arguments).value().get_object()).value();
}

}  // namespace

TEST_CASE("every built-in tool has a schema that can be checked and a name that every wire takes") {
  for (const std::string status : {"new", "planned", "reviewed"}) {
    for (const auto& tool : agent::stage_tools(Rehearsal(status).context())) {
      CAPTURE(tool.name);
      CHECK(agent::read_schema(tool.schema).has_value());
      CHECK(tool.name.size() <= 64);
      CHECK(agent::is_stage_tool(tool.name));
    }
  }
  CHECK_FALSE(agent::is_stage_tool("search"));
}

TEST_CASE("set_fields accepts what the workflow's fields accept") {
  const auto tools = agent::stage_tools(Rehearsal().context());
  const ToolSpec& tool = *find(tools, "set_fields");
  CHECK(fits(tool, R"({"severity":"low","score":10,"due":"2026-11-22","notes":"n"})"));
  CHECK_FALSE(fits(tool, R"({"severity":"other"})"));
  CHECK_FALSE(fits(tool, R"({"score":-1})"));
  CHECK_FALSE(fits(tool, R"({"unknown":1})"));
  CHECK_FALSE(fits(tool, R"({"notes":"0123456789012345678901234567890123456789x"})"));
  CHECK_FALSE(fits(tool, R"({"notes":null})"));
  CHECK(tool.schema.find("What you found out") != std::string::npos);
  CHECK(tool.schema.find("Required by the gate triage_to_plan") != std::string::npos);
}

TEST_CASE("fields become values of their own type") {
  const auto set = std::get<SetFields>(
      command(Rehearsal(), "set_fields", R"({"severity":"low","score":3,"due":"2026-11-22","notes":"a\u0007b"})"));
  CHECK(set.values.at("severity") == FieldValue("low"));
  CHECK(set.values.at("score") == FieldValue(3));
  CHECK(set.values.at("due") == FieldValue(*parse_date("2026-11-22")));
  CHECK(set.values.at("notes") == FieldValue("ab"));
}

TEST_CASE("change_status enumerates plain moves and is left out when there is none") {
  const auto tools = agent::stage_tools(Rehearsal("new").context());
  REQUIRE(find(tools, "change_status") != nullptr);
  CHECK(fits(*find(tools, "change_status"), R"({"to_status":"looking"})"));
  CHECK_FALSE(fits(*find(tools, "change_status"), R"({"to_status":"planned"})"));
  CHECK(find(agent::stage_tools(Rehearsal("planned").context()), "change_status") == nullptr);
  CHECK(std::get<ChangeStatus>(command(Rehearsal(), "change_status", R"({"to_status":"looking"})")).to_status ==
        "looking");
}

TEST_CASE("a text gate wants its requirements accepted") {
  Rehearsal rehearsal;
  CHECK(find(agent::stage_tools(rehearsal.context()), "progress_triage_to_plan") == nullptr);
  rehearsal.item.fields = {{"severity", "low"}, {"score", 1}};
  const auto tools = agent::stage_tools(rehearsal.context());
  const ToolSpec& tool = *find(tools, "progress_triage_to_plan");
  CHECK(tool.description.find("The severity is justified.") != std::string::npos);
  CHECK(fits(tool, R"({"accept_requirements_text":true})"));
  CHECK_FALSE(fits(tool, R"({"accept_requirements_text":false})"));
  CHECK_FALSE(fits(tool, "{}"));
}

TEST_CASE("a checklist gate wants every item, word for word") {
  const Rehearsal rehearsal("planned");
  const auto tools = agent::stage_tools(rehearsal.context());
  const ToolSpec& tool = *find(tools, "progress_plan_to_review");
  const std::string_view all = R"({"checked_items":["Root cause named","Test proposed"]})";
  CHECK(fits(tool, all));
  CHECK_FALSE(fits(tool, R"({"checked_items":["Root cause named"]})"));
  CHECK_FALSE(fits(tool, R"({"checked_items":["Root cause named","test proposed"]})"));
  const auto progress = std::get<Progress>(command(rehearsal, tool.name, all));
  CHECK(progress.gate == "plan_to_review");
  CHECK(progress.checked == std::vector<std::string>{"Root cause named", "Test proposed"});
}

TEST_CASE("a result tells where the item stands and what its exits want") {
  const auto state = json::parse(agent::act_result(Rehearsal().context())).value();
  CHECK(state.at("ok").get_bool());
  CHECK(state.at("status").get_string() == "new");
  CHECK(state.at("allowed_exits") ==
        boost::json::value{{{"key", "looking"}, {"to_status", "looking"}, {"tool", "change_status"}}});
  const auto& blocked = state.at("blocked_exits").at(0);
  CHECK(blocked.at("key").get_string() == "triage_to_plan");
  const auto& reason = blocked.at("reasons").at(0);
  CHECK(reason.at("code").get_string() == "required_fields_missing");
  CHECK(reason.at("missing") == boost::json::value{"severity", "score"});
  CHECK(reason.at("problems").at(1) ==
        boost::json::value{{"pointer", "/fields/score"}, {"text", "a number is required"}});
}

TEST_CASE("a refusal tells code, message, what is missing, what is allowed and every problem") {
  const auto text = agent::refusal_text(Error(errc::checklist_incomplete)
                                            .with_missing({"Test proposed"})
                                            .with_allowed({"add_comment"})
                                            .with_problems({{"/a", "must be \xff"}}));
  const auto error = json::parse(text).value().at("error");
  CHECK(error.at("code").get_string() == "checklist_incomplete");
  CHECK(error.at("message").get_string() == "Stage gate checklist is incomplete");
  CHECK(error.at("missing") == boost::json::value{"Test proposed"});
  CHECK(error.at("allowed") == boost::json::value{"add_comment"});
  CHECK(error.at("problems").at(0).at("text").get_string() == "must be \xEF\xBF\xBD");
}
