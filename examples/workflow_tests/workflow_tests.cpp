// Tests of a workflow, before it meets real work: does examples/triage/workflow.json say what we mean?
//
// No server, no files, no waiting: each test has a deployment of its own, in memory. `-d` shows how long they take.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include <openindex/openindex.hpp>
#include <openindex/testing/scenario.hpp>

using namespace openindex;
using namespace openindex::testing;
using namespace std::chrono_literals;

namespace {

const Workflow& triage_workflow() {
  static const Workflow workflow = [] {
    std::ifstream file(EXAMPLE_DIR "/../triage/workflow.json");
    return Workflow::from_json(std::string(std::istreambuf_iterator<char>(file), {})).value();
  }();
  return workflow;
}

const Progress read_it{.accept_text = true};
const Progress checked{.checked = {"Root cause named", "Test proposed"}};
const FieldValues findings{{"severity", "major"}, {"component", "parser.c"}, {"first_seen", Date(2026y / 1 / 5)}};
const FieldValues a_plan{{"plan", "Check the length before reading."}, {"effort_days", 0.5}};

}  // namespace

TEST_CASE("the definition has no dead end, and nothing in it is out of reach") { CHECK(check(triage_workflow()).ok()); }

TEST_CASE("an agent that claims a new bug begins its triage") {
  Scenario s{triage_workflow()};
  auto bug = s.create();
  CHECK(s.available().contains(bug));
  auto work = s.claim("agent-alpha", bug);
  CHECK(s.item(bug).status == "triaging");
  CHECK(s.mine("agent-alpha").contains(bug));
  CHECK_FALSE(s.available().contains(bug));
}

TEST_CASE("a triage is not over until it says how bad it is, where, and since when") {
  Scenario s{triage_workflow()};
  auto work = s.claim("agent-alpha", s.create().at("triage"));
  auto refused = work.progress("triage_to_plan", read_it);
  CHECK(refused == errc::required_fields_missing);
  CHECK(missing(refused) == "severity, component, first_seen");
  CHECK(work.set_fields(findings));
  CHECK(work.progress("triage_to_plan", read_it));
}

TEST_CASE("whoever triages must stand by the severity guide") {
  Scenario s{triage_workflow()};
  auto work = s.claim("agent-alpha", s.create().ready_for("triage_to_plan"));
  CHECK(work.progress("triage_to_plan") == errc::requirements_not_acknowledged);
  CHECK(work.progress("triage_to_plan", read_it));
}

TEST_CASE("a severity is one of three words, an effort is days, and one wrong value spoils the call") {
  Scenario s{triage_workflow()};
  auto bug = s.create();
  auto work = s.claim("agent-alpha", bug);
  CHECK(work.set_field("severity", "terrible") == errc::invalid_field_value);
  CHECK(work.set_field("effort_days", 31) == errc::invalid_field_value);
  CHECK(work.set_field("effort", 3) == errc::unknown_field);
  CHECK(work.set_fields({{"severity", "minor"}, {"first_seen", "yesterday"}}) == errc::invalid_field_value);
  CHECK(s.item(bug).fields.empty());
}

TEST_CASE("a plan cannot reach review without its checklist") {
  Scenario s{triage_workflow()};
  auto bug = s.create({.title = "crash on empty input"}).ready_for("plan_to_review");
  auto work = s.claim("agent-alpha", bug);
  CHECK(missing(work.progress("plan_to_review")) == "Root cause named, Test proposed");
  auto refused = work.progress("plan_to_review", {.checked = {"Root cause named"}});
  CHECK(refused == errc::checklist_incomplete);
  CHECK(missing(refused) == "Test proposed");
  CHECK(work.progress("plan_to_review", checked));
  CHECK(s.item(bug).status == "in_review");
}

TEST_CASE("no agent approves a plan, and it can know that beforehand") {
  Scenario s{triage_workflow()};
  auto bug = s.create().ready_for("plan_to_review");
  auto work = s.claim("agent-alpha", bug);
  REQUIRE(work.progress("plan_to_review", checked));
  CHECK(s.context("agent-alpha", bug).blocked("review_to_done", errc::gate_for_people));
  CHECK(work.progress("review_to_done", read_it) == errc::gate_for_people);
  CHECK(s.person("mia").context(bug).allowed("review_to_done"));
}

TEST_CASE("who wrote the plan does not approve it") {
  Scenario s{triage_workflow()};
  auto mia = s.person("mia"), noa = s.person("noa");
  auto bug = s.create().at("plan");
  REQUIRE(mia.set_fields(bug, a_plan));
  bug.at("review");
  CHECK(mia.progress(bug, "review_to_done", read_it) == errc::approver_is_worker);
  CHECK(noa.progress(bug, "review_to_done", read_it));
}

TEST_CASE("two agents and a person bring a bug from its report to an approved plan") {
  Scenario s{triage_workflow()};
  auto bug = s.create({.title = "crash on empty input", .priority = Priority::critical});
  CHECK(s.agent("triager").does({SetFields{findings}, AddComment{"Reads before it checks."},
                                 Progress{.gate = "triage_to_plan", .accept_text = true}}));
  CHECK(s.agent("planner").does([](AgentSession& work) {
    CHECK(work.set_fields(a_plan));
    CHECK(work.progress("plan_to_review", checked));
  }));
  CHECK(s.person("mia").progress(bug, "review_to_done", read_it));
  CHECK(s.item(bug).resolution == Resolution::resolved);
  CHECK(s.audit(bug).last().type == "work_item.status_changed");
}

TEST_CASE("a rejected plan closes the bug as cancelled") {
  Scenario s{triage_workflow()};
  auto bug = s.create().at("review");
  CHECK(s.person("mia").complete(bug, "rejected"));
  CHECK(s.item(bug).resolution == Resolution::cancelled);
  CHECK_FALSE(s.available().contains(bug));
}

TEST_CASE("completing a bug in review leads to no approval by the back door") {
  Scenario s{triage_workflow()};
  auto mia = s.person("mia");
  auto bug = s.create().at("review");
  CHECK(mia.complete(bug) == errc::completion_status_not_terminal);
  CHECK(mia.complete(bug, "done") == errc::gate_required);
  CHECK(mia.transition(bug, "done") == errc::gate_required);
  CHECK(s.item(bug).status == "in_review");
}

TEST_CASE("a plan that is not good enough goes back to the agents") {
  Scenario s{triage_workflow()};
  auto bug = s.create().at("review");
  CHECK(s.person("mia").transition(bug, "planning"));
  CHECK(s.available().contains(bug));
  CHECK(s.claim("agent-beta", bug).item().stage == "plan");
}

TEST_CASE("an agent that vanishes is not waited for longer than half an hour") {
  Scenario s{triage_workflow()};
  auto bug = s.create().at("plan");
  auto lost = s.claim("agent-alpha", bug);
  s.advance(29min);
  CHECK_FALSE(s.available().contains(bug));
  s.advance(2min);
  CHECK(s.available().contains(bug));
  auto found = s.claim("agent-beta", bug);
  CHECK(s.audit(bug).contains("agent.hold_expired"));
  CHECK(s.audit(bug).last().actor == "agent-beta");
}

TEST_CASE("an agent that comes back too late changes nothing, and is told who works on it") {
  Scenario s{triage_workflow()};
  auto bug = s.create();
  auto late = s.claim("agent-alpha", bug);
  s.advance(31min);
  auto work = s.claim("agent-beta", bug);
  auto refused = late.set_field("severity", "minor");
  CHECK(refused == errc::hold_lost);
  CHECK(fact(refused, "holder") == "agent-beta");
  CHECK(s.item(bug).fields.empty());
}

TEST_CASE("a plan that is edited after its review must be vouched for again") {
  Scenario s{triage_workflow()};
  auto mia = s.person("mia");
  auto bug = s.create().at("review").with({{"plan", "Rewrite the parser."}});
  auto refused = mia.progress(bug, "review_to_done", read_it);
  CHECK(refused == errc::gate_stale);
  CHECK(missing(refused) == "plan_to_review");
  CHECK(mia.reacknowledge(bug, {.checked = checked.checked}));
  CHECK(mia.progress(bug, "review_to_done", read_it));
}

TEST_CASE("done is no short cut past the work of agents") {
  Scenario s{triage_workflow()};
  auto bug = s.create();
  auto refused = s.person("mia").done(bug);
  CHECK(refused == errc::agent_stage_in_the_way);
  CHECK(fact(refused, "stage") == "triage");
  CHECK(s.item(bug).status == "new");
}

TEST_CASE("a bug that waits for another is not available until that one is resolved") {
  Scenario s{triage_workflow()};
  auto cause = s.create({.title = "wrong length"});
  auto bug = s.create({.title = "crash", .depends_on = {cause}});
  CHECK_FALSE(s.available().contains(bug));
  CHECK(s.agent("agent-alpha").claim(bug) == errc::dependencies_unresolved);
  CHECK(s.explain(bug).next.front().find(cause.key().str()) != std::string::npos);
  cause.at("done");
  CHECK(s.available().contains(bug));
}

TEST_CASE("a person takes a bug from an agent, and no agent from another") {
  Scenario s{triage_workflow()};
  auto bug = s.create();
  auto work = s.claim("agent-alpha", bug);
  CHECK(s.agent("agent-beta").take_over(bug, {.agent = "agent-beta"}) == errc::not_permitted);
  CHECK(s.person("mia").take_over(bug, {.agent = "agent-beta", .reason = "wrong model"}));
  CHECK(work.heartbeat() == errc::hold_lost);
  CHECK(s.mine("agent-beta").contains(bug));
}

TEST_CASE("at each stage an agent has one way on, up to the review") {
  Scenario s{triage_workflow()};
  auto bug = s.create();
  auto work = s.claim("agent-alpha", bug);
  CHECK(s.context("agent-alpha", bug).missing("triage_to_plan") == "severity, component, first_seen");
  CHECK_FALSE(s.context("agent-alpha", bug).allowed("planning"));
  REQUIRE(work.set_fields(findings));
  CHECK(s.context("agent-alpha", bug).allowed("triage_to_plan"));
  REQUIRE(work.progress("triage_to_plan", read_it));
  CHECK(s.context("agent-alpha", bug).missing("plan_to_review") == "plan, effort_days");
  REQUIRE(work.set_fields(a_plan));
  REQUIRE(work.progress("plan_to_review", checked));
  CHECK(s.context("agent-alpha", bug).blocked("review_to_done", errc::approver_is_worker));
  CHECK(s.context("agent-alpha", bug).allowed("rejected"));
}

TEST_CASE("a stricter next version says what changed, and binds new bugs only") {
  Workflow stricter = triage_workflow();
  stricter.gates[0].people_only = true;
  const auto differences = compare(triage_workflow(), stricter);
  REQUIRE(differences.size() == 1);
  CHECK(describe(differences.front()) == R"(changed gate 'triage_to_plan': peopleOnly from "false" to "true")");

  Scenario s{triage_workflow()};
  auto before = s.claim("agent-alpha", s.create().ready_for("triage_to_plan"));
  s.save(stricter);
  auto after = s.claim("agent-alpha", s.create().ready_for("triage_to_plan"));
  CHECK(before.progress("triage_to_plan", read_it));
  CHECK(after.progress("triage_to_plan", read_it) == errc::gate_for_people);
}
