#include "queue/listing.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "engine/index_values.hpp"
#include "engine/page_cursor.hpp"
#include "queue/free_items.hpp"
#include "queue/queue_cursor.hpp"

namespace openindex::queue {
namespace {

using engine::LoadedItemPtr;
using Place = IndexPlace;

struct Candidate {
  Place place;
  LoadedItemPtr item;

  friend bool operator<(const Candidate& one, const Candidate& other) { return one.place < other.place; }
};

// Where an item stands in the queue while nobody holds it.
Place place_of(const engine::LoadedItem& loaded) {
  const WorkItem& item = loaded.item;
  const RecordId id = engine::state_record(item.key);
  return engine::index_values("", static_cast<std::int64_t>(item.priority), loaded.number, item.domain,
                              item.workflow.str(), item.stage, id.kind, id.key);
}

Result<std::vector<LoadedItemPtr>> load_rows(EngineCore& core, const ScanPage& page) {
  std::vector<ItemKey> keys;
  keys.reserve(page.rows.size());
  for (const Record& row : page.rows) keys.emplace_back(row.id.key);
  return core.door.load_all(keys);
}

Result<void> check_limit(std::uint32_t limit) {
  if (limit >= 1 && limit <= 1000) return {};
  return Error(errc::invalid_argument, "A page holds 1 to 1000 items").with("limit_count", std::to_string(limit));
}

// Where a row of the queue stands, as the storage told when it was read.
std::optional<Place> place_of(const Record& row) {
  for (const auto& [index, place] : index_places(row.id, row.index)) {
    if (index == Index::queue) return place;
  }
  return std::nullopt;
}

class Available {
 public:
  Available(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit)
      : core_(core), actor_(actor), filter_(filter), limit_(limit), now_(core.options.clock.now()) {}

  Result<QueuePage> list(QueueCursor cursor) {
    begun_ = std::move(cursor.behind);
    for (const FreePart part : {FreePart::expired, FreePart::expired_run}) {
      if (auto added = add_stale(part); !added) return added.error();
    }
    auto page = core_.options.storage.scan(free_items(FreePart::unheld, filter_, now_, limit_, cursor.page));
    if (!page) return page.error();
    if (auto added = add(*page); !added) return added.error();
    return cut(cursor.page, *page);
  }

 private:
  Result<void> add(const ScanPage& page) {
    auto items = load_rows(core_, page);
    if (!items) return items.error();
    for (const LoadedItemPtr& item : *items) {
      auto sees = core_.domains.sees(actor_, item->item.domain);
      if (!sees) return sees.error();
      auto free = takeable(core_, *item, filter_, now_);
      if (!free) return free.error();
      if (!*sees || !*free) continue;
      Place place = place_of(*item);
      if (begun_ && (!(*begun_ < place) || begun_->back() == place.back())) continue;  // also one that moved behind it
      if (known_.insert(item->item.key.str()).second) candidates_.push_back({std::move(place), item});
    }
    return {};
  }

  // They stand by deadline in the storage, so all of them are looked at, whole ones only where they may be wanted; the
  // first of them are enough.
  Result<void> add_stale(FreePart part) {
    ScanRequest request = free_items(part, filter_, now_, 1000);
    do {
      auto page = core_.options.storage.scan(request);
      if (!page) return page.error();
      request.after = std::move(page->next);
      if (!filter_.domain.empty()) {
        std::erase_if(page->rows,
                      [&](const Record& row) { return engine::domain_of(ItemKey(row.id.key)) != filter_.domain; });
      }
      if (auto added = add(*page); !added) return added;
      keep_first(std::size_t{limit_} + 1);  // one more tells that there is more
    } while (!request.after.empty());
    return {};
  }

  void keep_first(std::size_t count) {
    if (candidates_.size() <= count) return;
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(candidates_.begin(), end, candidates_.end());
    candidates_.erase(end, candidates_.end());
  }

  // Behind the rows that were read there may be others, which come before what is stale there.
  Result<QueuePage> cut(const std::string& read_at, const ScanPage& page) {
    std::sort(candidates_.begin(), candidates_.end());
    const auto read_to = page.next.empty() || page.rows.empty() ? std::nullopt : place_of(page.rows.back());
    QueuePage out;
    std::optional<Place> last = begun_;
    for (const Candidate& candidate : candidates_) {
      if (!page.next.empty() && (!read_to || *read_to < candidate.place)) break;
      if (out.items.size() == limit_) {
        out.next = QueueCursor{last, read_at}.str();
        return out;
      }
      out.items.push_back(candidate.item->whole());
      last = candidate.place;
    }
    if (page.next.empty()) return out;
    if (read_to && (!last || *last < *read_to)) last = read_to;
    out.next = QueueCursor{last, page.next}.str();
    return out;
  }

  EngineCore& core_;
  const Actor& actor_;
  const QueueFilter& filter_;
  const std::uint32_t limit_;
  const Time now_;
  std::optional<Place> begun_;
  std::vector<Candidate> candidates_;
  std::set<std::string> known_;
};

}  // namespace

Result<QueuePage> list_available(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit,
                                 const std::string& after) {
  if (auto checked = check_limit(limit); !checked) return checked.error();
  auto cursor = QueueCursor::read(after);
  if (!cursor) return cursor.error();
  return Available(core, actor, filter, limit).list(std::move(*cursor));
}

Result<QueuePage> list_held(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit,
                            const std::string& after) {
  if (auto checked = check_limit(limit); !checked) return checked.error();
  auto cursor = engine::PageCursor::read(after);
  if (!cursor) return cursor.error();
  ScanRequest request = held_items(filter, actor.id());
  request.limit_count = limit;
  request.after = cursor->page;
  auto page = core.options.storage.scan(request);
  if (!page) return page.error();
  auto items = load_rows(core, *page);
  if (!items) return items.error();
  QueuePage out;
  for (const LoadedItemPtr& item : *items) {
    if (item->item.key == cursor->behind) continue;  // it has moved behind the end of its page
    auto sees = core.domains.sees(actor, item->item.domain);
    if (!sees) return sees.error();
    const bool holds = item->item.hold && item->item.hold->agent.str() == actor.id();
    if (*sees && holds && matches(*item, filter)) out.items.push_back(item->whole());
  }
  if (page->next.empty()) return out;
  if (!page->rows.empty()) cursor->behind = page->rows.back().id.key;
  cursor->page = std::move(page->next);
  out.next = cursor->str();
  return out;
}

}  // namespace openindex::queue
