#include "queue/free_items.hpp"

#include "engine/text_search.hpp"

namespace openindex::queue {
namespace {

bool matches(const engine::LoadedItem& loaded, const QueueFilter& filter) {
  const WorkItem& item = loaded.item;
  const auto fits = [](const std::string& wanted, const std::string& has) { return wanted.empty() || wanted == has; };
  return fits(filter.domain, item.domain) && fits(filter.workflow.str(), item.workflow.str()) &&
         fits(filter.stage, item.stage) && (!filter.priority || *filter.priority == item.priority) &&
         engine::TextSearch(filter.search).matches(loaded.text->title, loaded.text->description);
}

}  // namespace

ScanRequest free_items(const QueueFilter& filter, std::uint32_t limit, const std::string& after) {
  ScanRequest request{.index = Index::queue, .prefix = {std::string()}, .limit_count = limit, .after = after};
  const auto where = [&](std::size_t field, const std::string& value) {
    if (!value.empty()) request.where.push_back({field, Predicate::Op::equal, value});
  };
  where(3, filter.domain);
  where(4, filter.workflow.str());
  where(5, filter.stage);
  if (filter.priority) request.prefix.emplace_back(static_cast<std::int64_t>(*filter.priority));
  return request;
}

ScanRequest expired_items(Time now, std::uint32_t limit, const std::string& after) {
  return {.index = Index::due,
          .prefix = {std::string("hold")},
          .below = std::int64_t{now.time_since_epoch().count() + 1},
          .where = {},
          .limit_count = limit,
          .after = after};
}

Result<bool> takeable(engine::WorkflowShelf& shelf, const engine::LoadedItem& loaded, const QueueFilter& filter,
                      Time now) {
  const WorkItem& item = loaded.item;
  const bool free = item.resolution == Resolution::unresolved && item.execution_target != ExecutionTarget::human &&
                    item.blocked_by.empty() && !is_held(item.hold, now) && matches(loaded, filter);
  return free ? shelf.claims_by_hand(loaded) : Result<bool>(false);
}

}  // namespace openindex::queue
