// Lists of items: what an index can tell is asked of the index, the rest of the items that it found.
#include <algorithm>
#include <charconv>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "engine/index_values.hpp"
#include "engine/text_search.hpp"
#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::uint32_t looked_at_max = 10'000;

using Op = Predicate::Op;

// Positions in the index `items`.
enum Field : std::size_t {
  workflow = 3,
  status,
  stage,
  resolution,
  target,
  holder,
  kind,
  priority,
  parent,
  owner,
  assignee,
  schedule,
  resolved_at
};

// Where an item of this key stands in the index; nothing when no item can have it.
std::optional<std::vector<IndexValue>> place_of(const ItemKey& key) {
  std::int64_t number = 0, sub = 0;
  const std::string domain = engine::domain_of(key);
  if (domain.size() == key.str().size()) return std::nullopt;
  const char* const end = key.str().data() + key.str().size();
  auto read = std::from_chars(key.str().data() + domain.size() + 1, end, number);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '.') read = std::from_chars(read.ptr + 1, end, sub);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return engine::index_values(domain, number, sub);
}

ScanRequest request_of(const ItemFilter& filter) {
  ScanRequest request{.index = Index::items, .after = filter.after};
  if (!filter.key.empty()) {
    request.prefix = *place_of(filter.key);
    if (!filter.domain.empty()) request.where.push_back({0, Op::equal, filter.domain});
  } else if (!filter.domain.empty()) {
    request.prefix.emplace_back(filter.domain);
  }
  const auto where = [&](std::size_t field, const std::string& value) {
    if (!value.empty()) request.where.push_back({field, Op::equal, value});
  };
  const auto where_spelled = [&](std::size_t field, const auto& value) {
    if (value) request.where.push_back({field, Op::equal, std::string(to_text(*value))});
  };
  where(workflow, filter.workflow.str());
  where(status, filter.status);
  where(stage, filter.stage);
  where_spelled(resolution, filter.resolution);
  where_spelled(target, filter.execution_target);
  if (filter.holder == "none") {
    request.where.push_back({holder, Op::equal, std::string()});
  } else {
    where(holder, filter.holder);
  }
  where_spelled(kind, filter.kind);
  if (filter.priority) request.where.push_back({priority, Op::equal, static_cast<std::int64_t>(*filter.priority)});
  where(parent, filter.parent.str());
  where(owner, filter.owner);
  where(assignee, filter.assignee);
  where_spelled(schedule, filter.schedule);
  if (filter.resolved_after) {
    request.where.push_back(
        {resolved_at, Op::greater, std::int64_t{filter.resolved_after->time_since_epoch().count()}});
  }
  return request;
}

bool has_category(const WorkItem& item, const std::string& category) {
  return category.empty() || std::binary_search(item.categories.begin(), item.categories.end(), category);
}

}  // namespace

Result<ItemPage> WorkflowEngine::list(const Actor& actor, const ItemFilter& filter) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto named = work::check_actor_id(actor); !named) return named.error();
  if (filter.limit_count < 1 || filter.limit_count > 1000) {
    return Error(errc::invalid_argument, "A page holds 1 to 1000 items")
        .with("limit_count", std::to_string(filter.limit_count));
  }
  if (!filter.domain.empty()) {
    if (auto allowed = core_->domains.require(actor, filter.domain, Role::viewer); !allowed) return allowed.error();
  }
  if (!filter.key.empty() && !place_of(filter.key)) return ItemPage();
  const engine::TextSearch search(filter.search);
  ScanRequest request = request_of(filter);
  ItemPage out;
  std::uint32_t looked_at = 0;
  do {
    // Never more than fit: the cursor stands behind the last row of a page.
    request.limit_count = filter.limit_count - static_cast<std::uint32_t>(out.items.size());
    auto page = core_->options.storage.scan(request);
    if (!page) return page.error();
    std::vector<ItemKey> keys;
    for (const Record& row : page->rows) keys.emplace_back(row.id.key);
    auto items = core_->door.load_all(keys);
    if (!items) return items.error();
    for (const auto& item : *items) {
      auto sees = core_->domains.sees(actor, item->item.domain);
      if (!sees) return sees.error();
      if (*sees && filter.personal_only) {
        auto domain = core_->domains.find(item->item.domain);
        if (!domain) return domain.error();
        if (!*domain || !(*domain)->personal) continue;
      }
      if (*sees && (filter.key.empty() || item->item.key == filter.key) && has_category(item->item, filter.category) &&
          search.matches(item->text->title, item->text->description)) {
        out.items.push_back(item->whole());
      }
    }
    looked_at += std::max(1u, static_cast<std::uint32_t>(keys.size()));
    request.after = out.next = std::move(page->next);
  } while (!out.next.empty() && out.items.size() < filter.limit_count && looked_at < looked_at_max);
  return out;
}

Result<std::vector<WorkItem>> WorkflowEngine::children(const Actor& actor, const ItemKey& key) {
  if (actor.kind() == ActorKind::run) return Error(errc::outside_run).with("run", actor.run_id().str());
  if (auto allowed = core_->check_reader(actor, key); !allowed) return allowed.error();
  ScanRequest request{.index = Index::tree, .prefix = {key.str()}, .limit_count = 1000};
  std::vector<WorkItem> out;
  do {
    auto page = core_->options.storage.scan(request);
    if (!page) return page.error();
    std::vector<ItemKey> keys;
    for (const Record& row : page->rows) keys.emplace_back(row.id.key);
    auto items = core_->door.load_all(keys);
    if (!items) return items.error();
    for (const auto& item : *items) out.push_back(item->whole());
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return out;
}

}  // namespace v0
}  // namespace openindex
