#include <doctest/doctest.h>

#include <csignal>
#include <sstream>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

#include <openindex/testing/scenario.hpp>

#include "workflow/small_definition.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;
using namespace openindex::testing;
using namespace std::chrono_literals;
using tests::small_workflow;
using tests::triage_workflow;

namespace {

struct Failed : std::runtime_error {
  using runtime_error::runtime_error;
};

const ScenarioOptions throwing{.on_failure = [](const std::string& message) { throw Failed(message); }};

// What the scenario says about a step that fails; empty: it did not.
template <class Step>
std::string failure_of(Step step) {
  try {
    step();
  } catch (const Failed& failed) {
    return failed.what();
  }
  return {};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

// From open straight to done, unless the gate is asked what it wants.
Workflow gated_workflow(Field field) {
  Workflow workflow = small_workflow();
  StageGate gate = tests::small_gate();
  gate.required_fields = {field.key};
  workflow.gates = {gate};
  workflow.fields = {std::move(field)};
  return workflow;
}

// What a child process prints to stderr, and how it ends.
struct Ending {
  std::string said;
  int status = 0;
};

template <class Work>
Ending in_a_child(Work work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    work();
    _exit(0);
  }
  close(ends[1]);
  Ending ending;
  char buffer[512];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    ending.said.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  REQUIRE(waitpid(child, &ending.status, 0) == child);
  return ending;
}

}  // namespace

TEST_CASE("an item is brought to a stage through every gate on the way") {
  Scenario s{triage_workflow()};
  const auto bug = s.create({.title = "crash"}).at("review");
  const WorkItem item = s.item(bug);
  CHECK(item.title == "crash");
  CHECK(item.status == "in_review");
  CHECK(item.fields.at("severity") == FieldValue("low"));
  CHECK(item.fields.at("effort") == FieldValue(1));
  CHECK(item.fields.at("due") == FieldValue(Date(2026y / 1 / 1)));
  REQUIRE(item.gates.size() == 2);
  CHECK(item.gates[1].by == "scenario-approver");
  CHECK(item.gates[1].checked == std::vector<std::string>{"Root cause named", "Test proposed"});
  CHECK(s.engine().verify(s.host().actor(), bug));
}

TEST_CASE("an item is brought to a status by the shortest way, and stays when it is there") {
  Scenario s{triage_workflow()};
  const auto bug = s.create().at("plan_blocked");
  CHECK(s.item(bug).status == "plan_blocked");
  const auto version = s.item(bug).version;
  bug.at("plan").at("plan_blocked");
  CHECK(s.item(bug).version == version);
  CHECK(s.item(s.create().at("rejected")).gates.empty());
  CHECK(s.item(s.create().at("done")).resolution == Resolution::resolved);
}

TEST_CASE("of a status and a stage of one name, the status is meant") {
  Workflow workflow = small_workflow();
  workflow.stages.push_back({.key = "open"});
  workflow.statuses.push_back({.key = "waiting", .stage = "open"});
  workflow.transitions.push_back({"doing", "waiting"});
  workflow.transitions.push_back({"waiting", "open"});
  Scenario s{workflow};
  CHECK(s.item(s.create().at("doing").at("open")).status == "open");
}

TEST_CASE("values that a test gives are kept on the way") {
  Scenario s{triage_workflow()};
  const auto bug = s.create().with({{"severity", "critical"}, {"effort", 40}}).at("review");
  CHECK(s.item(bug).fields.at("severity") == FieldValue("critical"));
  CHECK(s.item(bug).fields.at("effort") == FieldValue(40));
}

TEST_CASE("an item made ready for a gate lacks nothing but the acknowledgement") {
  Scenario s{triage_workflow()};
  const auto bug = s.create().ready_for("plan_to_review");
  CHECK(s.item(bug).status == "planning");
  CHECK(s.person("mia").progress(bug, "plan_to_review") == errc::checklist_incomplete);
  CHECK(s.context("agent-alpha", bug).blocked("plan_to_review", errc::hold_required));
  auto work = s.claim("agent-alpha", bug);
  CHECK(s.context("agent-alpha", bug).allowed("plan_to_review"));
}

TEST_CASE("an item in a status of the stage that the gate does not lead from is moved to one that it does") {
  Scenario s{triage_workflow()};
  CHECK(s.item(s.create().at("plan_blocked").ready_for("plan_to_review")).status == "planning");
}

TEST_CASE("plausible values keep to the bounds of their fields") {
  const auto value_of = [](Field field) {
    field.key = "f";
    Scenario s{gated_workflow(field), throwing};
    return s.item(s.create().at("done")).fields.at("f");
  };
  CHECK(value_of({.type = FieldType::number, .minimum = 5e9}) == FieldValue(5e9));
  CHECK(value_of({.type = FieldType::number, .maximum = -3}) == FieldValue(-3));
  CHECK(value_of({.type = FieldType::date, .earliest = Date(2031y / 2 / 3)}) == FieldValue(Date(2031y / 2 / 3)));
  CHECK(value_of({.type = FieldType::date, .latest = Date(1999y / 2 / 3)}) == FieldValue(Date(1999y / 2 / 3)));
  CHECK(value_of({.type = FieldType::text, .bytes_max = 3}) == FieldValue("som"));
  CHECK(value_of({.type = FieldType::text, .bytes_min = 9}) == FieldValue("some f..."));
}

TEST_CASE("a value that nobody can guess fails the scenario until the test gives it") {
  Scenario s{gated_workflow({.key = "ticket", .pattern = "[A-Z]+-[0-9]+"}), throwing};
  const auto item = s.create();
  const auto failure = failure_of([&] { item.at("done"); });
  CHECK(has(failure, "cannot bring LINT-1 to 'done'"));
  CHECK(has(failure, "must match the pattern [A-Z]+-[0-9]+"));
  CHECK(has(failure, "`with`"));
  CHECK(s.item(item.with({{"ticket", "OPS-1"}}).at("done")).status == "done");
}

TEST_CASE("a step that fails names the line of the test, the step and the cause") {
  Scenario s{triage_workflow(), throwing};
  const auto bug = s.create().at("done");
  const auto failure = failure_of([&] { bug.at("plan"); });
  const int line = __LINE__ - 1;
  CHECK(failure == std::string(__FILE__) + ":" + std::to_string(line) +
                       ": the scenario cannot bring BUG-1 to 'plan'\nNo way leads there from the status 'done'.\n");
}

TEST_CASE("a place, a gate and an exit that the workflow does not have fail the scenario") {
  Scenario s{triage_workflow(), throwing};
  const auto bug = s.create();
  const auto place = failure_of([&] { bug.at("plam"); });
  CHECK(has(place, "Stages: intake, triage, plan, review, closed"));
  CHECK(has(failure_of([&] { bug.ready_for("to_review"); }), "Gates: triage_to_plan, plan_to_review, review_to_done"));
  const auto context = s.context("agent-alpha", bug);
  CHECK(has(failure_of([&] { static_cast<void>(context.allowed("to_review")); }), "ask about the exit 'to_review'"));
  CHECK(has(failure_of([&] { static_cast<void>(context.blocked("to_review")); }), "ask about the exit 'to_review'"));
  CHECK_FALSE(context.allowed("review_to_done"));
  CHECK_FALSE(context.blocked("review_to_done"));
}

TEST_CASE("a workflow that is not valid fails the scenario with all that is wrong with it") {
  Workflow wrong = triage_workflow();
  wrong.initial_status = "newish";
  wrong.gates[0].to_status = "planed";
  const auto failure = failure_of([&] { Scenario(wrong, throwing); });
  CHECK(has(failure, "cannot save the workflow TRIAGE"));
  CHECK(has(failure, "/initialStatus"));
  CHECK(has(failure, "/stageGates/0/toStatus"));
  CHECK(has(failure_of([&] { Scenario(Workflow::from_json("{"), throwing); }), "cannot use the workflow"));
}

TEST_CASE("claims, fields and items that must be there fail the scenario when they are not") {
  Scenario s{triage_workflow(), throwing};
  const auto bug = s.create();
  auto work = s.claim("agent-alpha", bug);
  CHECK(has(failure_of([&] { static_cast<void>(s.claim("agent-beta", bug)); }), "holder: agent-alpha"));
  CHECK(has(failure_of([&] { bug.with({{"severity", "awful"}}); }), "cannot set fields of BUG-1"));
  CHECK(has(failure_of([&] { s.create({.status = "no such"}); }), "cannot create an item"));
  CHECK(has(failure_of([&] { static_cast<void>(s.item("BUG-99")); }), "cannot read BUG-99"));
  CHECK(has(failure_of([&] { static_cast<void>(s.audit("BUG-99")); }), "cannot read BUG-99"));
}

TEST_CASE("without a handler, and when the handler returns, the program is aborted with the message") {
  for (const auto& options : {ScenarioOptions{}, ScenarioOptions{.on_failure = [](const std::string& message) {
                                static_cast<void>(write(STDERR_FILENO, message.data(), message.size()));
                              }}}) {
    const Ending ending = in_a_child([&] { Scenario(small_workflow(), options).create().at("nowhere"); });
    REQUIRE(WIFSIGNALED(ending.status));
    CHECK(WTERMSIG(ending.status) == SIGABRT);
    CHECK(has(ending.said, "scenario_test.cpp:"));
    CHECK(has(ending.said, "the scenario cannot bring LINT-1 to 'nowhere'"));
  }
}

TEST_CASE("the same steps leave the same bytes behind") {
  const auto digest = [] {
    Scenario s{triage_workflow()};
    return s.audit(s.create().at("done")).last().previous;
  };
  CHECK(digest().size() == 64);
  CHECK(digest() == digest());
}

TEST_CASE("an agent's script works on the most urgent item of the moment, and gives it back") {
  Scenario s{triage_workflow()};
  s.create({.title = "early"});
  s.create({.title = "usual"});
  CHECK(s.agent("alpha").does([](AgentSession& work) { CHECK(work.item().title == "early"); }));
  const auto urgent = s.create({.title = "urgent", .priority = Priority::critical});
  const auto done = s.agent("alpha").does([](AgentSession& work) -> Result<void> { return work.comment("looked"); });
  REQUIRE(done);
  CHECK(done->title == "urgent");
  CHECK(done->comment_count == 1);
  CHECK(s.mine("alpha").empty());
  CHECK(s.available().contains(urgent));
  CHECK(s.available().size() == 3);
}

TEST_CASE("an agent's script may finish its session") {
  Scenario s{small_workflow()};
  const auto item = s.create({.execution_target = ExecutionTarget::either});
  CHECK(s.agent("alpha").does([](AgentSession& work) { CHECK(std::move(work).complete()); }));
  CHECK(s.item(item).status == "done");
  CHECK(s.audit(item).types() ==
        "work_item.created, agent.claimed, work_item.status_changed, work_item.status_changed, agent.completed");
}

TEST_CASE("a list of commands ends at the first that is refused, and says which one that is") {
  Scenario s{triage_workflow()};
  const auto bug = s.create();
  const auto refused =
      s.agent("alpha").does({SetFields{{{"severity", "low"}}}, Progress{.gate = "triage_to_plan", .accept_text = true},
                             AddComment{"never said"}});
  CHECK(refused == errc::required_fields_missing);
  CHECK(fact(refused, "step") == "2");
  CHECK(missing(refused) == "component");
  CHECK(s.item(bug).fields.at("severity") == FieldValue("low"));
  CHECK(s.item(bug).comment_count == 0);
  CHECK(s.audit(bug).last().type == "agent.released");
}

TEST_CASE("an agent without work is told so") {
  Scenario s{triage_workflow()};
  CHECK(s.agent("alpha").does([](AgentSession&) { FAIL("there is nothing to work on"); }) == errc::not_found);
  CHECK(s.agent("").does([](AgentSession&) {}) == errc::agent_id_required);
}

TEST_CASE("the audit trail is whole, however long") {
  Scenario s{small_workflow()};
  const auto item = s.create();
  for (int i = 0; i < 1200; ++i) REQUIRE(s.person("mia").comment(item, "again"));
  CHECK(s.audit(item).entries.size() == 1201);
  CHECK(s.audit(item).last().number == 1201);
  CHECK(s.audit(item).contains("work_item.created"));
  CHECK_FALSE(s.audit(item).contains("agent.claimed"));
}

TEST_CASE("everything available is listed, however much") {
  Scenario s{triage_workflow()};
  for (int i = 0; i < 1100; ++i) s.create();
  CHECK(s.available().size() == 1100);
}

TEST_CASE("what people and the host do is theirs in the trail") {
  Scenario s{triage_workflow()};
  const auto mia = s.person("mia");
  const auto created = mia.create({.title = "report"});
  REQUIRE(created);
  CHECK(created->workflow == s.workflow());
  CHECK(s.audit(created->key).last().actor == "mia");
  CHECK(mia.create({.title = ""}) == errc::invalid_argument);
  CHECK(mia.update(created->key, {.title = "better report"}));
  CHECK(mia.transition(created->key, "triaging"));
  CHECK(mia.set_field(created->key, "severity", "high"));
  CHECK(mia.transition(created->key, "rejected"));
  CHECK(mia.reopen(created->key, "triaging"));
  CHECK(mia.depend(created->key, s.create()));
  CHECK(s.host().take_over(created->key, {.agent = "alpha"}));
  CHECK(s.audit(created->key).last().actor == "scenario");
  CHECK(s.mine("alpha").contains(created->key));
}

TEST_CASE("a result equals the code that it was refused with, and no code when it was accepted") {
  const Result<int> accepted = 1, refused = errc::hold_lost;
  CHECK(refused == errc::hold_lost);
  CHECK(refused != errc::hold_required);
  CHECK(accepted != errc::hold_lost);
  CHECK(missing(accepted).empty());
  CHECK(missing(Result<void>(Error(errc::checklist_incomplete).with_missing({"a", "b"}))) == "a, b");
  CHECK(fact(Result<void>(Error(errc::hold_lost).with("holder", "beta")), "holder") == "beta");
  CHECK(fact(accepted, "holder").empty());
}

TEST_CASE("a result prints as accepted or as its error, a code by its name, a value as a person writes it") {
  CHECK(printed(Result<void>()) == "accepted");
  CHECK(has(printed(Result<int>(errc::hold_lost)), "[hold_lost]"));
  CHECK(has(printed(Error(errc::hold_lost)), "[hold_lost]"));
  CHECK(printed(errc::hold_lost) == "hold_lost");
  CHECK(printed(FieldValue(Date(2026y / 1 / 2))) == "2026-01-02");
  CHECK(printed(FieldValue()) == "(unset)");
}
