// Items that wait for items: who may wait for whom, and who is told in the commit that resolves an item.
#include <algorithm>
#include <set>

#include "engine/dependents.hpp"
#include "engine/item_door.hpp"

namespace openindex::engine {
namespace {

constexpr std::size_t dependents_max = 1000;
constexpr std::size_t walk_max = 10'000;

}  // namespace

// Walks everything that `on` waits for. What it has seen is expected unchanged, so that two dependencies which would
// close a circle together cannot both be added.
Result<std::optional<RelatedItem>> ItemDoor::relate(const ItemKey& item, const ItemKey& on,
                                                    std::vector<Expectation>& seen) {
  auto target = load(on);
  if (!target && target.error().code() == errc::not_found) return std::optional<RelatedItem>();
  if (!target) return target.error();
  const WorkItem& found = (*target)->item;
  RelatedItem related{.key = on, .domain = found.domain, .resolution = found.resolution, .kind = found.kind};
  if (item.empty()) {
    seen.push_back({state_record(on), (*target)->item.version});
    return std::optional(std::move(related));
  }
  std::set<std::string> visited{on.str()};
  std::vector<LoadedItemPtr> open{*target};
  while (!open.empty()) {
    const LoadedItemPtr at = std::move(open.back());
    open.pop_back();
    seen.push_back({state_record(at->item.key), at->item.version});
    for (const ItemKey& next : at->item.depends_on) {
      if (next == item) related.depends_on_this = true;
      if (next == item || !visited.insert(next.str()).second) continue;
      if (visited.size() > walk_max) {
        return Error(errc::invalid_argument, "The web of dependencies has more than 10000 items").with("on", on.str());
      }
      auto loaded = load(next);
      if (!loaded && loaded.error().code() == errc::not_found) continue;  // pruned meanwhile: nothing stays that waits
      if (!loaded) return loaded.error();
      open.push_back(std::move(*loaded));
    }
  }
  return std::optional(std::move(related));
}

Result<void> ItemDoor::add_dependent(Prepared& prepared, const ItemKey& on, const ItemKey& dependent) {
  auto dependents = read_dependents(storage_, on);
  if (!dependents) return dependents.error();
  auto& items = dependents->items;
  if (std::find(items.begin(), items.end(), dependent) != items.end()) return {};
  if (items.size() >= dependents_max) {
    return Error(errc::invalid_argument, "At most 1000 items depend on one").with("on", on.str());
  }
  items.push_back(dependent);
  write_dependents(prepared.changes, on, *dependents);
  return {};
}

Result<void> ItemDoor::remove_dependent(Prepared& prepared, const ItemKey& on, const ItemKey& dependent) {
  auto dependents = read_dependents(storage_, on);
  if (!dependents) return dependents.error();
  if (std::erase(dependents->items, dependent) != 0) write_dependents(prepared.changes, on, *dependents);
  return prepared.next->item.blocked_by.empty() ? tell_waiting_run(prepared, *prepared.next, clock_.now())
                                                : Result<void>();
}

// In the same commit: an item is free exactly when the last of what it waits for is resolved. One that is resolved
// itself is told too: it may be opened again.
Result<void> ItemDoor::tell_dependents(Prepared& prepared, const Change& change, Time now) {
  const bool resolved = prepared.next->item.resolution != Resolution::unresolved;
  auto dependents = read_dependents(storage_, change.key);
  if (!dependents) return dependents.error();
  prepared.changes.expectations.push_back({dependents_record(change.key), dependents->version});
  for (const ItemKey& key : dependents->items) {
    auto loaded = load(key);
    if (!loaded && loaded.error().code() == errc::not_found) continue;  // pruned meanwhile: the commit will notice
    if (!loaded) return loaded.error();
    auto next = std::make_shared<LoadedItem>(**loaded);
    auto& blocked_by = next->item.blocked_by;
    std::erase(blocked_by, change.key);
    if (!resolved) blocked_by.push_back(change.key);
    next->item.updated_at = now;
    AuditDraft draft{resolved ? "work_item.dependency_resolved" : "work_item.dependency_reopened",
                     {{"dependsOn", change.key.str(), std::string(to_text(prepared.next->item.resolution))}},
                     {}};
    const AuditFrame frame{.stream = key.str(),
                           .domain = next->item.domain,
                           .actor = change.actor,
                           .at = now,
                           .commit = prepared.changes.id.str(),
                           .stage = next->item.stage,
                           .step = {},
                           .epoch = next->epoch};
    append_audit(prepared.changes, next->chain, frame, std::span(&draft, 1));
    prepared.changes.expectations.push_back({state_record(key), (*loaded)->item.version});
    prepared.others.push_back({next, prepared.changes.puts.size()});
    prepared.changes.puts.push_back(write_state(*next));
    if (blocked_by.empty()) {
      if (auto told = tell_waiting_run(prepared, *next, now); !told) return told;
    }
  }
  return {};
}

}  // namespace openindex::engine
