#include <doctest/doctest.h>

#include <openindex/workflow/diagram.hpp>

#include "workflow/small_definition.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

TEST_CASE("a diagram groups statuses by stage, marks agents, and names gates on the edges") {
  CHECK(diagram(tests::triage_workflow()) == R"mermaid(stateDiagram-v2
    state "intake" as stage0 {
        state "new" as status0
    }
    state "triage (agent, chat)" as stage1 {
        state "triaging" as status1
    }
    state "plan (agent, chat)" as stage2 {
        state "planning" as status2
        state "plan_blocked" as status3
    }
    state "review" as stage3 {
        state "in_review" as status4
    }
    state "closed" as stage4 {
        state "done" as status5
        state "rejected" as status6
    }
    [*] --> status0
    status0 --> status1
    status1 --> status2 : triage_to_plan
    status1 --> status6
    status2 --> status3
    status2 --> status4 : plan_to_review
    status3 --> status2
    status4 --> status5 : review_to_done (people only)
    status4 --> status2
    status5 --> [*]
    status6 --> [*]
)mermaid");
}

TEST_CASE("a transition that a gate shuts is not drawn") {
  Workflow workflow = tests::small_workflow();
  workflow.gates = {tests::small_gate()};
  workflow.statuses.push_back({.key = "dropped", .stage = "end", .resolution = Resolution::cancelled});
  workflow.transitions.push_back({"doing", "dropped"});
  const std::string text = diagram(workflow);
  CHECK(text.find("status1 --> status2 : finish") != std::string::npos);
  CHECK(text.find("status1 --> status3") == std::string::npos);
}

TEST_CASE("no name of a definition becomes markup") {
  Workflow workflow = tests::small_workflow();
  workflow.statuses[0].name = "\"] --> <b>x</b>\n%% ; : #quot; ü";
  workflow.stages[0].name = "\xff{";
  CHECK(diagram(workflow).find(
            "state \"#34;#93; --#62; #60;b#62;x#60;/b#62; #37;#37; #59; #58; #35;quot#59; ü\" as status0") !=
        std::string::npos);
  CHECK(diagram(workflow).find("state \"?#123;\" as stage0") != std::string::npos);
}

TEST_CASE("a broken definition is drawn as far as it goes") {
  CHECK(diagram(Workflow()) == "stateDiagram-v2\n");
  Workflow workflow = tests::small_workflow();
  workflow.statuses[0].stage = "nowhere";
  workflow.transitions[0].to = "gone";
  const std::string text = diagram(workflow);
  CHECK(text.find("\n    state \"open\" as status0\n") != std::string::npos);
  CHECK(text.find("status0 --> ") == std::string::npos);
  CHECK(text.find("status1 --> status2") != std::string::npos);
}
