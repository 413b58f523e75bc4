#include <openindex/adapters/memory_storage.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "storage/scan_cursor.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using storage::FieldView;
using storage::Place;
using storage::Selection;

constexpr std::size_t index_count = static_cast<std::size_t>(Index::audit) + 1;

/// Records are immutable and shared, so that a reader copies their bytes after it has let go of the lock.
using SharedRecord = std::shared_ptr<const Record>;

struct Slot;

/// The leading values of a place. A row compares as equal when it begins with them.
struct Leading {
  const std::vector<IndexValue>& values;
};

/// The order of one index: by the fields, then by kind and key.
struct IndexOrder {
  using is_transparent = void;
  Index index;

  bool operator()(const Slot* a, const Slot* b) const;
  bool operator()(const Slot* row, const Leading& leading) const { return order(*row, leading) < 0; }
  bool operator()(const Leading& leading, const Slot* row) const { return order(*row, leading) > 0; }

 private:
  [[nodiscard]] std::strong_ordering order(const Slot& row, const Leading& leading) const;
};

using Rows = std::set<const Slot*, IndexOrder>;

/// What a record feeds into each index: the values of its entry, none where it feeds nothing.
using Entries = std::array<std::span<const IndexValue>, index_count>;

/// Where a record lives; stays in place while the record is replaced, so that indexes can point at it.
struct Slot {
  const RecordId* id = nullptr;  ///< The key of this slot: comparing it spares a step to the record.
  SharedRecord record;
  Entries entries{};                               ///< Into `record`.
  std::array<Rows::iterator, index_count> rows{};  ///< Where it stands in the indexes it feeds.
};

std::size_t number_of(Index index) { return static_cast<std::size_t>(index); }

Entries entries_of(const Record& record) {
  Entries entries;
  for (const auto& entry : record.index) entries[number_of(entry.index)] = entry.values;
  return entries;
}

FieldView view(const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
  return std::get<std::int64_t>(value);
}

/// Read one value of a row's place: a field, or behind those the kind and the key.
FieldView place_value(const Slot& slot, Index index, std::size_t position) {
  const auto fields = slot.entries[number_of(index)];
  if (position < fields.size()) return view(fields[position]);
  return std::string_view(position == fields.size() ? slot.id->kind : slot.id->key);
}

bool IndexOrder::operator()(const Slot* a, const Slot* b) const {
  const auto left = a->entries[number_of(index)];
  const auto right = b->entries[number_of(index)];
  for (std::size_t i = 0; i < left.size(); ++i) {
    // Fields of one index have the same type; comparing by hand is a third of what the variants' own order costs.
    if (const auto* text = std::get_if<std::string>(&left[i])) {
      const int compared = text->compare(*std::get_if<std::string>(&right[i]));
      if (compared != 0) return compared < 0;
    } else if (const auto number = *std::get_if<std::int64_t>(&left[i]), other = *std::get_if<std::int64_t>(&right[i]);
               number != other) {
      return number < other;
    }
  }
  return *a->id < *b->id;
}

std::strong_ordering IndexOrder::order(const Slot& row, const Leading& leading) const {
  for (std::size_t i = 0; i < leading.values.size(); ++i) {
    const auto compared = storage::compare(place_value(row, index, i), leading.values[i]);
    if (compared != 0) return compared;
  }
  return std::strong_ordering::equal;
}

/// Not noexcept on purpose: libstdc++ then keeps the hash with the node, instead of hashing every node it walks past.
struct HashId {
  std::size_t operator()(const RecordId& id) const {
    const std::hash<std::string_view> hash;
    return hash(id.key) * 31 + hash(id.kind);
  }
};

std::vector<IndexValue> with_next(std::span<const IndexValue> prefix, const IndexValue& next) {
  std::vector<IndexValue> values(prefix.begin(), prefix.end());
  values.push_back(next);
  return values;
}

/// Find the rows of a selection, whatever the predicates say.
std::pair<Rows::const_iterator, Rows::const_iterator> find_range(const Rows& rows, const Selection& selection) {
  const std::vector<IndexValue> prefix(selection.prefix.begin(), selection.prefix.end());
  const auto low = selection.from ? with_next(prefix, *selection.from) : prefix;
  const auto first = rows.lower_bound(Leading{low});
  if (!selection.below) return {first, rows.upper_bound(Leading{prefix})};
  if (selection.from && !(*selection.from < *selection.below)) return {first, first};
  return {first, rows.lower_bound(Leading{with_next(prefix, *selection.below)})};
}

bool matches(const Slot& slot, const Selection& selection) {
  return std::all_of(selection.where.begin(), selection.where.end(), [&](const Predicate& predicate) {
    return storage::holds(predicate, place_value(slot, selection.index, predicate.field));
  });
}

Place place_of(const Record& record, Index index) {
  Place place;
  for (const auto& entry : record.index) {
    if (entry.index == index) place = entry.values;
  }
  place.emplace_back(record.id.kind);
  place.emplace_back(record.id.key);
  return place;
}

/// A change set whose records are built already, before anybody waits for the lock.
struct Prepared {
  Result<void> bounds;
  std::vector<std::shared_ptr<Record>> puts;
  std::vector<std::shared_ptr<Record>> appends;
};

std::vector<std::shared_ptr<Record>> build_records(std::span<const Put> puts) {
  std::vector<std::shared_ptr<Record>> records;
  records.reserve(puts.size());
  for (const auto& put : puts) records.push_back(std::make_shared<Record>(Record{put.id, 1, put.body, put.index}));
  return records;
}

Prepared prepare(const ChangeSet& changes) {
  auto bounds = check_bounds(changes);
  if (!bounds) return {std::move(bounds), {}, {}};
  return {{}, build_records(changes.puts), build_records(changes.appends)};
}

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
  State() {
    indexes_.reserve(index_count);
    for (const auto& schema : index_schemas()) indexes_.emplace_back(IndexOrder{schema.index});
  }

  std::vector<SharedRecord> get(std::span<const RecordId> ids) {
    std::vector<SharedRecord> found;
    found.reserve(ids.size());
    const std::lock_guard lock(mutex_);
    for (const auto& id : ids) {
      const auto slot = slots_.find(id);
      found.push_back(slot == slots_.end() ? nullptr : slot->second.record);
    }
    return found;
  }

  struct Page {
    std::vector<SharedRecord> rows;
    SharedRecord last;  ///< The last row examined, if there may be more behind it.
  };

  Page scan(const ScanRequest& request, const std::optional<Place>& after) {
    const Selection selection(request);
    const std::lock_guard lock(mutex_);
    const auto& rows = indexes_[number_of(request.index)];
    auto [first, last] = find_range(rows, selection);
    if (after && request.descending) last = rows.lower_bound(Leading{*after});
    if (after && !request.descending) first = rows.upper_bound(Leading{*after});

    Page page;
    std::uint32_t examined = 0;
    while (first != last) {
      const Slot& slot = request.descending ? **--last : **first++;
      if (matches(slot, selection)) page.rows.push_back(slot.record);
      if (page.rows.size() < request.limit_count && ++examined < request.examine_count) continue;
      if (first != last) page.last = slot.record;
      break;
    }
    return page;
  }

  std::uint64_t count(const CountRequest& request) {
    const Selection selection(request);
    const std::lock_guard lock(mutex_);
    const auto [first, last] = find_range(indexes_[number_of(request.index)], selection);
    std::uint64_t counted = 0;
    for (auto row = first; row != last && counted < request.limit_count; ++row) counted += matches(**row, selection);
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
  Result<CommitReceipt> apply(const ChangeSet& changes, Prepared& prepared, std::vector<SharedRecord>& replaced) {
    if (!prepared.bounds) return prepared.bounds.error();
    for (const auto& expectation : changes.expectations) {
      const auto found = version_of(expectation.id);
      if (found != expectation.version) return conflict(expectation.id, expectation.version, found);
    }
    for (const auto& append : changes.appends) {
      if (const auto found = version_of(append.id); found != 0) return conflict(append.id, 0, found);
    }
    CommitReceipt receipt;
    receipt.versions.reserve(changes.puts.size());
    for (auto& record : prepared.puts) receipt.versions.push_back(write(std::move(record), replaced));
    for (auto& record : prepared.appends) write(std::move(record), replaced);
    for (const auto& id : changes.erases) erase(id, replaced);
    return receipt;
  }

  std::uint64_t version_of(const RecordId& id) const {
    const auto found = slots_.find(id);
    return found == slots_.end() ? 0 : found->second.record->version;
  }

  std::uint64_t write(std::shared_ptr<Record> record, std::vector<SharedRecord>& replaced) {
    auto [found, is_new] = slots_.try_emplace(record->id);
    Slot& slot = found->second;
    if (!is_new) record->version = slot.record->version + 1;
    const auto version = record->version;
    const auto entries = entries_of(*record);

    std::array<bool, index_count> fed{};
    std::array<bool, index_count> changed{};
    for (std::size_t i = 0; i < index_count; ++i) {
      fed[i] = !slot.entries[i].empty();
      changed[i] = !std::ranges::equal(slot.entries[i], entries[i]);
      if (fed[i] && entries[i].empty()) indexes_[i].erase(slot.rows[i]);
    }
    if (!is_new) replaced.push_back(std::move(slot.record));
    slot.id = &found->first;
    slot.record = std::move(record);
    slot.entries = entries;
    for (std::size_t i = 0; i < index_count; ++i) {
      if (changed[i] && !entries[i].empty()) place(slot, i, fed[i]);
    }
    if (is_new) place(slot, number_of(Index::key), false);
    return version;
  }

  void place(Slot& slot, std::size_t index, bool is_there) {
    Rows& rows = indexes_[index];
    auto& row = slot.rows[index];
    if (is_there) {
      if (stands_right(rows, row)) return;
      rows.erase(row);
    }
    row = rows.insert(rows.end(), &slot);  // new times and numbers mostly come last
  }

  /// Most changes of an entry leave the row between its neighbours: a status, a holder behind a number.
  static bool stands_right(const Rows& rows, Rows::iterator row) {
    const auto less = rows.key_comp();
    const auto next = std::next(row);
    return (row == rows.begin() || less(*std::prev(row), *row)) && (next == rows.end() || less(*row, *next));
  }

  void erase(const RecordId& id, std::vector<SharedRecord>& replaced) {
    const auto found = slots_.find(id);
    if (found == slots_.end()) return;
    Slot& slot = found->second;
    for (std::size_t i = 0; i < index_count; ++i) {
      if (i == number_of(Index::key) || !slot.entries[i].empty()) indexes_[i].erase(slot.rows[i]);
    }
    replaced.push_back(std::move(slot.record));
    slots_.erase(found);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<RecordId, Slot, HashId> slots_;
  std::vector<Rows> indexes_;
  std::uint64_t sequence_ = 1;
  std::size_t waiting_ = 0;
};

MemoryStorage::MemoryStorage() : state_(std::make_unique<State>()) {}
MemoryStorage::~MemoryStorage() = default;

Result<std::vector<std::optional<Record>>> MemoryStorage::get(std::span<const RecordId> ids) {
  const auto found = state_->get(ids);
  std::vector<std::optional<Record>> records(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) records[i] = *found[i];
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
  for (const auto& record : found.rows) page.rows.push_back(*record);
  if (found.last) page.next = storage::write_cursor(request, place_of(*found.last, request.index));
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
