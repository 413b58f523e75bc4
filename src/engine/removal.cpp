#include "engine/removal.hpp"

#include "engine/commit.hpp"
#include "engine/pruned_item.hpp"

namespace openindex::engine {
namespace {

constexpr std::uint32_t named_max = 100;

// By a scan, which does not see what is pending; so each is looked up, too.
Result<void> add_below(Storage& storage, const ItemKey& key, std::vector<ItemKey>& out) {
  ScanRequest request{.index = Index::tree, .prefix = {key.str()}, .limit_count = named_max};
  do {
    auto page = storage.scan(request);
    if (!page) return page.error();
    std::vector<RecordId> states;
    for (const Record& row : page->rows) states.push_back(row.id);
    auto there = storage.get_bodies(states);
    if (!there) return there.error();
    for (const auto& state : *there) {
      if (state) out.emplace_back(state->id.key);
    }
    request.after = std::move(page->next);
  } while (out.empty() && !request.after.empty());
  return {};
}

}  // namespace

RecordId below_record(const ItemKey& key) { return {"below", key.str()}; }
Put write_below(const ItemKey& key) { return {below_record(key), "{}", {}}; }

// The versions are read first: what comes in between is noticed by the commit.
Result<NeededBy> read_needed_by(Storage& storage, const ItemKey& key) {
  NeededBy out;
  auto below = read_record(storage, below_record(key), "below");
  if (!below && below.error().code() != errc::not_found) return below.error();
  if (below) out.below_version = below->version;
  auto dependents = read_dependents(storage, key);
  if (!dependents) return dependents.error();
  out.dependents = std::move(*dependents);
  if (auto added = add_below(storage, key, out.items); !added) return added.error();
  out.items.insert(out.items.end(), out.dependents.items.begin(), out.dependents.items.end());
  return out;
}

Result<void> write_removal(Storage& storage, ChangeSet& changes, const LoadedItem& item, const NeededBy& needed_by) {
  const ItemKey& key = item.item.key;
  changes.expectations.push_back({state_record(key), item.item.version});
  changes.expectations.push_back({dependents_record(key), needed_by.dependents.version});
  changes.expectations.push_back({below_record(key), needed_by.below_version});
  changes.expectations.push_back({pruned_record(key), 0});
  for (RecordId id : {state_record(key), content_record(key), hold_record(key), gates_record(key),
                      dependents_record(key), below_record(key)}) {
    changes.erases.push_back(std::move(id));
  }
  for (const ItemKey& on : item.item.depends_on) {
    auto others = read_dependents(storage, on);
    if (!others) return others.error();
    if (std::erase(others->items, key) != 0) write_dependents(changes, on, *others);
  }
  return {};
}

}  // namespace openindex::engine
