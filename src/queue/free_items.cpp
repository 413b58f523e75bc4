#include "queue/free_items.hpp"

#include "engine/core.hpp"
#include "engine/text_search.hpp"

namespace openindex::queue {
namespace {

ScanRequest expired_items(const char* topic, Time now) {
  return {.index = Index::due,
          .prefix = {std::string(topic)},
          .below = std::int64_t{now.time_since_epoch().count() + 1},
          .where = {},
          .after = {}};
}

}  // namespace

ScanRequest held_items(const QueueFilter& filter, const std::string& holder) {
  ScanRequest request{.index = Index::queue, .prefix = {holder}};
  const auto where = [&](std::size_t field, const std::string& value) {
    if (!value.empty()) request.where.push_back({field, Predicate::Op::equal, value});
  };
  where(3, filter.domain);
  where(4, filter.workflow.str());
  where(5, filter.stage);
  if (filter.priority) request.prefix.emplace_back(static_cast<std::int64_t>(*filter.priority));
  return request;
}

bool matches(const engine::LoadedItem& loaded, const QueueFilter& filter) {
  const WorkItem& item = loaded.item;
  const auto fits = [](const std::string& wanted, const std::string& has) { return wanted.empty() || wanted == has; };
  return fits(filter.domain, item.domain) && fits(filter.workflow.str(), item.workflow.str()) &&
         fits(filter.stage, item.stage) && (!filter.priority || *filter.priority == item.priority) &&
         engine::TextSearch(filter.search).matches(loaded.text->title, loaded.text->description);
}

ScanRequest free_items(FreePart part, const QueueFilter& filter, Time now, std::uint32_t limit,
                       const std::string& after) {
  ScanRequest request = part == FreePart::unheld ? held_items(filter, "")
                                                 : expired_items(part == FreePart::expired ? "hold" : "run_hold", now);
  request.limit_count = limit;
  request.after = after;
  return request;
}

// What an agent may not claim for want of a role is passed over, not refused.
Result<bool> may_claim(EngineCore& core, const Actor& actor, const std::string& domain) {
  auto allowed = core.domains.require(actor, domain, Role::member);
  if (allowed) return true;
  if (allowed.error().code() == errc::not_found || allowed.error().code() == errc::not_permitted) return false;
  return allowed.error();
}

Result<bool> takeable(EngineCore& core, const engine::LoadedItem& loaded, const QueueFilter& filter, Time now) {
  const WorkItem& item = loaded.item;
  const bool free = item.resolution == Resolution::unresolved && item.execution_target != ExecutionTarget::human &&
                    item.blocked_by.empty() && !is_held(item.hold, now) && matches(loaded, filter);
  if (!free) return false;
  if (auto may_work = core.stops.check(item.workflow); !may_work) {
    if (may_work.error().code() == errc::agents_stopped) return false;
    return may_work.error();
  }
  return core.shelf.claims_by_hand(loaded);
}

}  // namespace openindex::queue
