#include "adapters/sqlite/scan.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "adapters/sqlite/rows.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex::sqlite {
namespace {

using storage::Place;
using storage::Selection;

std::string joined(std::span<const std::string> columns, std::string_view behind = "") {
  std::string list;
  for (const auto& column : columns) list += (list.empty() ? "" : ", ") + column + std::string(behind);
  return list;
}

/// Where a walk begins and which way it goes.
struct Course {
  const std::optional<Place>& after;
  bool descending = false;

  // Behind a cursor, which lies inside the range, the bound where the walk came from holds by itself; naming it, too,
  // would tempt the planner to start there again.
  [[nodiscard]] bool needs_from() const { return !after || descending; }
  [[nodiscard]] bool needs_below() const { return !after || !descending; }
};

const std::optional<Place> from_the_start;

/// Write FROM and WHERE. The index is named: the planner must not find another order cheaper. NOT NULL lets it use an
/// index that holds only the records with an entry.
std::string range_text(const Selection& selection, const Course& course) {
  const auto columns = place_columns(selection.index);
  std::string text = " FROM main.records INDEXED BY records_" + std::string(index_schema(selection.index).name) +
                     " WHERE " + columns.front() + " IS NOT NULL";
  const std::size_t prefix = selection.prefix.size();
  for (std::size_t i = 0; i < prefix; ++i) text += " AND " + columns[i] + " = ?";
  if (selection.from && course.needs_from()) text += " AND " + columns[prefix] + " >= ?";
  if (selection.below && course.needs_below()) text += " AND " + columns[prefix] + " < ?";
  if (!course.after) return text;
  const auto rest = std::span(columns).subspan(std::min(prefix, columns.size() - 1));
  std::string marks = "?";
  for (std::size_t i = 1; i < rest.size(); ++i) marks += ", ?";
  return text + " AND (" + joined(rest) + ") " + (course.descending ? "<" : ">") + " (" + marks + ")";
}

void bind_range(Query& query, const Selection& selection, const Course& course) {
  for (const auto& value : selection.prefix) query.bind_value(value);
  if (selection.from && course.needs_from()) query.bind_value(*selection.from);
  if (selection.below && course.needs_below()) query.bind_value(*selection.below);
  if (!course.after) return;
  const auto place = std::span(*course.after);
  for (const auto& value : place.subspan(std::min(selection.prefix.size(), place.size() - 1))) query.bind_value(value);
}

/// The columns are the row's number and then its place.
constexpr int place_column = 1;

bool matches(const Query& row, const Selection& selection) {
  const auto fields = index_schema(selection.index).fields;
  return std::all_of(selection.where.begin(), selection.where.end(), [&](const Predicate& predicate) {
    const int column = place_column + static_cast<int>(predicate.field);
    return storage::holds(predicate, row.field(column, fields[predicate.field].type));
  });
}

Place place_of(const Query& row, Index index) {
  Place place;
  int column = place_column;
  for (const auto type : storage::place_types(index)) {
    if (type == IndexType::text) {
      place.emplace_back(std::string(row.text(column++)));
    } else {
      place.emplace_back(row.integer(column++));
    }
  }
  return place;
}

std::string walk_text(const Selection& selection, const Course& course) {
  const auto columns = place_columns(selection.index);
  return "SELECT id, " + joined(columns) + range_text(selection, course) + " ORDER BY " +
         joined(columns, course.descending ? " DESC" : "");
}

Result<std::uint64_t> count_all(Connection& connection, const Selection& selection, std::uint64_t limit) {
  const auto statement = connection.prepare("SELECT count(*) FROM (SELECT 1" +
                                            range_text(selection, Course{from_the_start}) + " LIMIT ?)");
  if (!statement) return statement.error();
  Query query(**statement);
  bind_range(query, selection, Course{from_the_start});
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  const auto row = query.bind(static_cast<std::int64_t>(std::min(limit, largest))).next();
  if (!row) return row.error();
  return static_cast<std::uint64_t>(query.integer(0));
}

}  // namespace

// The walk reads nothing but the index; a matching row is looked up by its number while the walk holds the snapshot
// open.
Result<ScanPage> scan(Connection& connection, const ScanRequest& request) {
  const auto after = storage::read_cursor(request);
  if (!after) return after.error();
  const Selection selection(request);
  const Course course{*after, request.descending};
  const auto statement = connection.prepare(walk_text(selection, course));
  if (!statement) return statement.error();
  Query row(**statement);
  bind_range(row, selection, course);

  ScanPage page;
  std::string next;
  for (std::uint32_t examined = 0;;) {
    const auto found = row.next();
    if (!found) return found.error();
    if (!*found) return page;
    if (!next.empty()) break;  // there is a row behind the last one of this page
    if (matches(row, selection)) {
      auto record = read_row(connection, row.integer(0));
      if (!record) return record.error();
      if (!*record) return Error(errc::storage_corrupt, "An index names a row that does not exist.");
      page.rows.push_back(std::move(**record));
    }
    if (page.rows.size() == request.limit_count || ++examined == request.examine_count) {
      next = storage::write_cursor(request, place_of(row, request.index));
    }
  }
  page.next = std::move(next);
  return page;
}

Result<std::uint64_t> count(Connection& connection, const CountRequest& request) {
  const Selection selection(request);
  if (selection.where.empty()) return count_all(connection, selection, request.limit_count);
  const auto statement = connection.prepare(walk_text(selection, Course{from_the_start}));
  if (!statement) return statement.error();
  Query row(**statement);
  bind_range(row, selection, Course{from_the_start});
  std::uint64_t counted = 0;
  while (counted < request.limit_count) {
    const auto found = row.next();
    if (!found) return found.error();
    if (!*found) break;
    if (matches(row, selection)) ++counted;
  }
  return counted;
}

}  // namespace openindex::sqlite
