#include "adapters/postgres/scan.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "adapters/postgres/rows.hpp"
#include "storage/scan_cursor.hpp"

// These statements are not prepared: their limits stand in the text, so that each is planned for what it asks.
namespace openindex::postgres {
namespace {

using storage::Place;
using storage::Selection;

/// A text of SQL in the making, with its parameters.
struct Text {
  std::string sql = {};
  Parameters parameters = {};
  bool can_be_sent = true;

  /// Return the mark of one more parameter.
  std::string mark(const IndexValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    can_be_sent = can_be_sent && (text == nullptr || fits_text(*text));
    parameters.value(value);
    return std::string("$").append(std::to_string(parameters.count()));
  }
};

/// The columns of a row's place in an index, in order.
std::vector<std::string> place_columns(Index index) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < index_schema(index).fields.size(); ++i) columns.push_back(column_of(index, i));
  if (index != Index::key) columns.insert(columns.end(), {"kind", "key"});
  return columns;
}

std::string joined(std::span<const std::string> columns, std::string_view behind = "") {
  std::string list;
  for (const auto& column : columns) list += (list.empty() ? "" : ", ") + column + std::string(behind);
  return list;
}

void add_range(Text& text, const Selection& selection, const std::vector<std::string>& columns) {
  text.sql += " WHERE " + columns.front() + " IS NOT NULL";
  const std::size_t prefix = selection.prefix.size();
  for (std::size_t i = 0; i < prefix; ++i) text.sql += " AND " + columns[i] + " = " + text.mark(selection.prefix[i]);
  if (selection.from) text.sql += " AND " + columns[prefix] + " >= " + text.mark(*selection.from);
  if (selection.below) text.sql += " AND " + columns[prefix] + " < " + text.mark(*selection.below);
}

void add_cursor(Text& text, const Selection& selection, std::span<const std::string> columns, const Place& after,
                bool descending) {
  const std::size_t known = std::min(selection.prefix.size(), columns.size() - 1);
  std::string marks;
  for (std::size_t i = known; i < after.size(); ++i) marks += (marks.empty() ? "" : ", ") + text.mark(after[i]);
  text.sql += " AND (" + joined(columns.subspan(known)) + ") " + (descending ? "<" : ">") + " (" + marks + ")";
}

/// The server would refuse the statement, and with it a transaction of the host.
Error no_text() {
  return Error(errc::invalid_argument, "A scan asks for text that no field can hold: it is not UTF-8, or has a NUL.");
}

std::string_view spelled(Predicate::Op op) {
  switch (op) {
    case Predicate::Op::equal:
      return " = ";
    case Predicate::Op::not_equal:
      return " <> ";
    case Predicate::Op::less:
      return " < ";
    case Predicate::Op::less_equal:
      return " <= ";
    case Predicate::Op::greater:
      return " > ";
    case Predicate::Op::greater_equal:
      return " >= ";
    case Predicate::Op::has_bits:
      break;
  }
  return " = ";
}

std::string predicates(Text& text, const Selection& selection) {
  std::string all;
  for (const auto& predicate : selection.where) {
    const std::string column = column_of(selection.index, predicate.field);
    const std::string value = text.mark(predicate.value);
    if (!all.empty()) all += " AND ";
    if (predicate.op == Predicate::Op::has_bits) {
      all += "(" + column + " & " + value + ") = " + value;
    } else {
      all += column + std::string(spelled(predicate.op)) + value;
    }
  }
  return all;
}

/// Number the rows in the order of the walk, and say which match. What comes back are those that match, and those where
/// the bound on examined rows is reached: the last one that may be looked at, and the one behind it.
Text scan_text(const std::string& table, const ScanRequest& request, const std::optional<Place>& after) {
  const Selection selection(request);
  const auto columns = place_columns(request.index);
  // Fields that the prefix fixes are left out: the planner would not see everywhere that they are all the same.
  const auto rest = std::span(columns).subspan(std::min(request.prefix.size(), columns.size() - 1));
  const auto order = " ORDER BY " + joined(rest, request.descending ? " DESC" : "");
  const std::uint64_t examined = request.examine_count;
  const std::uint64_t page = std::uint64_t{request.limit_count} + 1;
  Text text;
  const bool filters = !selection.where.empty();
  text.sql = "SELECT " + record_columns();
  if (filters) {
    const auto condition = predicates(text, selection);
    text.sql += ", matches, n FROM (SELECT " + record_columns() + ", (" + condition +
                ") AS matches, row_number() OVER (" + order.substr(1) + ") AS n";
  }
  text.sql += " FROM " + table;
  add_range(text, selection, columns);
  if (after) add_cursor(text, selection, columns, *after, request.descending);
  text.sql += order + " LIMIT " + std::to_string(filters ? examined + 1 : std::min(page, examined + 1));
  if (filters) {
    text.sql += ") s WHERE matches OR n >= " + std::to_string(examined) + order + " LIMIT " + std::to_string(page);
  }
  return text;
}

Place place_of(const Record& record, Index index) {
  Place place;
  for (const auto& entry : record.index) {
    if (entry.index == index) place = entry.values;
  }
  place.insert(place.end(), {record.id.kind, record.id.key});
  return place;
}

/// Without figures about a table that has just grown the planner would rather sort all of it.
Result<Rows> run_walk(Connection& connection, const Statements& statements, const Text& text, Transaction transaction) {
  const Statement statement{text.sql, {}, {}};
  if (transaction == Transaction::of_the_host || statements.plan_settings.sql.empty()) {
    return connection.query({&statement, text.parameters});
  }
  const Statement begin{"BEGIN READ ONLY", {}, {}};
  const Statement commit{"COMMIT", {}, {}};
  const std::array commands = {Command{&begin, {}}, Command{&statements.plan_settings, {}},
                               Command{&statement, text.parameters}, Command{&commit, {}}};
  auto reply = connection.run(commands);
  if (reply.error) return *reply.error;
  return std::move(reply.rows[2]);
}

}  // namespace

Result<ScanPage> scan(Connection& connection, const Statements& statements, const ScanRequest& request,
                      Transaction transaction) {
  const auto after = storage::read_cursor(request);
  if (!after) return after.error();
  const auto text = scan_text(statements.table, request, *after);
  if (!text.can_be_sent) return no_text();
  const auto rows = run_walk(connection, statements, text, transaction);
  if (!rows) return rows.error();

  const bool filters = !request.where.empty();
  const int matches_column = record_column_count();
  ScanPage page;
  std::string next;
  for (int row = 0; row < rows->count(); ++row) {
    if (!next.empty()) {  // there is a row behind the last one of this page
      page.next = std::move(next);
      break;
    }
    const auto number = filters ? rows->integer(row, matches_column + 1) : row + 1;
    auto record = record_of(*rows, row);
    const auto place = place_of(record, request.index);
    if (!filters || rows->boolean(row, matches_column)) page.rows.push_back(std::move(record));
    if (page.rows.size() == request.limit_count || number == request.examine_count) {
      next = storage::write_cursor(request, place);
    }
  }
  return page;
}

Result<std::uint64_t> count(Connection& connection, const Statements& statements, const CountRequest& request) {
  const Selection selection(request);
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  Text text;
  const auto condition = predicates(text, selection);
  text.sql = "SELECT count(*) FROM (SELECT 1 FROM " + statements.table;
  add_range(text, selection, place_columns(request.index));
  if (!condition.empty()) text.sql += " AND " + condition;
  text.sql += " LIMIT " + std::to_string(std::min(request.limit_count, largest)) + ") s";
  if (!text.can_be_sent) return no_text();
  const Statement statement{text.sql};
  const auto rows = connection.query({&statement, text.parameters});
  if (!rows) return rows.error();
  return static_cast<std::uint64_t>(rows->integer(0, 0));
}

}  // namespace openindex::postgres
