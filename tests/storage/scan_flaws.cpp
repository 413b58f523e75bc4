// Flaws of scans and counts: order, ranges, predicates, bounds, and what is lost between two pages.
#include <algorithm>
#include <cctype>
#include <limits>
#include <string>

#include "storage/flawed_storage.hpp"

namespace openindex {
namespace {

/// Change what is asked for before it is looked up.
std::function<Result<ScanPage>(Storage&, ScanRequest)> asking(std::function<void(ScanRequest&)> change) {
  return [change = std::move(change)](Storage& memory, ScanRequest request) {
    change(request);
    return memory.scan(request);
  };
}

Flaw pages_are_not_ordered() {
  return {
      .name = "a page has its rows in no order",
      .broken = {"the queue can be scanned by prefix, range and predicate",
                 "due times can be scanned by prefix and range", "items can be scanned by prefix, range and predicate",
                 "every record is found by kind and key", "equal entries are ordered by kind and key",
                 "text is ordered byte by byte", "a large table is read in pages, each row once and in order"},
      .page = [](ScanPage& page) { std::reverse(page.rows.begin(), page.rows.end()); }};
}

Flaw numbers_are_compared_as_text() {
  const auto text_of = [](const Record& row) {
    std::string text;
    for (const auto& entry : row.index) {
      for (const auto& value : entry.values) {
        const auto* number = std::get_if<std::int64_t>(&value);
        text += (number != nullptr ? std::to_string(*number) : std::get<std::string>(value)) + "\1";
      }
    }
    return text;
  };
  return {.name = "numbers are compared as text",
          .broken = {"integers are ordered by size", "every field of every index orders it, bounds it and filters it"},
          .page = [=](ScanPage& page) {
            std::stable_sort(page.rows.begin(), page.rows.end(),
                             [&](const Record& a, const Record& b) { return text_of(a) < text_of(b); });
          }};
}

Flaw text_is_compared_without_case() {
  const auto less = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) < std::tolower(static_cast<unsigned char>(b));
  };
  return {.name = "text is ordered as in a dictionary",
          .broken = {"text is ordered byte by byte", "keys and index text may be any plain text"},
          .page = [=](ScanPage& page) {
            std::stable_sort(page.rows.begin(), page.rows.end(), [&](const Record& a, const Record& b) {
              return std::lexicographical_compare(a.id.key.begin(), a.id.key.end(), b.id.key.begin(), b.id.key.end(),
                                                  less);
            });
          }};
}

Flaw the_last_field_is_not_indexed() {
  return {.name = "the last value of a long prefix is ignored",
          .broken = {"every field of every index orders it, bounds it and filters it"},
          .scan = asking([](ScanRequest& request) {
            if (request.prefix.size() >= 3 && !request.from && !request.below) request.prefix.pop_back();
          })};
}

Flaw ranges_have_no_beginning() {
  return {.name = "the beginning of a range is ignored",
          .broken = {"due times can be scanned by prefix and range", "pages keep to their range"},
          .scan = asking([](ScanRequest& request) {
            if (request.after.empty()) request.from.reset();
          })};
}

Flaw predicates_are_ignored() {
  return {.name = "predicates are ignored",
          .broken = {"predicates compare numbers and text", "the bounds of scans and counts hold in a large table",
                     "items can be scanned by prefix, range and predicate"},
          .scan = asking([](ScanRequest& request) { request.where.clear(); })};
}

Flaw counts_ignore_predicates() {
  return {.name = "counts ignore predicates",
          .broken = {"counts agree with scans and stop at their limit"},
          .count = [](Storage& memory, CountRequest request) {
            request.where.clear();
            return memory.count(request);
          }};
}

Flaw counts_have_no_limit() {
  return {.name = "counts do not stop",
          .broken = {"counts agree with scans and stop at their limit",
                     "the bounds of scans and counts hold in a large table"},
          .count = [](Storage& memory, CountRequest request) {
            request.limit_count = std::numeric_limits<std::uint64_t>::max();
            return memory.count(request);
          }};
}

Flaw what_does_not_fit_is_answered() {
  return {.name = "a request that does not fit finds nothing",
          .broken = {"requests that do not fit the index are refused", "cursors of another scan are refused"},
          .scan = [](Storage& memory, ScanRequest request) {
            auto page = memory.scan(request);
            if (!page && page.error().code() == errc::invalid_argument) page = ScanPage{};
            return page;
          }};
}

Flaw a_record_feeds_one_index() {
  return {.name = "a record feeds one index only",
          .broken = {"a record may feed every index at once"},
          .set = [](Storage&, ChangeSet& set) {
            for (auto& put : set.puts) put.index.resize(std::min<std::size_t>(put.index.size(), 1));
          }};
}

Flaw the_largest_number_is_out_of_reach() {
  return {.name = "nothing is found behind the largest number",
          .broken = {"prefixes and ranges may be the largest values there are"},
          .scan = [](Storage& memory, ScanRequest request) -> Result<ScanPage> {
            const IndexValue largest = std::numeric_limits<std::int64_t>::max();
            if (std::count(request.prefix.begin(), request.prefix.end(), largest) > 0) return ScanPage{};
            return memory.scan(request);
          }};
}

Flaw a_row_is_skipped_between_pages() {
  return {.name = "the first row of a later page is skipped",
          .broken = {"pages join into the whole, in both directions", "pages keep to their range",
                     "rows that stay appear exactly once while others change",
                     "pages read while six threads write have every row that stays once, in order",
                     "a large table is read in pages, each row once and in order"},
          .scan = [](Storage& memory, ScanRequest request) {
            auto page = memory.scan(request);
            if (page && !request.after.empty() && !page->rows.empty()) page->rows.erase(page->rows.begin());
            return page;
          }};
}

Flaw later_pages_forget_the_range() {
  return {.name = "a later page forgets where the range ends",
          .broken = {"pages keep to their range"},
          .scan = asking([](ScanRequest& request) {
            if (!request.after.empty()) request.from.reset(), request.below.reset();
          })};
}

Flaw short_pages_are_the_last() {
  return {.name = "a page that is short is taken for the last",
          .broken = {"the bound on examined rows makes pages short and loses nothing",
                     "the bounds of scans and counts hold in a large table"},
          .scan = [](Storage& memory, ScanRequest request) {
            auto page = memory.scan(request);
            if (page && page->rows.size() < request.limit_count) page->next.clear();
            return page;
          }};
}

Flaw examined_rows_have_no_bound() {
  return {.name = "the bound on examined rows is ignored",
          .broken = {"the bound on examined rows makes pages short and loses nothing",
                     "the bounds of scans and counts hold in a large table"},
          .scan = asking(
              [](ScanRequest& request) { request.examine_count = std::max(request.examine_count, 1'000'000U); })};
}

/// The classic mistake: the cursor is how many rows there were before.
Flaw pages_are_counted_off() {
  return {.name = "pages are counted off from the first row",
          .broken = {"a cursor outlives the row it stands on", "rows that stay appear exactly once while others change",
                     "cursors of another scan are refused"},
          .scan = [](Storage& memory, ScanRequest request) -> Result<ScanPage> {
            const auto offset = request.after.empty() ? 0 : std::strtoul(request.after.c_str(), nullptr, 10);
            const auto limit = request.limit_count;
            request.after.clear();
            request.limit_count = 10'000;
            auto page = memory.scan(request);
            if (!page) return page;
            const auto count = page->rows.size();
            ScanPage part;
            for (auto row = offset; row < std::min<std::size_t>(offset + limit, count); ++row) {
              part.rows.push_back(page->rows[row]);
            }
            if (offset + limit < count) part.next = std::to_string(offset + limit);
            return part;
          }};
}

}  // namespace

std::vector<MakeFlaw> scan_flaws() {
  return {pages_are_not_ordered,
          numbers_are_compared_as_text,
          text_is_compared_without_case,
          the_last_field_is_not_indexed,
          ranges_have_no_beginning,
          predicates_are_ignored,
          counts_ignore_predicates,
          counts_have_no_limit,
          what_does_not_fit_is_answered,
          a_record_feeds_one_index,
          the_largest_number_is_out_of_reach,
          a_row_is_skipped_between_pages,
          later_pages_forget_the_range,
          short_pages_are_the_last,
          examined_rows_have_no_bound,
          pages_are_counted_off};
}

}  // namespace openindex
