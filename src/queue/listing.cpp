#include "queue/listing.hpp"

#include <algorithm>
#include <array>

#include "engine/index_values.hpp"
#include "queue/free_items.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex::queue {
namespace {

using engine::LoadedItemPtr;
using storage::Place;

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

class Available {
 public:
  Available(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit)
      : core_(core), actor_(actor), filter_(filter), limit_(limit), now_(core.options.clock.now()) {}

  Result<QueuePage> list(const std::string& after) {
    const ScanRequest request = free_items(FreePart::unheld, filter_, now_, limit_, after);
    auto begun = storage::read_cursor(request);
    if (!begun) return begun.error();
    for (const FreePart part : {FreePart::expired, FreePart::expired_run}) {
      if (auto added = add_stale(part, *begun); !added) return added.error();
    }
    auto page = core_.options.storage.scan(request);
    if (!page) return page.error();
    if (auto added = add(*page, {}); !added) return added.error();
    return cut(request, page->next);
  }

 private:
  Result<void> add(const ScanPage& page, const std::optional<Place>& begun) {
    auto items = load_rows(core_, page);
    if (!items) return items.error();
    for (const LoadedItemPtr& item : *items) {
      auto sees = core_.domains.sees(actor_, item->item.domain);
      if (!sees) return sees.error();
      auto free = takeable(core_.shelf, *item, filter_, now_);
      if (!free) return free.error();
      if (!*sees || !*free) continue;
      Place place = place_of(*item);
      if (!begun || *begun < place) candidates_.push_back({std::move(place), item});
    }
    return {};
  }

  // They stand by deadline in the storage, so all of them are looked at; the first of them are enough.
  Result<void> add_stale(FreePart part, const std::optional<Place>& begun) {
    ScanRequest request = free_items(part, filter_, now_, 1000);
    do {
      auto page = core_.options.storage.scan(request);
      if (!page) return page.error();
      if (auto added = add(*page, begun); !added) return added;
      keep_first(std::size_t{limit_} + 1);  // one more tells that there is more
      request.after = std::move(page->next);
    } while (!request.after.empty());
    return {};
  }

  void keep_first(std::size_t count) {
    if (candidates_.size() <= count) return;
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(candidates_.begin(), end, candidates_.end());
    candidates_.erase(end, candidates_.end());
  }

  // What lies behind the rows that were read may have others before it.
  Result<QueuePage> cut(ScanRequest request, const std::string& next) {
    std::sort(candidates_.begin(), candidates_.end());
    const auto same = [](const Candidate& one, const Candidate& other) {
      return one.item->item.key == other.item->item.key;
    };
    candidates_.erase(std::unique(candidates_.begin(), candidates_.end(), same), candidates_.end());
    request.after = next;
    auto read_to = storage::read_cursor(request);
    if (!read_to) return read_to.error();
    QueuePage out;
    out.next = next;
    for (const Candidate& candidate : candidates_) {
      if (*read_to && **read_to < candidate.place) break;
      if (out.items.size() == limit_) {
        out.next = write_cursor(request, last_);
        break;
      }
      out.items.push_back(candidate.item->whole());
      last_ = candidate.place;
    }
    return out;
  }

  EngineCore& core_;
  const Actor& actor_;
  const QueueFilter& filter_;
  const std::uint32_t limit_;
  const Time now_;
  std::vector<Candidate> candidates_;
  Place last_;
};

}  // namespace

Result<QueuePage> list_available(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit,
                                 const std::string& after) {
  if (auto checked = check_limit(limit); !checked) return checked.error();
  return Available(core, actor, filter, limit).list(after);
}

Result<QueuePage> list_held(EngineCore& core, const Actor& actor, const QueueFilter& filter, std::uint32_t limit,
                            const std::string& after) {
  if (auto checked = check_limit(limit); !checked) return checked.error();
  ScanRequest request = held_items(filter, actor.id());
  request.limit_count = limit;
  request.after = after;
  auto page = core.options.storage.scan(request);
  if (!page) return page.error();
  auto items = load_rows(core, *page);
  if (!items) return items.error();
  QueuePage out;
  out.next = std::move(page->next);
  for (const LoadedItemPtr& item : *items) {
    auto sees = core.domains.sees(actor, item->item.domain);
    if (!sees) return sees.error();
    const bool holds = item->item.hold && item->item.hold->agent.str() == actor.id();
    if (*sees && holds && matches(*item, filter)) out.items.push_back(item->whole());
  }
  return out;
}

}  // namespace openindex::queue
