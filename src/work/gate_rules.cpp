#include "work/gate_rules.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "work/exit_rules.hpp"
#include "work/field_rules.hpp"

namespace openindex::work {
namespace {

// -- What stands in the way --

bool is_checked(const GateAttempt& attempt, const std::string& item) {
  return std::ranges::find(attempt.checked, item) != attempt.checked.end();
}

bool may_progress(const GateAttempt& attempt) {
  return !attempt.gate().people_only || attempt.actor.kind() == ActorKind::person;
}

bool may_approve(const GateAttempt& attempt) {
  const auto& workers = attempt.snapshot.workers;
  return !attempt.gate().approver_not_worker || std::ranges::find(workers, attempt.actor.id()) == workers.end();
}

bool has_fields(const GateAttempt& attempt) {
  return std::ranges::none_of(attempt.gate().required_fields,
                              [&](const auto& key) { return lacks_field(attempt.snapshot.item, key); });
}

bool accepts_text(const GateAttempt& attempt) { return attempt.gate().mode != GateMode::text || attempt.accept_text; }

bool checks_all(const GateAttempt& attempt) {
  return attempt.gate().mode != GateMode::checklist ||
         std::ranges::all_of(attempt.gate().items, [&](const auto& item) { return is_checked(attempt, item); });
}

bool leads_on(const GateAttempt& attempt) { return leads_from_here(attempt.snapshot, attempt.index); }

bool is_fresh_for(const GateAttempt& attempt) {
  return is_fresh(attempt.snapshot, attempt.target(), attempt.gate().key);
}

// -- How it is told. Vectors grow once: nothing that a refusal allocates is given back before its error. --

Error gate_for_people(const GateAttempt& attempt) {
  return Error(errc::gate_for_people).with("gate", attempt.gate().key);
}

Error approver_is_worker(const GateAttempt& attempt) {
  return Error(errc::approver_is_worker).with("gate", attempt.gate().key).with("worker", attempt.actor.id());
}

Error fields_missing(const GateAttempt& attempt) {
  std::vector<std::string> missing = missing_fields(attempt.snapshot.item, attempt.gate());
  std::vector<Problem> wanted;
  wanted.reserve(missing.size());
  for (const auto& key : missing) wanted.push_back(field_required(attempt.snapshot.workflow, key));
  return Error(errc::required_fields_missing)
      .with("gate", attempt.gate().key)
      .with_missing(std::move(missing))
      .with_problems(std::move(wanted));
}

Error not_acknowledged(const GateAttempt& attempt) {
  return Error(errc::requirements_not_acknowledged)
      .with("gate", attempt.gate().key)
      .with("requirements", attempt.gate().text);
}

Error checklist_incomplete(const GateAttempt& attempt) {
  const auto& items = attempt.gate().items;
  std::vector<std::string> unchecked;
  unchecked.reserve(items.size());
  std::ranges::copy_if(items, std::back_inserter(unchecked),
                       [&](const auto& item) { return !is_checked(attempt, item); });
  return Error(errc::checklist_incomplete).with("gate", attempt.gate().key).with_missing(std::move(unchecked));
}

Error no_such_way(const GateAttempt& attempt) { return no_such_move(attempt.snapshot, attempt.gate().to_status); }

bool keeps_back(const GateAcknowledgement& passed, std::string_view except) {
  return passed.stale() && passed.gate != except;
}

Error gates_stale(const WorkItem& item, std::string_view except) {
  std::size_t changes = 0;
  for (const GateAcknowledgement& passed : item.gates) changes += passed.changed.size();
  std::vector<std::string> gates;
  std::vector<Problem> problems;
  gates.reserve(item.gates.size());
  problems.reserve(changes);
  for (const GateAcknowledgement& passed : item.gates) {
    if (!keeps_back(passed, except)) continue;
    gates.push_back(passed.gate);
    for (const std::string& what : passed.changed) {
      problems.push_back({"/gates/" + passed.gate, fmt::format("{} was changed by {}", what, passed.changed_by)});
    }
  }
  return Error(errc::gate_stale)
      .with("item", item.key.str())
      .with_missing(std::move(gates))
      .with_problems(std::move(problems));
}

Error stale(const GateAttempt& attempt) { return gates_stale(attempt.snapshot.item, attempt.gate().key); }

// Whether it passes is asked of every attempt, why it does not only when somebody is told.
struct Check {
  bool (*passes)(const GateAttempt&);
  Error (*refusal)(const GateAttempt&);
};

constexpr Check checks[] = {
    {leads_on, no_such_way},      {may_progress, gate_for_people},  {may_approve, approver_is_worker},
    {has_fields, fields_missing}, {accepts_text, not_acknowledged}, {checks_all, checklist_incomplete},
    {is_fresh_for, stale}};
constexpr std::span<const Check> demands = std::span(checks).subspan(1, 5);  // between the way and the end of it

Result<void> first_refusal(std::span<const Check> of, const GateAttempt& attempt) {
  const auto failed = std::ranges::find_if(of, [&](const Check& check) { return !check.passes(attempt); });
  return failed == of.end() ? Result<void>() : failed->refusal(attempt);
}

}  // namespace

bool meets_demands(const GateAttempt& attempt) {
  return std::ranges::all_of(demands, [&](const Check& check) { return check.passes(attempt); });
}

Result<void> check_demands(const GateAttempt& attempt) { return first_refusal(demands, attempt); }

Result<void> check_gate(const GateAttempt& attempt) {
  if (attempt.gate().from_stage != attempt.snapshot.workflow.status(attempt.snapshot.status).stage) {
    return gate_not_available(attempt.snapshot, attempt.gate().key);
  }
  return first_refusal(checks, attempt);
}

void add_obstacles(const GateAttempt& attempt, std::vector<Error>& out) {
  for (const Check& check : checks) {
    if (!check.passes(attempt)) out.push_back(check.refusal(attempt));
  }
}

bool is_fresh(const ItemSnapshot& snapshot, StatusIndex to, std::string_view except) {
  if (snapshot.workflow.status(to).resolution != Resolution::resolved) return true;
  return std::ranges::none_of(snapshot.item.gates, [&](const auto& passed) { return keeps_back(passed, except); });
}

Result<void> check_fresh(const ItemSnapshot& snapshot, StatusIndex to, std::string_view except) {
  if (is_fresh(snapshot, to, except)) return {};
  return gates_stale(snapshot.item, except);
}

bool leads_from_here(const ItemSnapshot& snapshot, GateIndex gate) {
  return snapshot.workflow.joined(snapshot.status, snapshot.workflow.target_of(gate));
}

Error gate_not_available(const ItemSnapshot& snapshot, const std::string& gate) {
  const auto gates = snapshot.workflow.gates_from(snapshot.workflow.stage_of(snapshot.status));
  std::vector<std::string> here;
  here.reserve(gates.size());
  for (const GateIndex index : gates) {
    if (leads_from_here(snapshot, index)) here.push_back(snapshot.workflow.gate(index).key);
  }
  return Error(errc::gate_not_available).with("gate", gate).with_allowed(std::move(here));
}

std::string attachment_covered(std::uint32_t number) { return fmt::format("attachment/{}", number); }

bool lacks_field(const WorkItem& item, const std::string& key) {
  const auto found = item.fields.find(key);
  return found == item.fields.end() || found->second.empty() ||
         (found->second.text() != nullptr && found->second.text()->empty());
}

std::vector<std::string> missing_fields(const WorkItem& item, const StageGate& gate) {
  std::vector<std::string> missing;
  missing.reserve(gate.required_fields.size());
  std::ranges::copy_if(gate.required_fields, std::back_inserter(missing),
                       [&](const auto& key) { return lacks_field(item, key); });
  return missing;
}

}  // namespace openindex::work
