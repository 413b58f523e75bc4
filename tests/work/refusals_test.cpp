// A refusal names what would have been accepted instead, and an exit that is blocked names the same.
#include <doctest/doctest.h>

#include <algorithm>

#include "bench/helpdesk_definition.hpp"
#include "work/standing.hpp"

using namespace openindex;
using namespace openindex::tests;
using namespace std::chrono_literals;

namespace {

using Keys = std::vector<std::string>;
using Problems = std::vector<Problem>;

Error refusal(const Result<Decision>& decision) {
  REQUIRE_FALSE(decision);
  return decision.error();
}

// A command that leads to the status, in the ways that there are.
std::vector<Command> moves_to(const std::string& status) {
  return {ChangeStatus{status}, Complete{status}, Claim{.to_status = status}};
}

}  // namespace

TEST_CASE("every status that a refused move names instead is accepted by the same command") {
  std::size_t alternatives = 0;
  const Workflow workflow = bench::helpdesk_workflow();
  for (const Status& from : workflow.statuses) {
    if (from.resolution) continue;
    const Standing item = Standing(workflow, from.key).held_by("agent-alpha");
    for (const Status& to : workflow.statuses) {
      for (const Command& command : moves_to(to.key)) {
        const auto decision = item.decide(command, alpha);
        if (decision || decision.error().code() == errc::completion_status_not_terminal) continue;
        CAPTURE(from.key);
        CAPTURE(to.key);
        CAPTURE(command.index());
        CHECK(decision.error().context("to") == to.key);
        for (const std::string& instead : decision.error().allowed()) {
          ++alternatives;
          for (const Command& other : moves_to(instead)) {
            if (other.index() == command.index()) CHECK(item.decide(other, alpha));
          }
        }
      }
    }
  }
  CHECK(alternatives > 100);
}

TEST_CASE("a status that nobody has heard of is refused with those that the command leads to") {
  const Standing item = Standing("triaging").held_by("agent-alpha");
  CHECK(refusal(item.decide(ChangeStatus{"no_such"}, alpha)).allowed() == Keys{"rejected"});
  CHECK(refusal(item.decide(Claim{.to_status = "no_such"}, alpha)).allowed().empty());
  CHECK(refusal(Standing("new").decide(Claim{.to_status = "no_such"}, alpha)).allowed() == Keys{"triaging"});
  CHECK(refusal(Standing("done").decide(Reopen{.to_status = "rejected"}, mia)).allowed().size() == 5);
}

TEST_CASE("completing without saying how names the ends to choose from, or all when none is near") {
  const Standing several(bench::helpdesk_workflow(), "new");
  CHECK(refusal(several.decide(Complete{}, mia)).allowed() == Keys{"answered", "rejected"});
  CHECK(refusal(Standing("planning").decide(Complete{}, mia)).allowed() == Keys{"done", "rejected"});
}

TEST_CASE("a new item may start in any open status of the first stage, and is told so") {
  const Standing any(bench::helpdesk_workflow(), "new");
  const auto refused = decide_create(*any.workflow, {.title = "x", .status = "released"}, mia);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().allowed() == Keys{"new", "answering", "awaiting_customer"});
  for (const std::string& status : refused.error().allowed()) {
    CHECK(decide_create(*any.workflow, {.title = "x", .status = status}, mia));
  }
}

TEST_CASE("a held item tells holder, deadline and epoch, whatever is tried") {
  const Standing item = Standing("planning").held_by("agent-alpha");
  const Error errors[] = {refusal(item.decide(Claim{}, beta)), refusal(item.decide(AddComment{"late"}, beta)),
                          refusal(item.decide(AddComment{"late"}, beta, 3)),
                          refusal(item.decide(AddComment{"late"}, alpha, 3))};
  CHECK(errors[0].code() == errc::already_claimed);
  CHECK(errors[1].code() == errc::already_claimed);
  CHECK(errors[2].code() == errc::hold_lost);
  CHECK(errors[3].code() == errc::hold_lost);
  for (const Error& error : errors) {
    CHECK(error.context("holder") == "agent-alpha");
    CHECK(error.context("deadline") == to_rfc3339(start + 10min));
    CHECK(error.context("epoch") == "4");
  }
}

TEST_CASE("missing fields are told with their types, and those of a select with its options") {
  Standing item("triaging");
  const Error triage = refusal(item.decide(Progress{"triage_to_plan"}, mia));
  CHECK(triage.missing() == Keys{"severity", "component"});
  CHECK(triage.problems() == Problems{{"/fields/severity", "one of 'low', 'high', 'critical' is required"},
                                      {"/fields/component", "a text is required"}});
  const Error plan = refusal(item.at("planning").decide(Progress{"plan_to_review"}, mia));
  CHECK(plan.problems() ==
        Problems{{"/fields/effort", "a number is required"}, {"/fields/due", "a date, YYYY-MM-DD, is required"}});
}

TEST_CASE("a field that does not exist is answered with those that do, a wrong choice with the options") {
  const Standing item("planning");
  const Keys fields{"severity", "component", "effort", "due"};
  CHECK(refusal(item.decide(SetFields{{{"colour", "red"}}}, mia)).allowed() == fields);
  CHECK(refusal(item.decide(SetFields{}, mia)).allowed() == fields);
  const Error choice = refusal(item.decide(SetFields{{{"severity", "urgent"}}}, mia));
  CHECK(choice.context("field") == "severity");
  CHECK(choice.allowed() == Keys{"low", "high", "critical"});
  CHECK(refusal(item.decide(SetFields{{{"effort", 100}}}, mia)).allowed().empty());
}

TEST_CASE("a gate that is not here is answered with those that are") {
  const Standing item("planning");
  CHECK(refusal(item.decide(Progress{"triage_to_plan"}, mia)).allowed() == Keys{"plan_to_review"});
  CHECK(refusal(item.decide(Progress{"no_such"}, mia)).allowed() == Keys{"plan_to_review"});
  Standing passed("planning");
  passed.item.gates = {{.gate = "triage_to_plan"}};
  CHECK(refusal(passed.decide(Reacknowledge{"plan_to_review"}, mia)).allowed() == Keys{"triage_to_plan"});
}

TEST_CASE("what keeps an item from agents, or from a shortcut, is named") {
  Standing human("planning");
  human.item.execution_target = ExecutionTarget::human;
  CHECK(refusal(human.decide(Claim{}, alpha)).context("execution_target") == "human");
  CHECK(refusal(human.decide(TakeOver{"agent-beta"}, mia)).context("execution_target") == "human");
  const Error stage = refusal(Standing("new").decide(Done{}, mia));
  CHECK(stage.code() == errc::agent_stage_in_the_way);
  CHECK(stage.context("stage") == "triage");
  CHECK(stage.context("status") == "triaging");
  CHECK(refusal(Standing("planning").decide(RemoveAttachment{7}, mia)).allowed().empty());
  Standing with_file("planning");
  with_file.item.attachments = {{.number = 3, .name = "log"}};
  CHECK(refusal(with_file.decide(RemoveAttachment{7}, mia)).allowed() == Keys{"3"});
}

TEST_CASE("a blocked exit carries everything that the refusal would tell") {
  Standing item("planning");
  item.held_by("agent-beta");
  const auto context = context_of(item.snapshot(), alpha, start);
  const auto gate = std::ranges::find(context.blocked_exits, "plan_to_review",
                                      [](const BlockedExit& blocked) { return blocked.exit.key; });
  REQUIRE(gate != context.blocked_exits.end());
  REQUIRE(gate->reasons.size() == 2);
  CHECK(gate->reasons[0].describe() == refusal(item.decide(Progress{"plan_to_review"}, alpha)).describe());
  CHECK(gate->reasons[0].context("holder") == "agent-beta");
  CHECK(gate->reasons[1].describe() == refusal(item.decide(Progress{"plan_to_review"}, mia)).describe());
  CHECK(gate->reasons[1].problems().size() == 2);
}
