// What a new item must be.
#include <openindex/work/rules.hpp>

#include "work/actor_rules.hpp"
#include "work/content_bounds.hpp"
#include "work/field_rules.hpp"

namespace openindex {
inline namespace v0 {
Result<StatusIndex> decide_create(const CompiledWorkflow& workflow, const NewItem& item, const Actor& actor,
                                  const RelatedItem* parent) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  if (auto problems = work::problems_of(item, parent); !problems.empty()) {
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
  allowed.reserve(workflow.definition().statuses.size());
  for (const Status& candidate : workflow.definition().statuses) {
    if (may_start_in(candidate)) allowed.push_back(candidate.key);
  }
  return Error(errc::status_transition_not_allowed).with("to", item.status).with_allowed(std::move(allowed));
}

}  // namespace v0
}  // namespace openindex
