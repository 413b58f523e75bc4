#include <openindex/storage/scan_range.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "storage/scan_cursor.hpp"

namespace openindex {
inline namespace v0 {
namespace {

IndexPlace place_of(std::span<const IndexValue> values, const RecordId& id) {
  IndexPlace place(values.begin(), values.end());
  place.emplace_back(id.kind);
  place.emplace_back(id.key);
  return place;
}

IndexPlace with_next(std::span<const IndexValue> prefix, const std::optional<IndexValue>& next) {
  IndexPlace values(prefix.begin(), prefix.end());
  if (next) values.push_back(*next);
  return values;
}

/// Return the first place behind all that begin with these values; none when nothing can be behind them.
std::optional<IndexPlace> behind(std::span<const IndexValue> prefix) {
  for (IndexPlace place(prefix.begin(), prefix.end()); !place.empty(); place.pop_back()) {
    if (auto* text = std::get_if<std::string>(&place.back())) {
      text->push_back('\0');  // no text lies between one and the same with a NUL behind it
      return place;
    }
    auto& number = std::get<std::int64_t>(place.back());
    if (number == std::numeric_limits<std::int64_t>::max()) continue;
    ++number;
    return place;
  }
  return std::nullopt;
}

IndexRange range_of(const storage::Selection& selection) {
  IndexRange range{with_next(selection.prefix, selection.from), behind(selection.prefix)};
  if (selection.below) range.last = with_next(selection.prefix, selection.below);
  if (range.last && *range.last < range.first) range.last = range.first;
  return range;
}

storage::FieldView view(const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
  return std::get<std::int64_t>(value);
}

}  // namespace

std::vector<std::pair<Index, IndexPlace>> index_places(const RecordId& id, std::span<const IndexEntry> entries) {
  std::vector<std::pair<Index, IndexPlace>> places;
  places.reserve(entries.size() + 1);
  places.emplace_back(Index::key, place_of({}, id));
  for (const auto& entry : entries) places.emplace_back(entry.index, place_of(entry.values, id));
  return places;
}

Result<IndexRange> scan_range(const ScanRequest& request) {
  if (auto checked = storage::check_scan(request); !checked) return checked.error();
  auto after = storage::read_cursor(request);
  if (!after) return after.error();
  auto range = range_of(storage::Selection(request));
  if (*after && request.descending) range.last = std::move(**after);
  if (*after && !request.descending) {
    range.first = std::move(**after);
    range.first.emplace_back(0);  // longer than any place: behind this one, and before all others
  }
  return range;
}

Result<IndexRange> scan_range(const CountRequest& request) {
  const storage::Selection selection(request);
  if (auto checked = storage::check_selection(selection); !checked) return checked.error();
  return range_of(selection);
}

bool matches(std::span<const Predicate> where, const IndexPlace& place) {
  return std::all_of(where.begin(), where.end(), [&](const Predicate& predicate) {
    return storage::holds(predicate, view(place[predicate.field]));
  });
}

}  // namespace v0
}  // namespace openindex
