#include <openindex/adapters/memory_storage.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>

#include "adapters/memory/slot_table.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using memory::Leading;
using memory::NameView;
using memory::number_of;
using memory::packed;
using memory::Row;
using memory::Rows;
using memory::SharedRecord;
using memory::Slot;
using memory::StoredRecord;
using storage::Place;
using storage::Selection;

/// Find the rows of a selection, whatever the predicates say.
std::pair<Rows::const_iterator, Rows::const_iterator> find_range(const Rows& rows, const Selection& selection) {
  const auto prefix = packed(selection.prefix);
  const auto behind = [&](const IndexValue& next) { return prefix + packed({&next, 1}); };
  const auto first = rows.lower_bound(Leading{selection.from ? behind(*selection.from) : prefix});
  if (!selection.below) return {first, rows.upper_bound(Leading{prefix})};
  if (selection.from && !(*selection.from < *selection.below)) return {first, first};
  return {first, rows.lower_bound(Leading{behind(*selection.below)})};
}

bool matches(const StoredRecord& record, const Selection& selection) {
  return std::all_of(selection.where.begin(), selection.where.end(), [&](const Predicate& predicate) {
    return storage::holds(predicate, record.field(selection.index, predicate.field));
  });
}

/// A record to be written, built before anybody waits for the lock.
struct Ready {
  std::shared_ptr<StoredRecord> record;
  NameView name;
  Slot* slot = nullptr;  ///< Where it goes; null: nothing is there by that name.
};

/// A change set whose names are hashed and whose records are built.
struct Prepared {
  Result<void> bounds = {};
  std::vector<Ready> puts = {};
  std::vector<Ready> appends = {};

  struct Guard {
    NameView name;
    const Ready* written = nullptr;  ///< What the same change set writes there; it is looked up only once.
  };
  std::vector<Guard> guards = {};  ///< Of the expectations.
};

std::vector<Ready> build_records(std::span<const Put> puts) {
  std::vector<Ready> built;
  built.reserve(puts.size());
  for (const auto& put : puts) built.push_back({std::make_shared<StoredRecord>(put), NameView(put.id)});
  return built;
}

std::vector<Prepared::Guard> build_guards(std::span<const Expectation> expectations, std::span<const Ready> puts) {
  constexpr std::size_t compared_max = 8;  // looking up is cheaper than comparing with many
  const auto likely = puts.first(std::min(puts.size(), compared_max));
  std::vector<Prepared::Guard> guards;
  guards.reserve(expectations.size());
  for (const auto& expectation : expectations) {
    const NameView name(expectation.id);
    const auto found = std::find_if(likely.begin(), likely.end(), [&](const Ready& put) { return put.name == name; });
    guards.push_back({name, found == likely.end() ? nullptr : &*found});
  }
  return guards;
}

Prepared prepare(const ChangeSet& changes) {
  if (auto bounds = check_bounds(changes); !bounds) return {.bounds = std::move(bounds)};
  Prepared prepared{.puts = build_records(changes.puts), .appends = build_records(changes.appends)};
  prepared.guards = build_guards(changes.expectations, prepared.puts);
  return prepared;
}

std::uint64_t version_of(const Slot* slot) { return slot == nullptr ? 0 : slot->record->version(); }

Error conflict(const RecordId& id, std::uint64_t expected, std::uint64_t found) {
  return Error(errc::conflict)
      .with("kind", id.kind)
      .with("key", id.key)
      .with("expected", std::to_string(expected))
      .with("found", std::to_string(found));
}

}  // namespace

class MemoryStorage::State {
 public:
  std::vector<SharedRecord> get(std::span<const RecordId> ids) {
    std::vector<SharedRecord> found;
    found.reserve(ids.size());
    const std::lock_guard lock(mutex_);
    for (const auto& id : ids) {
      const auto* slot = slots_.find(NameView(id));
      found.push_back(slot == nullptr ? nullptr : slot->record);
    }
    return found;
  }

  struct Page {
    std::vector<SharedRecord> rows;
    SharedRecord last;  ///< The last row examined, if there may be more behind it.
  };

  Page scan(const ScanRequest& request, const std::optional<Place>& after) {
    const Selection selection(request);
    const auto behind = after ? packed(*after) : std::string();
    const std::lock_guard lock(mutex_);
    const auto& rows = indexes_[number_of(request.index)];
    auto [first, last] = find_range(rows, selection);
    if (after && request.descending) last = rows.lower_bound(Leading{behind});
    if (after && !request.descending) first = rows.upper_bound(Leading{behind});

    Page page;
    std::uint32_t examined = 0;
    while (first != last) {
      const auto& record = request.descending ? (--last)->slot->record : (first++)->slot->record;
      if (matches(*record, selection)) page.rows.push_back(record);
      if (page.rows.size() < request.limit_count && ++examined < request.examine_count) continue;
      if (first != last) page.last = record;
      break;
    }
    return page;
  }

  std::uint64_t count(const CountRequest& request) {
    const Selection selection(request);
    const std::lock_guard lock(mutex_);
    const auto [first, last] = find_range(indexes_[number_of(request.index)], selection);
    std::uint64_t counted = 0;
    for (auto row = first; row != last && counted < request.limit_count; ++row) {
      counted += matches(*row->slot->record, selection) ? 1 : 0;
    }
    return counted;
  }

  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes, std::span<Prepared> prepared) {
    std::vector<Result<CommitReceipt>> results;
    results.reserve(changes.size());
    std::vector<SharedRecord> replaced;  // outlives the lock: freeing memory is nobody else's wait
    {
      const std::lock_guard lock(mutex_);
      bool changed = false;
      for (std::size_t i = 0; i < changes.size(); ++i) {
        results.push_back(apply(changes[i], prepared[i], replaced));
        changed = changed || results.back();
      }
      if (changed) ++sequence_;
      if (!changed || waiting_ == 0) return results;
    }
    changed_.notify_all();
    return results;
  }

  std::uint64_t wait(std::uint64_t seen, Duration timeout) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait_for(lock, timeout, [&] { return sequence_ != seen; });
    --waiting_;
    return sequence_;
  }

  void wake() {
    {
      const std::lock_guard lock(mutex_);
      ++sequence_;
    }
    changed_.notify_all();
  }

 private:
  using Replaced = std::vector<SharedRecord>;

  Result<CommitReceipt> apply(const ChangeSet& changes, Prepared& prepared, Replaced& replaced) {
    if (!prepared.bounds) return prepared.bounds.error();
    for (auto* built : {&prepared.puts, &prepared.appends}) {
      for (Ready& ready : *built) ready.slot = slots_.find(ready.name);
    }
    if (auto met = check(changes, prepared); !met) return met.error();
    CommitReceipt receipt;
    receipt.versions.reserve(prepared.puts.size());
    for (Ready& ready : prepared.puts) receipt.versions.push_back(put(ready, replaced));
    const Slot* before = nullptr;
    for (Ready& ready : prepared.appends) before = &insert(ready, before);
    for (const auto& id : changes.erases) erase(id, replaced);
    return receipt;
  }

  Result<void> check(const ChangeSet& changes, const Prepared& prepared) const {
    for (std::size_t i = 0; i < changes.expectations.size(); ++i) {
      const auto& guard = prepared.guards[i];
      const auto found = version_of(guard.written != nullptr ? guard.written->slot : slots_.find(guard.name));
      const auto& [id, expected] = changes.expectations[i];
      if (found != expected) return conflict(id, expected, found);
    }
    for (std::size_t i = 0; i < changes.appends.size(); ++i) {
      const auto found = version_of(prepared.appends[i].slot);
      if (found != 0) return conflict(changes.appends[i].id, 0, found);
    }
    return {};
  }

  std::uint64_t put(Ready& ready, Replaced& replaced) {
    if (ready.slot == nullptr) return version_of(&insert(ready, nullptr));
    Slot& slot = *ready.slot;
    const auto version = slot.record->version() + 1;
    ready.record->set_version(version);
    const SharedRecord old = std::exchange(slot.record, std::move(ready.record));
    for (std::size_t i = 0; i < index_count; ++i) move_row(slot, i, old->entry(i));
    replaced.push_back(old);
    return version;
  }

  /// `before`: whose name may come right before this one's.
  Slot& insert(Ready& ready, const Slot* before) {
    Slot& slot = slots_.insert(ready.name.hash, std::move(ready.record));
    for (std::size_t i = 0; i < index_count; ++i) {
      const auto place = slot.record->entry(i);
      if (place.empty()) continue;
      Rows& rows = indexes_[i];
      const bool follows = before != nullptr && i == number_of(Index::key);
      // New times and numbers mostly come last.
      slot.rows[i] = rows.insert(follows ? std::next(before->rows[i]) : rows.end(), Row{place, &slot});
    }
    return slot;
  }

  /// Let a row follow from an old entry, which lives as long as this, to the one of the slot's new record.
  void move_row(Slot& slot, std::size_t index, std::string_view old) {
    Rows& rows = indexes_[index];
    auto& row = slot.rows[index];
    const auto place = slot.record->entry(index);
    if (old.empty() && place.empty()) return;
    if (old.empty()) {
      row = rows.insert(rows.end(), Row{place, &slot});
    } else if (place.empty()) {
      rows.erase(row);
    } else {
      const bool stays = old == place || stands_right(rows, row, Row{place, &slot});
      row->place = place;
      if (!stays) row = rows.insert(rows.end(), rows.extract(row));
    }
  }

  /// Most changes of an entry leave the row between its neighbours: a status, a holder behind a number.
  static bool stands_right(const Rows& rows, Rows::iterator row, const Row& changed) {
    const auto less = rows.key_comp();
    const auto next = std::next(row);
    return (row == rows.begin() || less(*std::prev(row), changed)) && (next == rows.end() || less(changed, *next));
  }

  void erase(const RecordId& id, Replaced& replaced) {
    Slot* slot = slots_.find(NameView(id));
    if (slot == nullptr) return;
    for (std::size_t i = 0; i < index_count; ++i) {
      if (!slot->record->entry(i).empty()) indexes_[i].erase(slot->rows[i]);
    }
    replaced.push_back(std::move(slot->record));
    slots_.erase(*slot);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  memory::SlotTable slots_;
  std::array<Rows, index_count> indexes_;
  std::uint64_t sequence_ = 1;
  std::size_t waiting_ = 0;
};

MemoryStorage::MemoryStorage() : state_(std::make_unique<State>()) {}
MemoryStorage::~MemoryStorage() = default;

Result<std::vector<std::optional<Record>>> MemoryStorage::get(std::span<const RecordId> ids) {
  const auto found = state_->get(ids);
  std::vector<std::optional<Record>> records(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) records[i] = found[i]->unpack();
  }
  return records;
}

Result<ScanPage> MemoryStorage::scan(const ScanRequest& request) {
  if (auto checked = storage::check_scan(request); !checked) return checked.error();
  const auto after = storage::read_cursor(request);
  if (!after) return after.error();
  const auto found = state_->scan(request, *after);

  ScanPage page;
  page.rows.reserve(found.rows.size());
  for (const auto& record : found.rows) page.rows.push_back(record->unpack());
  if (found.last) page.next = storage::write_cursor(request, found.last->place(request.index));
  return page;
}

Result<std::uint64_t> MemoryStorage::count(const CountRequest& request) {
  if (auto checked = storage::check_selection(Selection(request)); !checked) return checked.error();
  return state_->count(request);
}

std::vector<Result<CommitReceipt>> MemoryStorage::commit(std::span<const ChangeSet> changes) {
  std::vector<Prepared> prepared;
  prepared.reserve(changes.size());
  for (const auto& set : changes) prepared.push_back(prepare(set));
  return state_->commit(changes, prepared);
}

Result<Changed> MemoryStorage::wait_for_change(const WaitRequest& request) {
  constexpr Duration longest = std::chrono::hours(1);  // a longer sum would overflow the clock
  return Changed{state_->wait(request.seen, std::clamp(request.timeout, Duration::zero(), longest))};
}

void MemoryStorage::wake() noexcept { state_->wake(); }

}  // namespace v0
}  // namespace openindex
