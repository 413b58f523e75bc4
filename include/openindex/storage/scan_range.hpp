// What every backend does alike about a scan: where records stand in the indexes, which places a request means, and
// the cursor between two pages.
//
// For implementers of `Storage`; nobody has to use it. Places compare in index order, so that an ordered map from
// places to records is an index, and a page is a walk over it:
//
//   const auto range = scan_range(request);                  // refuses what does not fit, goes on behind the cursor
//   auto first = rows.lower_bound(range->first);
//   auto last = range->last ? rows.lower_bound(*range->last) : rows.end();
//
// `examples/custom_storage` is a whole backend made with it. Thread safety: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <openindex/core/result.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {

/// Where a row stands in an index: the values of its entry, then its kind and key; in `Index::key` only those two.
/// Places of one index compare in its order: numbers by size, text byte by byte.
using IndexPlace = std::vector<IndexValue>;

/// Return where a record stands: its place in `Index::key`, then one for each of its entries.
OPENINDEX_API std::vector<std::pair<Index, IndexPlace>> index_places(const RecordId& id,
                                                                     std::span<const IndexEntry> entries);

/// The places from `first` on that are before `last`. `first` is never behind `last`; equal ones are an empty range.
struct IndexRange {
  IndexPlace first = {};                ///< May be shorter than a place, or longer: it only has to compare.
  std::optional<IndexPlace> last = {};  ///< Not in the range itself; nullopt: up to the end of the index.
};

/// Return which places a page may have, behind its cursor and whatever its predicates say.
/// @par Errors invalid_argument: everything that `Storage::scan` refuses (types, limits, a cursor that is none)
OPENINDEX_API Result<IndexRange> scan_range(const ScanRequest& request);

/// Return which places may be counted. @par Errors invalid_argument: as for scans
OPENINDEX_API Result<IndexRange> scan_range(const CountRequest& request);

/// Tell whether a row satisfies all predicates of a request that `scan_range` did not refuse.
OPENINDEX_API bool matches(std::span<const Predicate> where, const IndexPlace& place);

/// Return the cursor that continues a request behind a place: `ScanPage::next`. It holds the place and nothing else, so
/// that it outlives the row, the process and the machine.
OPENINDEX_API std::string write_cursor(const ScanRequest& request, const IndexPlace& place);

}  // namespace v0
}  // namespace openindex
