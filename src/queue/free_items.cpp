#include "queue/free_items.hpp"

namespace openindex::queue {
namespace {

bool matches(const WorkItem& item, const QueueFilter& filter) {
  const auto fits = [](const std::string& wanted, const std::string& has) { return wanted.empty() || wanted == has; };
  return fits(filter.domain, item.domain) && fits(filter.workflow.str(), item.workflow.str()) &&
         fits(filter.stage, item.stage);
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
  return request;
}

Result<std::vector<ItemKey>> expired_items(WorkflowEngine& engine, std::uint32_t limit) {
  const std::int64_t now = engine.clock().now().time_since_epoch().count();
  auto page = engine.storage().scan({.index = Index::due,
                                     .prefix = {std::string("hold")},
                                     .below = now + 1,
                                     .where = {},
                                     .limit_count = limit,
                                     .after = {}});
  if (!page) return page.error();
  std::vector<ItemKey> keys;
  for (const Record& row : page->rows) keys.emplace_back(row.id.key);
  return keys;
}

bool takeable(const WorkItem& item, const QueueFilter& filter, Time now) {
  return item.resolution == Resolution::unresolved && item.execution_target != ExecutionTarget::human &&
         !is_held(item.hold, now) && matches(item, filter);
}

}  // namespace openindex::queue
