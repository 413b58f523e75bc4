// Going on under another version of the workflow.
#include <openindex/work/migration.hpp>

#include "work/judge.hpp"

namespace openindex::work {
namespace {

bool asks_the_same(const StageGate& before, const StageGate& after) {
  return before.mode == after.mode && before.text == after.text && before.items == after.items;
}

MigrationChange gates_under(const CompiledWorkflow& from, const CompiledWorkflow& to, const WorkItem& item) {
  MigrationChange change;
  for (const GateAcknowledgement& made : item.gates) {
    const auto before = from.find_gate(made.gate);
    const auto after = to.find_gate(made.gate);
    if (!after) {
      change.gates_gone.push_back(made.gate);
    } else if (!before || !asks_the_same(from.gate(*before), to.gate(*after))) {
      change.gates_changed.push_back(made.gate);
    }
  }
  return change;
}

}  // namespace

Result<Decision> Judge::operator()(const Migrate& migrate) {
  if (auto allowed = check_privileged("migrate an item"); !allowed) return allowed.error();
  if (snapshot_.target == nullptr) {
    return Error(errc::not_found, "The workflow has no such version")
        .with("workflow", item_.workflow.str())
        .with("version", std::to_string(migrate.version));
  }
  const CompiledWorkflow& target = *snapshot_.target;
  Decision decision;
  if (target.version() == workflow_.version()) return decision;
  auto step = plan_migration(workflow_, target, migrate.mapping, item_.status, item_.fields);
  if (!step) return step.error().with("item", item_.key.str());

  const StatusIndex to = *target.find_status(step->status);
  decision.migration = gates_under(workflow_, target, item_);
  decision.status = to;
  AuditDraft draft{"work_item.migrated",
                   {{"workflowVersion", std::to_string(workflow_.version()), std::to_string(target.version())}},
                   {}};
  if (step->status != item_.status) draft.changes.push_back({"status", item_.status, step->status});
  for (const std::string& key : step->dropped_fields) {
    draft.changes.push_back({key, item_.fields.find(key)->second.display(), ""});
    decision.fields.emplace(key, FieldValue());
    decision.outdated.push_back(key);
  }
  decision.audit.push_back(std::move(draft));
  move_run(decision, target.stage(target.stage_of(to)));
  return decision;
}

// The stage is the same one when its key, and what executes it, is the same. A run of another stage has nothing to do
// any more; an agent that holds the item by hand keeps it: nobody moved the item on.
void Judge::move_run(Decision& decision, const Stage& to) const {
  const Stage& from = workflow_.stage(workflow_.stage_of(snapshot_.status));
  const bool same = from.key == to.key && from.agent_required == to.agent_required && from.runner == to.runner;
  if (same || item_.resolution != Resolution::unresolved) return;
  if (!item_.run.empty()) {
    decision.run_ends = RunState::cancelled;
    if (item_.hold && item_.hold->run == item_.run) decision.hold = {HoldChange::Kind::clear};
  }
  decision.stage_entered = snapshot_.target->stage_of(*decision.status);
}

}  // namespace openindex::work
