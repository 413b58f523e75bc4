// What holds however many rows there are. `StorageUnderTest::rows_count` says how many are tried.
//
// Work that must not grow with the table is counted by pages and rows, never by the clock.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

constexpr std::uint64_t set_size = 1'000;

std::string key_of(std::uint64_t row) { return fmt::format("row{:09}", row); }

/// The rows in an order that is as good as random, each once: the step has no factor in common with the count.
class Scattered {
 public:
  explicit Scattered(std::uint64_t count) : count_(count) {
    while (std::gcd(step_, count_) != 1) ++step_;
  }
  [[nodiscard]] std::uint64_t operator[](std::uint64_t nth) const { return nth * step_ % count_; }

 private:
  std::uint64_t count_;
  std::uint64_t step_ = 7'919;
};

Put row_put(std::uint64_t row, std::string body) {
  return {named(key_of(row)),
          std::move(body),
          {in_queue(row % 10 == 0 ? "agent" : "", static_cast<std::int64_t>(row % 3), static_cast<std::int64_t>(row)),
           in_due("hold", static_cast<std::int64_t>(row / 2), row % 2 == 0 ? "even" : "odd")}};
}

void fill(Trial& trial, std::uint64_t count) {
  const Scattered scattered(count);
  for (std::uint64_t begin = 0; begin < count; begin += set_size) {
    std::vector<Put> puts;
    for (auto i = begin; i < std::min(begin + set_size, count); ++i) {
      puts.push_back(row_put(scattered[i], std::to_string(scattered[i])));
    }
    trial.commit(putting(std::move(puts)));
  }
}

/// Read page after page, and compare each row with the next of `row_at(0)`, `row_at(1)`, …; the pages it took.
template <class RowAt>
std::uint64_t expect_rows(Trial& trial, ScanRequest request, std::uint64_t count, RowAt row_at) {
  std::uint64_t seen = 0;
  std::uint64_t pages = 0;
  do {
    const auto page = trial.scan(request);
    for (const auto& row : page.rows) {
      trial.that(fmt::format("row {} of a scan is the next one", seen),
                 seen < count && row.id.key == key_of(row_at(seen)));
      ++seen;
    }
    request.after = page.next;
  } while (!request.after.empty() && ++pages <= count);
  trial.equal("rows of a scan", seen, count);
  return pages;
}

Result<void> a_large_table_is_read_in_pages(const StorageUnderTest& tested) {
  const std::uint64_t count = tested.rows_count;
  Trial trial(tested);
  fill(trial, count);
  trial.equal("every row is counted",
              trial.count({.index = Index::key, .prefix = {"host.contract"}, .limit_count = count + 1}), count);
  const auto upwards = [](std::uint64_t nth) { return nth; };
  const auto downwards = [&](std::uint64_t nth) { return count - 1 - nth; };
  for (const auto& [index, prefix] : {std::pair(Index::key, "host.contract"), {Index::due, "hold"}}) {
    expect_rows(trial, {.index = index, .prefix = {prefix}, .limit_count = 1'000}, count, upwards);
    expect_rows(trial, {.index = index, .prefix = {prefix}, .descending = true, .limit_count = 10'000}, count,
                downwards);
    if (auto verdict = trial.verdict(); !verdict) return verdict;
  }
  const auto middle = static_cast<std::int64_t>(count / 4);
  trial.equal("a range in the middle",
              trial.keys({.index = Index::due, .prefix = {"hold"}, .from = middle, .below = middle + 1}),
              Keys{key_of(static_cast<std::uint64_t>(2 * middle)), key_of(static_cast<std::uint64_t>(2 * middle + 1))});
  for (const auto row : {std::uint64_t{0}, count / 2, count - 1}) {
    trial.equal("a record by its name", trial.get(named(key_of(row))).body, std::to_string(row));
  }
  return trial.verdict();
}

Result<void> bounds_hold_in_a_large_table(const StorageUnderTest& tested) {
  const std::uint64_t count = tested.rows_count;
  constexpr std::uint32_t examine_count = 50;
  Trial trial(tested);
  fill(trial, count);
  trial.equal("a count stops at its limit", trial.count({.index = Index::due, .prefix = {"hold"}, .limit_count = 7}),
              std::uint64_t{7});
  ScanRequest nowhere{.index = Index::due,
                      .prefix = {"hold"},
                      .where = {{2, Predicate::Op::equal, "neither"}},
                      .examine_count = examine_count};
  // A page that finds nothing in so few rows must say so, and where it stopped, instead of going on to the end.
  for (int pages = 0; pages < 2; ++pages) {
    const auto page = trial.scan(nowhere);
    trial.that("a page of rows that do not match is empty, and not the last", page.rows.empty() && !page.next.empty());
    nowhere.after = page.next;
  }
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  nowhere.where.clear();
  const auto behind = trial.keys(nowhere);
  trial.equal("which has looked at so many rows and no more", behind.empty() ? "" : behind.front(),
              key_of(std::uint64_t{2} * examine_count));
  const auto evens = expect_rows(trial,
                                 {.index = Index::due,
                                  .prefix = {"hold"},
                                  .where = {{2, Predicate::Op::equal, "even"}},
                                  .limit_count = 10'000,
                                  .examine_count = 1'000},
                                 (count + 1) / 2, [](std::uint64_t nth) { return 2 * nth; });
  trial.that("every page kept to its bound", evens >= (count - 1) / 1'000);
  return trial.verdict();
}

Result<void> a_large_table_changes_in_every_place(const StorageUnderTest& tested) {
  const std::uint64_t count = tested.rows_count;
  Trial trial(tested);
  fill(trial, count);
  ChangeSet changes = putting({});
  const auto flush = [&] {
    trial.commit(changes);
    changes = putting({});
  };
  for (std::uint64_t row = 0; row < count; ++row) {
    if (row % 3 == 0) changes.erases.push_back(named(key_of(row)));
    if (row % 3 == 1)
      changes.puts.push_back({named(key_of(row)), "moved", {in_due("run", static_cast<std::int64_t>(row), "s")}});
    if (changes.puts.size() + changes.erases.size() >= set_size) flush();
  }
  flush();
  const auto third = [&](std::uint64_t first) { return (count - first + 2) / 3; };
  expect_rows(trial, {.index = Index::due, .prefix = {"run"}, .limit_count = 10'000}, third(1),
              [](std::uint64_t nth) { return 3 * nth + 1; });
  expect_rows(trial, {.index = Index::due, .prefix = {"hold"}, .limit_count = 10'000}, third(2),
              [](std::uint64_t nth) { return 3 * nth + 2; });
  trial.equal("what moved out of an index is gone from it",
              trial.count({.index = Index::queue, .prefix = {}, .limit_count = count}), third(2));
  trial.equal("what is left", trial.count({.index = Index::key, .prefix = {}, .limit_count = count}),
              third(1) + third(2));
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> large_table_cases() {
  return {
      {"a large table is read in pages, each row once and in order", a_large_table_is_read_in_pages},
      {"the bounds of scans and counts hold in a large table", bounds_hold_in_a_large_table},
      {"a large table is changed in every place", a_large_table_changes_in_every_place},
  };
}

}  // namespace openindex::contract
