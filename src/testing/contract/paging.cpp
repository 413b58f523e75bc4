// What holds from page to page: every row once, whatever happens meanwhile, and no cursor of another scan.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

constexpr int rows_count = 50;

std::string key_of(int row) { return fmt::format("row{:03}", row); }

/// Fill the due index with fifty rows, three to a time, every fifth one of subject `rare`.
void fill(Trial& trial) {
  std::vector<Put> puts;
  for (int i = 0; i < rows_count; ++i) {
    puts.push_back({named(key_of(i)), "{}", {in_due("hold", i / 3, i % 5 == 0 ? "rare" : "usual")}});
  }
  trial.commit(putting(std::move(puts)));
}

Keys sorted(Keys keys) {
  std::sort(keys.begin(), keys.end());
  return keys;
}

Keys every_key(int step = 1) {
  Keys keys;
  for (int i = 0; i < rows_count; i += step) keys.push_back(key_of(i));
  return keys;
}

Result<void> pages_join_into_the_whole(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill(trial);
  for (const bool descending : {false, true}) {
    for (const std::vector<IndexValue>& prefix : {std::vector<IndexValue>{}, {"hold"}}) {
      ScanRequest request{.index = Index::due, .prefix = prefix, .descending = descending};
      const auto whole = trial.keys(request);
      trial.equal("one page has every row", sorted(whole), every_key());
      for (const std::uint32_t limit : {1U, 2U, 7U, 49U, 50U}) {
        request.limit_count = limit;
        trial.equal("pages in order", trial.all_keys(request), whole);
      }
    }
  }
  ScanRequest exact{.index = Index::due, .prefix = {"hold"}, .limit_count = rows_count};
  trial.that("a page that ends with the last row is the last", trial.scan(exact).next.empty());
  return trial.verdict();
}

Result<void> pages_keep_to_their_range(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill(trial);
  for (const bool descending : {false, true}) {
    ScanRequest request{
        .index = Index::due, .prefix = {"hold"}, .from = 3, .below = 6, .descending = descending, .limit_count = 2};
    trial.equal("a range in pages", sorted(trial.all_keys(request)),
                Keys{"row009", "row010", "row011", "row012", "row013", "row014", "row015", "row016", "row017"});
    request = {.index = Index::key,
               .prefix = {"host.contract"},
               .from = "row04",
               .below = "row045",
               .descending = descending,
               .limit_count = 2};
    trial.equal("a range of keys in pages", sorted(trial.all_keys(request)),
                Keys{"row040", "row041", "row042", "row043", "row044"});
  }
  return trial.verdict();
}

Result<void> the_bound_on_examined_rows_loses_nothing(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill(trial);
  for (const bool descending : {false, true}) {
    const ScanRequest request{.index = Index::due,
                              .prefix = {"hold"},
                              .where = {{2, Predicate::Op::equal, "rare"}},
                              .descending = descending,
                              .examine_count = 4};
    trial.that("a page is short", trial.scan(request).rows.size() < 10);
    trial.that("a short page says how to go on", !trial.scan(request).next.empty());
    trial.equal("the pages have every row", sorted(trial.all_keys(request)), every_key(5));
    trial.that("no page looked at more than it may", trial.page_count >= rows_count / 4);
  }
  return trial.verdict();
}

/// Between two pages: rows appear on both sides of the cursor, rows that were seen vanish or move, others are
/// rewritten.
void disturb(Trial& trial, int turn, const Keys& seen) {
  trial.put(fmt::format("first{:03}", turn), "{}", {in_due("hold", -1, "new")});
  trial.put(fmt::format("last{:03}", turn), "{}", {in_due("hold", 1000 + turn, "new")});
  trial.put(key_of(turn), "rewritten", {in_due("hold", turn / 3, turn % 5 == 0 ? "rare" : "usual")});
  if (turn % 2 == 0 && !seen.empty()) trial.erase(seen.back());
}

Result<void> rows_that_stay_appear_exactly_once(const StorageUnderTest& tested) {
  for (const bool descending : {false, true}) {
    Trial trial(tested);
    fill(trial);
    ScanRequest request{.index = Index::due, .prefix = {"hold"}, .descending = descending, .limit_count = 7};
    Keys seen;
    int turn = 0;
    do {
      auto page = trial.scan(request);
      for (const auto& row : page.rows) {
        if (row.id.key.starts_with("row")) seen.push_back(row.id.key);
      }
      request.after = page.next;
      disturb(trial, turn, seen);
    } while (!request.after.empty() && ++turn < 1000);
    trial.equal("every row that stayed, and none twice", sorted(seen), every_key());
    if (auto verdict = trial.verdict(); !verdict) return verdict;
  }
  return {};
}

Result<void> a_cursor_outlives_its_row(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill(trial);
  ScanRequest request{.index = Index::key, .prefix = {"host.contract"}, .limit_count = 10};
  request.after = trial.scan(request).next;
  trial.erase("row009");
  trial.erase("row010");
  const auto keys = trial.keys(request);
  trial.equal("the scan goes on behind the row that was erased", keys.empty() ? "" : keys.front(),
              std::string("row011"));
  return trial.verdict();
}

Result<void> cursors_of_another_scan_are_refused(const StorageUnderTest& tested) {
  Trial trial(tested);
  fill(trial);
  ScanRequest request{.index = Index::due, .prefix = {"hold"}, .from = 0, .below = 100, .limit_count = 20};
  const auto cursor = trial.scan(request).next;
  trial.that("there is a cursor", !cursor.empty());

  const auto refuse = [&](std::string_view fact, auto change) {
    ScanRequest other = request;
    other.after = cursor;
    change(other);
    trial.refuse_scan(fact, other);
  };
  refuse("text that is no cursor", [](ScanRequest& other) { other.after = "no cursor"; });
  refuse("a cursor cut short", [](ScanRequest& other) { other.after.resize(other.after.size() - 2); });
  refuse("a cursor with something behind it", [](ScanRequest& other) { other.after += "00"; });
  refuse("one character of a cursor", [](ScanRequest& other) { other.after.resize(1); });
  refuse("another prefix", [](ScanRequest& other) { other.prefix = {"run"}; });
  refuse("a range that ends before", [](ScanRequest& other) { other.below = 1; });
  refuse("a range that begins behind", [](ScanRequest& other) { other.from = 99; });
  refuse("the other direction", [](ScanRequest& other) { other.descending = true; });
  refuse("another index",
         [](ScanRequest& other) { other = {.index = Index::key, .prefix = {}, .after = other.after}; });
  request.after = cursor;
  trial.equal("the cursor itself is good", trial.keys(request).size(), std::size_t{20});
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> paging_cases() {
  return {
      {"pages join into the whole, in both directions", pages_join_into_the_whole},
      {"pages keep to their range", pages_keep_to_their_range},
      {"the bound on examined rows makes pages short and loses nothing", the_bound_on_examined_rows_loses_nothing},
      {"rows that stay appear exactly once while others change", rows_that_stay_appear_exactly_once},
      {"a cursor outlives the row it stands on", a_cursor_outlives_its_row},
      {"cursors of another scan are refused", cursors_of_another_scan_are_refused},
  };
}

}  // namespace openindex::contract
