// What a new item must be.
#include <algorithm>

#include "core/utf8.hpp"
#include "work/actor_rules.hpp"
#include "work/field_rules.hpp"
#include "work/judge.hpp"

namespace openindex {
inline namespace v0 {
namespace {

void check_parent(const NewItem& item, const RelatedItem* parent, std::vector<Problem>& problems) {
  if (item.parent.empty()) {
    if (item.kind == WorkKind::sub_task) problems.push_back({"/parentKey", "a sub-task needs a task above it"});
    return;
  }
  if (item.kind == WorkKind::project) {
    problems.push_back({"/parentKey", "a project stands by itself"});
  } else if (parent == nullptr) {
    problems.push_back({"/parentKey", "there is no item '" + item.parent.str() + "'"});
  } else if (parent->kind != (item.kind == WorkKind::sub_task ? WorkKind::task : WorkKind::project)) {
    problems.push_back({"/parentKey", item.kind == WorkKind::sub_task ? "must be a task" : "must be a project"});
  } else if (!item.domain.empty() && item.domain != parent->domain) {
    problems.push_back({"/domain", "must be the parent's, " + parent->domain});
  }
}

}  // namespace

Result<StatusIndex> decide_create(const CompiledWorkflow& workflow, const NewItem& item, const Actor& actor,
                                  const RelatedItem* parent) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  std::vector<Problem> problems;
  work::check_title(item.title, problems);
  work::check_description(item.description, problems);
  work::check_people("/ownerUserId", item.owner, problems);
  work::check_people("/assigneeUserId", item.assignee, problems);
  work::check_categories(item.categories, problems);
  work::check_schedule(item.schedule, problems);
  work::check_objective_state(item.objective_state, problems);
  if (item.depends_on.size() > 100) problems.push_back({"/dependsOn", "must be at most 100"});
  check_parent(item, parent, problems);
  const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (item.domain.size() > 16 || !std::all_of(item.domain.begin(), item.domain.end(), upper)) {
    problems.push_back({"/domain", "must be 1 to 16 of A-Z 0-9"});
  }
  if (item.idempotency_key.size() > 200 || !is_utf8(item.idempotency_key)) {
    problems.push_back({"/idempotencyKey", "must be UTF-8 of at most 200 bytes"});
  }
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The item cannot be created like this").with_problems(std::move(problems));
  }
  if (auto fit = work::check_fields(workflow, item.fields); !fit) return fit.error();
  if (item.status.empty()) return workflow.initial();
  const auto status = workflow.find_status(item.status);
  // An item may start further on, but not behind a gate it never passed and not resolved.
  const auto may_start_in = [&](const Status& where) {
    return where.stage == workflow.status(workflow.initial()).stage && !where.resolution;
  };
  if (status && may_start_in(workflow.status(*status))) return *status;
  std::vector<std::string> allowed;
  for (const Status& candidate : workflow.definition().statuses) {
    if (may_start_in(candidate)) allowed.push_back(candidate.key);
  }
  return Error(errc::status_transition_not_allowed).with("to", item.status).with_allowed(std::move(allowed));
}

}  // namespace v0
}  // namespace openindex
