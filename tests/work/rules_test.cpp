#include <doctest/doctest.h>

#include <algorithm>

#include <openindex/work/rules.hpp>

#include "bench/helpdesk_definition.hpp"
#include "work/standing.hpp"

using namespace openindex;
using namespace openindex::tests;
using namespace std::chrono_literals;

namespace {

errc code_of(const Result<Decision>& decision) {
  REQUIRE_FALSE(decision);
  return decision.error().code();
}

}  // namespace

TEST_CASE("the five texts of the contract are given word for word") {
  CHECK(message(errc::status_transition_not_allowed) == "Status transition is not allowed");
  CHECK(message(errc::completion_status_not_terminal) == "Completion status must be terminal");
  CHECK(message(errc::requirements_not_acknowledged) == "Stage gate requirements must be acknowledged");
  CHECK(message(errc::checklist_incomplete) == "Stage gate checklist is incomplete");
  CHECK(message(errc::agent_id_required) == "Agent id is required");
}

TEST_CASE("claiming a free item takes it and moves it to the first status in progress") {
  Standing item("new");
  const auto decision = item.decide(Claim{.hold = 5min}, alpha);
  REQUIRE(decision);
  CHECK(decision->hold.kind == HoldChange::Kind::take);
  CHECK(decision->hold.deadline == start + 5min);
  CHECK_FALSE(decision->hold.takeover);
  CHECK(item.workflow->status(*decision->status).key == "triaging");
  CHECK(decision->audit.front().type == "agent.claimed");
}

TEST_CASE("claiming an item that stands in progress keeps its status") {
  const auto decision = Standing("planning").decide(Claim{}, alpha);
  REQUIRE(decision);
  CHECK_FALSE(decision->status);
}

TEST_CASE("claiming by itself takes an item on in its stage, and never back to an earlier one") {
  // Both have a move back to an earlier stage in progress that comes first.
  const Standing ready(bench::helpdesk_workflow(), "ready");
  CHECK(ready.workflow->status(*ready.decide(Claim{}, alpha)->status).key == "building");
  const Standing in_review("in_review");
  CHECK_FALSE(in_review.decide(Claim{}, alpha)->status);
  CHECK(in_review.workflow->status(*in_review.decide(Claim{"planning"}, alpha)->status).key == "planning");
}

TEST_CASE("a held item is refused with its holder and deadline, an expired one is taken over") {
  const auto refused = Standing("planning").held_by("agent-alpha").decide(Claim{}, beta);
  CHECK(code_of(refused) == errc::already_claimed);
  CHECK(refused.error().context("holder") == "agent-alpha");
  CHECK(refused.error().context("deadline") == to_rfc3339(start + 10min));

  const auto taken = Standing("planning").held_by("agent-alpha", start).decide(Claim{}, beta);
  REQUIRE(taken);
  CHECK(taken->hold.takeover);
  CHECK(taken->audit[0].type == "agent.hold_expired");
  CHECK(taken->audit[1].type == "agent.claimed");
}

TEST_CASE("claiming again by the holder only extends") {
  const auto decision = Standing("planning").held_by("agent-alpha").decide(Claim{}, alpha);
  REQUIRE(decision);
  CHECK(decision->only_extends());
}

TEST_CASE("a claim that names an epoch goes on under that hold or is told that it was lost") {
  const Standing held = Standing("planning").held_by("agent-alpha");
  CHECK(held.decide(Claim{}, alpha, 4)->only_extends());
  CHECK(code_of(held.decide(Claim{}, alpha, 3)) == errc::hold_lost);
  CHECK(code_of(held.decide(Claim{}, beta, 4)) == errc::hold_lost);
  CHECK(code_of(Standing("planning").decide(Claim{}, alpha, 4)) == errc::hold_lost);
  const Standing expired = Standing("planning").held_by("agent-alpha", start);
  CHECK(expired.decide(Claim{}, alpha, 4)->hold.kind == HoldChange::Kind::take);
  CHECK(code_of(expired.decide(Claim{}, alpha, 3)) == errc::hold_lost);
  CHECK(code_of(expired.decide(Claim{}, beta, 4)) == errc::hold_lost);
}

TEST_CASE("people, empty ids and human items cannot be claimed") {
  CHECK(code_of(Standing("planning").decide(Claim{}, mia)) == errc::agent_id_required);
  CHECK(code_of(Standing("planning").decide(Claim{}, Actor::agent(""))) == errc::agent_id_required);
  Standing human("planning");
  human.item.execution_target = ExecutionTarget::human;
  CHECK(code_of(human.decide(Claim{}, alpha)) == errc::not_for_agents);
  CHECK(code_of(Standing("planning").decide(Claim{.hold = 1ms}, alpha)) == errc::invalid_argument);
}

TEST_CASE("an agent-required stage can be left to its runs") {
  const auto claim = [](const Standing& standing, const Actor& actor) {
    ItemSnapshot snapshot = standing.snapshot();
    snapshot.claims_by_hand = false;
    return decide(snapshot, Claim{}, actor, start);
  };
  CHECK(code_of(claim(Standing("planning"), alpha)) == errc::stage_for_runs);
  CHECK(claim(Standing("planning").held_by("agent-alpha"), alpha));
  CHECK(code_of(claim(Standing("planning").held_by("agent-alpha"), beta)) == errc::already_claimed);
  CHECK(claim(Standing("in_review"), alpha));
}

TEST_CASE("an agent must hold an item to change it, a person need not") {
  const SetFields set{{{"component", "parser"}}};
  CHECK(code_of(Standing("planning").decide(set, alpha)) == errc::hold_required);
  CHECK(code_of(Standing("planning").held_by("agent-beta").decide(set, alpha)) == errc::already_claimed);
  CHECK(Standing("planning").decide(set, mia));
}

TEST_CASE("a stale epoch is told that the hold was lost") {
  const AddComment comment{"late"};
  CHECK(code_of(Standing("planning").held_by("agent-alpha").decide(comment, alpha, 3)) == errc::hold_lost);
  CHECK(code_of(Standing("planning").held_by("agent-beta").decide(comment, alpha, 3)) == errc::hold_lost);
  CHECK(code_of(Standing("planning").decide(comment, alpha, 3)) == errc::hold_lost);
  CHECK(Standing("planning").held_by("agent-alpha").decide(comment, alpha, 4));
}

TEST_CASE("a holder past its deadline may go on as long as nobody took over") {
  CHECK(Standing("planning").held_by("agent-alpha", start - 1h).decide(AddComment{"still here"}, alpha, 4));
}

TEST_CASE("a run may touch its own item under its own epoch only") {
  Standing item("planning");
  item.item.hold = Hold{"dispatcher", 7, start + 1min, "run_BUG-1_0001"};
  const AddComment comment{"working"};
  CHECK(item.decide(comment, Actor::run("run_BUG-1_0001", "BUG-1", "dispatcher", 7)));
  CHECK(code_of(item.decide(comment, Actor::run("run_BUG-1_0001", "BUG-1", "dispatcher", 6))) == errc::hold_lost);
  CHECK(code_of(item.decide(comment, Actor::run("run_BUG-2_0001", "BUG-2", "dispatcher", 7))) == errc::outside_run);
  CHECK(code_of(item.decide(comment, Actor::agent("dispatcher"))) == errc::already_claimed);
}

TEST_CASE("moves follow transitions and refusals name the alternatives") {
  const auto refused = Standing("planning").decide(ChangeStatus{"done"}, mia);
  CHECK(code_of(refused) == errc::status_transition_not_allowed);
  CHECK(refused.error().allowed() == std::vector<std::string>{"plan_blocked"});
  CHECK(code_of(Standing("planning").decide(ChangeStatus{"no_such"}, mia)) == errc::status_transition_not_allowed);
  CHECK(Standing("planning").decide(ChangeStatus{"plan_blocked"}, mia));
}

TEST_CASE("no plain move, claim or completion goes round a gate") {
  const auto refused = Standing("planning").decide(ChangeStatus{"in_review"}, mia);
  CHECK(code_of(refused) == errc::gate_required);
  CHECK(refused.error().context("gate") == "plan_to_review");
  CHECK(code_of(Standing("in_review").decide(Complete{"done"}, mia)) == errc::gate_required);
  CHECK(code_of(Standing("triaging").decide(Claim{.to_status = "planning"}, alpha)) == errc::gate_required);
}

TEST_CASE("a text gate wants its fields, then its acknowledgement") {
  Standing item("triaging");
  auto refused = item.decide(Progress{"triage_to_plan"}, mia);
  CHECK(code_of(refused) == errc::required_fields_missing);
  CHECK(refused.error().missing() == std::vector<std::string>{"severity", "component"});
  item.item.fields = {{"severity", "high"}, {"component", "parser"}};
  CHECK(code_of(item.decide(Progress{"triage_to_plan"}, mia)) == errc::requirements_not_acknowledged);
  const auto passed = item.decide(Progress{"triage_to_plan", true}, mia);
  REQUIRE(passed);
  CHECK(item.workflow->stage(*passed->stage_entered).key == "plan");
}

TEST_CASE("a checklist gate names the items that are not checked") {
  Standing item("planning");
  item.item.fields = {{"effort", 3}, {"due", Date(2026y / 12 / 1)}};
  const auto refused = item.decide(Progress{"plan_to_review", false, {"Root cause named", "Something else"}}, mia);
  CHECK(code_of(refused) == errc::checklist_incomplete);
  CHECK(refused.error().missing() == std::vector<std::string>{"Test proposed"});
  CHECK(item.decide(Progress{"plan_to_review", false, {"Test proposed", "Root cause named"}}, mia));
}

TEST_CASE("no agent and no host passes a gate for people, and the worker does not approve its own work") {
  Standing item("in_review");
  CHECK(code_of(item.held_by("agent-alpha").decide(Progress{"review_to_done"}, alpha)) == errc::gate_for_people);
  CHECK(code_of(Standing("in_review").decide(Progress{"review_to_done"}, Actor::system("host"))) ==
        errc::gate_for_people);
  Standing own("in_review");
  own.workers = {"mia"};
  CHECK(code_of(own.decide(Progress{"review_to_done"}, mia)) == errc::approver_is_worker);
  CHECK(own.decide(Progress{"review_to_done"}, Actor::person("noa")));
}

TEST_CASE("a gate of another stage is not available") {
  const auto refused = Standing("new").decide(Progress{"plan_to_review"}, mia);
  CHECK(code_of(refused) == errc::gate_not_available);
  CHECK(code_of(Standing("new").decide(Progress{"no_such_gate"}, mia)) == errc::gate_not_available);
  CHECK(code_of(Standing("plan_blocked").decide(Progress{"plan_to_review"}, mia)) ==
        errc::status_transition_not_allowed);
}

TEST_CASE("completing needs a terminal status that a transition leads to") {
  const auto refused = Standing("triaging").decide(Complete{"planning"}, mia);
  CHECK(code_of(refused) == errc::completion_status_not_terminal);
  CHECK(refused.error().allowed() == std::vector<std::string>{"done", "rejected"});
  CHECK(code_of(Standing("triaging").decide(Complete{"done"}, mia)) == errc::status_transition_not_allowed);
  const auto done = Standing("triaging").held_by("agent-alpha").decide(Complete{}, alpha);
  REQUIRE(done);
  CHECK(done->hold.kind == HoldChange::Kind::clear);
}

TEST_CASE("a run that claims its item after its deadline keeps the epoch it acts under") {
  Standing item("triaging");
  item.item.hold = Hold{"dispatcher", 4, start - 1min, "run_BUG-1_0001"};
  const auto claimed = item.decide(Claim{}, Actor::run("run_BUG-1_0001", "BUG-1", "dispatcher", 4));
  REQUIRE(claimed);
  CHECK(claimed->hold.kind == HoldChange::Kind::extend);
}

TEST_CASE("a run without an id does not work under what an agent claimed by hand") {
  Standing item("planning");
  item.held_by("agent-alpha");
  CHECK(code_of(item.decide(AddComment{"me too"}, Actor::run("", "BUG-1", "agent-alpha", 4))) == errc::hold_lost);
}

TEST_CASE("a resolved item takes comments and nothing else") {
  Standing item("done");
  CHECK(code_of(item.decide(Claim{}, alpha)) == errc::already_resolved);
  CHECK(code_of(item.decide(SetFields{{{"component", "x"}}}, mia)) == errc::already_resolved);
  CHECK(code_of(item.decide(ChangeStatus{"in_review"}, mia)) == errc::already_resolved);
  CHECK(item.decide(AddComment{"for the record"}, mia));
}

TEST_CASE("fields are checked all at once, and an empty value clears") {
  const Standing item("planning");
  const auto unknown = item.decide(SetFields{{{"colour", "red"}, {"severity", "high"}}}, mia);
  CHECK(code_of(unknown) == errc::unknown_field);
  const auto bad = item.decide(
      SetFields{{{"severity", "urgent"}, {"effort", 100}, {"due", "tomorrow"}, {"component", std::string(41, 'x')}}},
      mia);
  CHECK(code_of(bad) == errc::invalid_field_value);
  CHECK(bad.error().problems().size() == 4);
  CHECK(code_of(item.decide(SetFields{}, mia)) == errc::invalid_argument);
  CHECK(item.decide(SetFields{{{"severity", FieldValue()}}}, mia));
}

TEST_CASE("setting a field to what it is changes nothing") {
  Standing item("planning");
  item.item.fields = {{"component", "parser"}};
  const auto decision = item.decide(SetFields{{{"component", "parser"}}}, mia);
  REQUIRE(decision);
  CHECK(decision->audit.empty());
}

TEST_CASE("a person who moves an item on takes it out of the agent's hands, an agent keeps its own") {
  Standing item("triaging");
  item.held_by("agent-alpha");
  item.item.fields = {{"severity", "high"}, {"component", "parser"}};
  const Progress gate{"triage_to_plan", true};
  CHECK(item.decide(gate, mia)->hold.kind == HoldChange::Kind::clear);
  CHECK(item.decide(gate, alpha)->hold.kind == HoldChange::Kind::extend);
}

TEST_CASE("what the context lists as allowed is accepted, and what it blocks is refused with the same code and text") {
  const Actor actors[] = {alpha,
                          beta,
                          mia,
                          Actor::system("host"),
                          Actor::agent(""),
                          Actor::run("run_BUG-1_0001", "BUG-1", "dispatcher", 7)};
  const char* statuses[] = {"new", "triaging", "planning", "plan_blocked", "in_review", "done", "rejected"};
  const FieldValues some{{"severity", "high"}, {"component", "parser"}};
  FieldValues all = some;
  all["effort"] = 3;
  all["due"] = Date(2026y / 12 / 1);
  std::size_t allowed_seen = 0;
  std::size_t blocked_seen = 0;
  for (const Actor& actor : actors) {
    for (const char* status : statuses) {
      for (const FieldValues& fields : {FieldValues(), some, all}) {
        for (const int holder : {0, 1, 2}) {
          Standing item(status);
          item.item.fields = fields;
          if (holder == 1) item.held_by("agent-alpha");
          if (holder == 2) item.item.hold = Hold{"dispatcher", 7, start + 1min, "run_BUG-1_0001"};
          const auto context = context_of(item.snapshot(), actor, start);
          const auto take = [&](const Exit& exit) {
            return exit.type == Exit::Type::stage_gate ? item.decide(Progress{exit.key, true, exit.items}, actor)
                                                       : item.decide(ChangeStatus{exit.key}, actor);
          };
          for (const Exit& exit : context.allowed_exits) {
            ++allowed_seen;
            CHECK(take(exit));
          }
          for (const BlockedExit& blocked : context.blocked_exits) {
            ++blocked_seen;
            const auto refused = take(blocked.exit);
            REQUIRE_FALSE(refused);
            CHECK(refused.error().code() == blocked.reasons.front().code());
            CHECK(refused.error().message() == blocked.reasons.front().message());
          }
        }
      }
    }
  }
  CHECK(allowed_seen > 50);
  CHECK(blocked_seen > 50);
}

TEST_CASE("a context names goal, required fields and every cause of a block at once") {
  const auto context = context_of(Standing("planning").snapshot(), alpha, start);
  CHECK(context.current_goal == "Plan the fix");
  CHECK(context.required_fields.size() == 2);
  CHECK(context.terminal_statuses == std::vector<std::string>{"done", "rejected"});
  const auto gate = std::find_if(context.blocked_exits.begin(), context.blocked_exits.end(),
                                 [](const BlockedExit& blocked) { return blocked.exit.key == "plan_to_review"; });
  REQUIRE(gate != context.blocked_exits.end());
  CHECK(gate->reasons.size() == 2);  // the hold, and the fields
  CHECK(gate->reasons[1].missing() == std::vector<std::string>{"effort", "due"});
}

TEST_CASE("a context shows the item with the texts that are kept beside it") {
  const Standing item("planning");
  ItemSnapshot snapshot = item.snapshot();
  snapshot.title = "Crash on empty input";
  snapshot.description = "Since Monday";
  const auto context = context_of(snapshot, alpha, start);
  CHECK(context.item.key == item.item.key);
  CHECK(context.item.title == "Crash on empty input");
  CHECK(context.item.description == "Since Monday");
  CHECK(context.fields.size() == 4);
}

TEST_CASE("an item is created inside its bounds or not at all") {
  const Standing any("new");
  const auto create = [&](NewItem item) { return decide_create(*any.workflow, item, mia); };
  CHECK(create({.title = "crash"}));
  CHECK(create({}).error().problems().front().pointer == "/title");
  CHECK(create({.title = "\xff"}).error().code() == errc::invalid_argument);
  CHECK(create({.title = "x", .domain = "lower"}).error().code() == errc::invalid_argument);
  CHECK(create({.title = "x", .status = "done"}).error().code() == errc::status_transition_not_allowed);
  CHECK(create({.title = "x", .status = "planning"}).error().code() == errc::status_transition_not_allowed);
  CHECK(create({.title = "x", .fields = {{"severity", "none"}}}).error().code() == errc::invalid_field_value);
  CHECK(decide_create(*any.workflow, {.title = "x"}, Actor::run("r", "BUG-1", "a", 1)).error().code() ==
        errc::outside_run);
}
