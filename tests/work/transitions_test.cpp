#include <doctest/doctest.h>

#include <algorithm>

#include "bench/helpdesk_definition.hpp"
#include "model/definition.hpp"
#include "work/standing.hpp"

using namespace openindex;
using namespace openindex::tests;

namespace {

using Keys = std::vector<std::string>;

Keys gates_of(const Transitions& transitions) {
  Keys out;
  for (const AvailableGate& gate : transitions.available_stage_gates) out.push_back(gate.key);
  return out;
}

Keys sorted(Keys keys) {
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Every status that the holder may move to, found by trying.
Keys accepted_moves(const Standing& item) {
  Keys out;
  for (const Status& status : item.workflow->definition().statuses) {
    if (item.decide(ChangeStatus{status.key}, alpha)) out.push_back(status.key);
  }
  return out;
}

// Every gate that somebody could progress who brings all that it asks for.
Keys accepted_gates(const Standing& item) {
  Keys out;
  for (const StageGate& gate : item.workflow->definition().gates) {
    if (item.decide(Progress{gate.key, true, gate.items}, mia)) out.push_back(gate.key);
  }
  return out;
}

}  // namespace

TEST_CASE("the moves and gates that are listed are those that are accepted, in every status of every definition") {
  std::size_t moves = 0;
  std::size_t gates = 0;
  for (const Workflow& workflow : {bench::helpdesk_workflow(), model::claims_workflow(), triage_workflow()}) {
    for (const Status& status : workflow.statuses) {
      for (const bool stale : {false, true}) {
        CAPTURE(workflow.id.str());
        CAPTURE(status.key);
        CAPTURE(stale);
        Standing item(workflow, status.key);
        item.held_by("agent-alpha");
        for (const Field& field : workflow.fields) item.item.fields[field.key] = "x";
        if (stale) item.item.gates = {{.gate = workflow.gates[0].key, .changed = {"title"}, .changed_by = "mia"}};
        const Transitions transitions = transitions_of(item.snapshot());
        CHECK(sorted(transitions.allowed_transitions) == sorted(accepted_moves(item)));
        if (!stale) CHECK(sorted(gates_of(transitions)) == sorted(accepted_gates(item)));
        moves += transitions.allowed_transitions.size();
        gates += transitions.available_stage_gates.size();
      }
    }
  }
  CHECK(moves > 50);
  CHECK(gates > 20);
}

TEST_CASE("a listed gate tells what it asks for, with the types of its fields and what is missing") {
  Standing item("triaging");
  item.item.fields = {{"component", "parser"}};
  const Transitions transitions = transitions_of(item.snapshot());
  CHECK(transitions.key == ItemKey("BUG-1"));
  CHECK(transitions.status == "triaging");
  CHECK(transitions.stage == "triage");
  CHECK(transitions.allowed_transitions == Keys{"rejected"});
  CHECK(transitions.terminal_statuses == Keys{"done", "rejected"});
  REQUIRE(gates_of(transitions) == Keys{"triage_to_plan"});
  const AvailableGate& gate = transitions.available_stage_gates.front();
  CHECK(gate.from_stage == "triage");
  CHECK(gate.to_stage == "plan");
  CHECK(gate.to_status == "planning");
  CHECK(gate.mode == GateMode::text);
  CHECK(gate.text == "The severity follows the severity guide.");
  CHECK(gate.required_fields == Keys{"severity", "component"});
  REQUIRE(gate.fields.size() == 2);
  CHECK(gate.fields[0].type == FieldType::select);
  CHECK(gate.fields[0].options == Keys{"low", "high", "critical"});
  CHECK(gate.fields[1].type == FieldType::text);
  CHECK(gate.missing_fields == Keys{"severity"});
}

TEST_CASE("from a resolved item nothing leads on") {
  const Transitions transitions = transitions_of(Standing("done").snapshot());
  CHECK(transitions.allowed_transitions.empty());
  CHECK(transitions.available_stage_gates.empty());
  CHECK(transitions.terminal_statuses == Keys{"done", "rejected"});
}

TEST_CASE("who asks makes no difference: a free item lists the same as a held one") {
  Standing item("triaging");
  const Transitions free = transitions_of(item.snapshot());
  item.held_by("agent-beta");
  CHECK(transitions_of(item.snapshot()).allowed_transitions == free.allowed_transitions);
  CHECK(gates_of(transitions_of(item.snapshot())) == gates_of(free));
}
