// Lists of items: what an index can tell is asked of the index, the rest of the items that it found.
#include <algorithm>
#include <array>
#include <utility>

#include <openindex/storage/scan_range.hpp>
#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "engine/index_values.hpp"
#include "engine/item_record.hpp"
#include "engine/page_cursor.hpp"
#include "engine/text_search.hpp"
#include "work/actor_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

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

ScanRequest items_like(const ItemFilter& filter) {
  ScanRequest request{.index = Index::items};
  if (!filter.key.empty()) {
    request.prefix = *engine::place_of_key(filter.key);
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

// A page of a list. With words to look for, the index of the texts tells which items may hold them, and what the index
// of all items would have told is asked of those, or the other way round.
class Listing {
 public:
  Listing(EngineCore& core, const Actor& actor, const ItemFilter& filter)
      : core_(core), actor_(actor), filter_(filter), search_(filter.search) {}

  Result<ItemPage> page() {
    auto cursor = engine::PageCursor::read(filter_.after);
    if (!cursor) return cursor.error();
    cursor_ = std::move(*cursor);
    auto begun = begin();
    if (!begun) return begun.error();
    ScanRequest request = request_for(*begun);
    std::uint64_t passed = 0;
    do {
      request.after = cursor_.page;
      auto found = core_.options.storage.scan(request);
      if (!found) return found.error();
      auto all_added = add(found->rows);
      if (!all_added) return all_added.error();
      if (!*all_added) return continued(*begun);
      passed += found->rows.size() < request.limit_count ? request.examine_count : found->rows.size();
      cursor_.page = std::move(found->next);
      if (cursor_.page.empty()) return std::move(out_);
      // Not all that the index lets through are wanted.
      request.limit_count = std::min(std::max(filter_.limit_count, 100U), read_max - std::min(read_count_, read_max));
    } while (out_.items.size() < filter_.limit_count && read_count_ < read_max && passed < passed_max);
    return continued(*begun);
  }

 private:
  static constexpr std::uint32_t read_max = 10'000;
  static constexpr std::uint64_t passed_max = 1'000'000;

  // The first letter of a cursor tells which index the listing goes through.
  static constexpr char through_items = 'i';
  static constexpr char through_texts = 't';

  Result<Index> begin() {
    const auto refused = [&] {
      return Error(errc::invalid_argument, "This is not a cursor of this listing").with("after", filter_.after);
    };
    if (filter_.after.empty()) return choose();
    const char through = cursor_.page.empty() ? '\0' : cursor_.page.front();
    if (through != through_items && through != through_texts) return refused();
    if (!cursor_.behind.empty() && !engine::place_of_key(cursor_.behind)) return refused();
    cursor_.page.erase(0, 1);
    return through == through_texts ? Index::text : Index::items;
  }

  // Words may be in nearly every text, and a condition may hold for nearly every item: the index that passes over more
  // of what it looks at is the one to go through.
  Result<Index> choose() {
    if (search_.bits() == engine::TextBits{}) return Index::items;  // words of two letters have none
    if (items_like(filter_).where.empty()) return Index::text;
    std::array<std::size_t, 2> found{};
    std::array<std::vector<IndexValue>, 2> reached;
    for (const std::size_t i : {0U, 1U}) {
      ScanRequest request = request_for(i == 0 ? Index::items : Index::text);
      request.limit_count = 100;
      auto page = core_.options.storage.scan(request);
      if (!page) return page.error();
      found[i] = page->rows.size();
      if (page->next.empty()) return request.index;  // these few are all that there can be
      if (found[i] == request.limit_count) reached[i] = *engine::place_of_key(ItemKey(page->rows.back().id.key));
    }
    const bool items = found[0] != found[1] ? found[0] < found[1] : reached[1] < reached[0];
    return items ? Index::items : Index::text;
  }

  ItemPage continued(Index index) {
    cursor_.page.insert(cursor_.page.begin(), index == Index::text ? through_texts : through_items);
    out_.next = cursor_.str();
    return std::move(out_);
  }

  ScanRequest request_for(Index index) {
    ScanRequest request = items_like(filter_);
    request.limit_count = filter_.limit_count;
    asked_.clear();
    if (index == Index::items) return request;
    request.index = Index::text;
    asked_ = std::exchange(request.where, {});
    std::size_t field = 3;  // behind domain, number and sub, where both indexes begin
    for (const std::int64_t bits : search_.bits()) {
      if (bits != 0) request.where.push_back({field, Op::has_bits, bits});
      ++field;
    }
    return request;
  }

  // Add what is wanted of the rows behind the cursor, and move it; false when more of them are than fit.
  Result<bool> add(const std::vector<Record>& rows) {
    const auto behind = engine::place_of_key(cursor_.behind);
    std::vector<ItemKey> keys;
    for (const Record& row : rows) {
      ItemKey key(row.id.key);
      if (!behind || *behind < engine::place_of_key(key)) keys.push_back(std::move(key));
    }
    auto items = core_.door.load_all(keys);
    if (!items) return items.error();
    read_count_ += static_cast<std::uint32_t>(keys.size());
    for (const auto& item : *items) {
      auto wanted = wants(*item);
      if (!wanted) return wanted.error();
      if (!*wanted) continue;
      if (out_.items.size() == filter_.limit_count) return false;
      out_.items.push_back(item->whole());
      cursor_.behind = item->item.key;
    }
    if (!keys.empty()) cursor_.behind = keys.back();
    return true;
  }

  Result<bool> wants(const engine::LoadedItem& item) {
    auto sees = core_.domains.sees(actor_, item.item.domain);
    if (!sees || !*sees) return sees;
    if (filter_.personal_only) {
      auto domain = core_.domains.find(item.item.domain);
      if (!domain) return domain.error();
      if (!*domain || !(*domain)->personal) return false;
    }
    if (!filter_.key.empty() && item.item.key != filter_.key) return false;
    if (!asked_.empty() && !matches(asked_, engine::place_among_items(item))) return false;
    return has_category(item.item, filter_.category) && search_.matches(item.text->title, item.text->description);
  }

  EngineCore& core_;
  const Actor& actor_;
  const ItemFilter& filter_;
  const engine::TextSearch search_;
  std::vector<Predicate> asked_;  ///< Of the index of all items, if another was read.
  engine::PageCursor cursor_;
  ItemPage out_;
  std::uint32_t read_count_ = 0;
};

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
  if (!filter.key.empty() && !engine::place_of_key(filter.key)) return ItemPage();
  return Listing(*core_, actor, filter).page();
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
