// What every backend of ours does alike about a scan: refuse requests that do not fit, evaluate predicates, and write
// and read the cursor between two pages. What a backend of somebody else's needs of it is public: scan_range.hpp.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <openindex/storage/scan_range.hpp>
#include <openindex/storage/storage.hpp>

namespace openindex::storage {

/// The part that scans and counts share: which rows are meant. Refers to the request it was made from.
struct Selection {
  explicit Selection(const ScanRequest& request);
  explicit Selection(const CountRequest& request);

  Index index;
  std::span<const IndexValue> prefix;
  const std::optional<IndexValue>& from;
  const std::optional<IndexValue>& below;
  std::span<const Predicate> where;
};

using Place = IndexPlace;

/// A field of a stored row, not copied.
using FieldView = std::variant<std::int64_t, std::string_view>;

/// Return the types of a place's values.
std::vector<IndexType> place_types(Index index);

/// Refuse what the index cannot answer. @par Errors invalid_argument
Result<void> check_selection(const Selection& selection);

/// Refuse what `check_selection` refuses, and limits out of range. @par Errors invalid_argument
Result<void> check_scan(const ScanRequest& request);

/// Order a field's value against a request's, which has the same type: numbers by size, text byte by byte.
std::strong_ordering compare(const FieldView& found, const IndexValue& value);

/// Tell whether a field's value satisfies a predicate; their types are the same, as `check_selection` saw to.
bool holds(const Predicate& predicate, const FieldView& found);

using openindex::write_cursor;

/// Read `request.after`; nullopt when it is empty. @par Errors invalid_argument
Result<std::optional<Place>> read_cursor(const ScanRequest& request);

}  // namespace openindex::storage
