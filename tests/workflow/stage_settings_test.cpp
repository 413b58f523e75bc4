#include <doctest/doctest.h>

#include <openindex/workflow/stage_settings.hpp>

#include <boost/json.hpp>

#include "workflow/triage_definition.hpp"

using namespace openindex;
using namespace std::chrono_literals;

namespace {

const StageSettings all_set{.providers = {"prov_b", "prov_a"},
                            .turns_max = 12,
                            .tokens_max = 200'000,
                            .calls_max = 30,
                            .cost_max = 5'000'000,
                            .deadline = 48h,
                            .enabled = false,
                            .claims_by_hand = false,
                            .approvals = {"send_mail"}};

std::vector<std::string> pointers(const Error& error) {
  std::vector<std::string> out;
  for (const Problem& problem : error.problems()) out.push_back(problem.pointer);
  return out;
}

}  // namespace

TEST_CASE("stage settings that nobody made bound nothing and switch nothing off") {
  const StageSettings settings;
  CHECK(settings.validate());
  CHECK(settings.providers.empty());
  CHECK(settings.turns_max == 0);
  CHECK(settings.deadline == 0ms);
  CHECK(settings.enabled);
  CHECK(settings.claims_by_hand);
  CHECK(StageSettings::from_json("{}").value() == settings);
}

TEST_CASE("stage settings survive the way to JSON and back") {
  const std::string json = all_set.to_json();
  CHECK(json == R"({"providers":["prov_b","prov_a"],"turnsMax":12,"tokensMax":200000,"callsMax":30,"costMax":5000000,)"
                R"("deadlineMs":172800000,)"
                R"("enabled":false,"claimsByHand":false,"approvals":["send_mail"]})");
  CHECK(StageSettings::from_json(json).value() == all_set);
  CHECK(StageSettings::from_json(StageSettings().to_json()).value() == StageSettings());
}

TEST_CASE("stage settings at their bounds are read back exactly") {
  const StageSettings greatest{.turns_max = 100'000,
                               .tokens_max = 1'000'000'000'000,
                               .calls_max = 100'000,
                               .cost_max = 1'000'000'000'000'000,
                               .deadline = 24h * 3650};
  REQUIRE(greatest.validate());
  CHECK(StageSettings::from_json(greatest.to_json()).value() == greatest);
}

TEST_CASE("every problem of stage settings is told with its place") {
  const StageSettings wrong{.providers = {"prov_a", "", "prov_a", "\xff"},
                            .turns_max = 100'001,
                            .tokens_max = 1'000'000'000'001,
                            .calls_max = 100'001,
                            .cost_max = 1'000'000'000'000'001,
                            .deadline = 999ms,
                            .approvals = {"", "send_mail", "send_mail", std::string(65, 'x')}};
  const auto refused = wrong.validate();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::invalid_argument);
  CHECK(pointers(refused.error()) ==
        std::vector<std::string>{"/providers/1", "/providers/2", "/providers/3", "/approvals/0", "/approvals/2",
                                 "/approvals/3", "/turnsMax", "/tokensMax", "/callsMax", "/costMax", "/deadlineMs"});
  CHECK_FALSE(StageSettings{.deadline = -1s}.validate());
  CHECK_FALSE(StageSettings{.deadline = 24h * 3650 + 1ms}.validate());
  CHECK_FALSE(StageSettings{.providers = std::vector<ProviderId>(51, "prov_a")}.validate());
}

TEST_CASE("JSON that is no stage settings is refused with every place") {
  const auto refused = StageSettings::from_json(
      R"({"providers": ["prov_a", 7], "turnsMax": -1, "tokensMax": 1.5, "callsMax": 200000, "deadlineMs": "1h",)"
      R"( "enabled": 1, "budget": 3})");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::invalid_argument);
  CHECK(pointers(refused.error()) == std::vector<std::string>{"/providers/1", "/turnsMax", "/tokensMax", "/deadlineMs",
                                                              "/enabled", "/budget", "/callsMax"});
  CHECK(StageSettings::from_json("[]").error().code() == errc::invalid_argument);
  CHECK(StageSettings::from_json("{").error().code() == errc::invalid_json);
  CHECK(StageSettings::from_json(R"({"turnsMax": 1, "turnsMax": 2})").error().code() == errc::invalid_json);
  CHECK(StageSettings::from_json(std::string(70'000, ' ')).error().code() == errc::input_too_large);
}

TEST_CASE("the merged form is the definition with the settings of every stage") {
  const Workflow workflow = tests::triage_workflow();
  const std::string json = merged_json(workflow, {{"plan", all_set}, {"gone", all_set}});
  boost::json::value merged = boost::json::parse(json);
  for (auto& stage : merged.at("stages").as_array()) {
    auto& members = stage.as_object();
    const auto settings = StageSettings::from_json(boost::json::serialize(members.at("settings"))).value();
    CHECK(settings == (members.at("key") == "plan" ? all_set : StageSettings()));
    members.erase("settings");
  }
  CHECK(merged == boost::json::parse(workflow.to_json()));
}

TEST_CASE("a definition with settings in it is refused as a definition") {
  const auto refused = Workflow::from_json(merged_json(tests::triage_workflow(), {}));
  REQUIRE_FALSE(refused);
  CHECK(pointers(refused.error()).front() == "/stages/0/settings");
}
