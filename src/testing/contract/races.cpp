// What eight threads at once may not break: who comes first, what a page shows, who is woken.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

Result<void> one_of_many_appends_lands(const StorageUnderTest& tested) {
  constexpr int rounds = 25;
  Trial trial(tested);
  std::array<std::atomic<int>, rounds> winners{};
  std::array<std::atomic<int>, rounds> landed{};
  std::atomic<int> other_errors = 0;
  run_in_threads(threads_count, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      ChangeSet changes = putting({{named(fmt::format("of {}/{}", round, thread)), "{}", {}}});
      changes.appends = {{named(fmt::format("once {}", round)), std::to_string(thread), {}}};
      const auto results = trial.storage().commit({&changes, 1});
      const auto at = static_cast<std::size_t>(round);
      if (results.front()) {
        ++landed[at];
        winners[at] = thread;
      } else if (results.front().error().code() != errc::conflict) {
        ++other_errors;
      }
    }
  });
  trial.equal("errors other than conflicts", other_errors.load(), 0);
  for (int round = 0; round < rounds; ++round) {
    const auto at = static_cast<std::size_t>(round);
    trial.equal("appends of one name that landed", landed[at].load(), 1);
    trial.equal("the append that was acknowledged", trial.get(named(fmt::format("once {}", round))).body,
                std::to_string(winners[at].load()));
  }
  trial.equal("puts of sets that were refused", trial.count({.index = Index::key, .prefix = {"host.contract"}}),
              std::uint64_t{2 * rounds});
  return trial.verdict();
}

/// Move one from an account to another, in one call with a set of its own for a tally; how many sets landed.
std::pair<bool, bool> transfer_and_tally(Storage& storage, const RecordId& from, const RecordId& to,
                                         const RecordId& tally) {
  const std::array ids = {from, to, tally};
  const auto found = storage.get(ids);
  if (!found || !(*found)[0] || !(*found)[1] || !(*found)[2]) return {false, false};
  const auto changed = [&](std::size_t which, int by) {
    const auto& record = *(*found)[which];
    return std::pair(Put{record.id, std::to_string(std::stoi(record.body) + by), {}},
                     Expectation{record.id, record.version});
  };
  std::array<ChangeSet, 2> sets = {putting({}), putting({})};
  for (const auto& [set, which, by] : {std::tuple(0U, 0U, -1), {0U, 1U, 1}, {1U, 2U, 1}}) {
    auto [put, expectation] = changed(which, by);
    sets[set].puts.push_back(std::move(put));
    sets[set].expectations.push_back(std::move(expectation));
  }
  const auto results = storage.commit(sets);
  return {results.size() == 2 && results[0], results.size() == 2 && results[1]};
}

Result<void> crossing_commits_neither_block_nor_lose(const StorageUnderTest& tested) {
  constexpr int rounds = 25;
  Trial trial(tested);
  for (const auto* key : {"a", "b", "tally"}) trial.put(key, "0");
  std::atomic<int> moved = 0;
  std::atomic<int> tallied = 0;
  run_in_threads(threads_count, [&](int thread) {
    const bool forth = thread % 2 == 0;  // half of them name the two accounts in the other order
    for (int round = 0; round < rounds; ++round) {
      const auto [transfer, tally] =
          transfer_and_tally(trial.storage(), named(forth ? "a" : "b"), named(forth ? "b" : "a"), named("tally"));
      if (transfer) moved += forth ? 1 : -1;
      tallied += tally ? 1 : 0;
    }
  });
  trial.that("somebody always comes through", tallied > 0);
  trial.equal("what was moved and acknowledged", trial.get(named("b")).body, std::to_string(moved.load()));
  trial.equal("what was moved away", trial.get(named("a")).body, std::to_string(-moved.load()));
  trial.equal("what was tallied and acknowledged", trial.get(named("tally")).body, std::to_string(tallied.load()));
  return trial.verdict();
}

constexpr int still_rows = 60;

std::string still_key(int row) { return fmt::format("still{:03}", row); }

/// Write, move and erase rows among those that stay, over and over.
void churn(Storage& storage, int thread, int round) {
  const auto key = fmt::format("moving{}/{}", thread, round % 5);
  ChangeSet changes = putting({{named(key), "{}", {in_due("hold", (round * 7 + thread) % still_rows, "s")}},
                               {named(still_key((round * 11 + thread) % still_rows)),
                                std::to_string(round),
                                {in_due("hold", (round * 11 + thread) % still_rows, "s")}}});
  changes.erases = {named(fmt::format("moving{}/{}", thread, (round + 2) % 5))};
  (void)storage.commit({&changes, 1});
}

/// Page through all rows; the keys of those that stay, in the order they came.
Keys page_through(Storage& storage, bool descending) {
  Keys seen;
  ScanRequest request{.index = Index::due, .prefix = {"hold"}, .descending = descending, .limit_count = 7};
  for (int page_count = 0; page_count < 1'000; ++page_count) {
    auto page = storage.scan(request);
    if (!page) return {"a scan failed"};
    for (const auto& row : page->rows) {
      if (row.id.key.starts_with("still")) seen.push_back(row.id.key);
    }
    request.after = std::move(page->next);
    if (request.after.empty()) return seen;
  }
  return {"a scan that does not end"};
}

Result<void> paging_beside_writers_loses_and_repeats_nothing(const StorageUnderTest& tested) {
  Trial trial(tested);
  Keys expected;
  std::vector<Put> puts;
  for (int row = 0; row < still_rows; ++row) {
    expected.push_back(still_key(row));
    puts.push_back({named(still_key(row)), "{}", {in_due("hold", row, "s")}});
  }
  trial.commit(putting(std::move(puts)));
  std::atomic<int> readers = 2;
  std::atomic<int> churned = 0;
  std::vector<Keys> wrong(2);
  run_in_threads(threads_count, [&](int thread) {
    if (thread >= 2) {
      for (int round = 0; readers > 0 && round < 10'000; ++round, ++churned) churn(trial.storage(), thread, round);
      return;
    }
    // Until enough was changed meanwhile, however late the writers get their turn.
    for (int turn = 0; turn < 20 || (churned < 200 && turn < 10'000); ++turn) {
      auto seen = page_through(trial.storage(), thread == 1);
      if (thread == 1) std::reverse(seen.begin(), seen.end());
      if (seen != expected) wrong[static_cast<std::size_t>(thread)] = std::move(seen);
    }
    --readers;
  });
  trial.equal("rows that stayed, in pages read while others changed", wrong[0], Keys{});
  trial.equal("and read backwards", wrong[1], Keys{});
  return trial.verdict();
}

Result<void> counts_see_whole_change_sets(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (int row = 0; row < 10; ++row) trial.put(std::to_string(row), "{}", {in_due("hold", row, "s")});
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  run_in_threads(3, [&](int thread) {
    for (int round = 0; thread == 0 && round < 100; ++round) {
      // One row leaves, and another one comes: never nine, never eleven.
      ChangeSet changes = putting({{named(std::to_string(round + 10)), "{}", {in_due("hold", round + 10, "s")}}});
      changes.erases = {named(std::to_string(round))};
      (void)trial.storage().commit({&changes, 1});
    }
    if (thread == 0) done = true;
    while (!done) {
      const auto index = thread == 1 ? Index::due : Index::key;
      const auto counted = trial.storage().count({.index = index, .prefix = {}});
      if (!counted || *counted != 10) ++torn;
    }
  });
  trial.equal("counts that saw half of a change set", torn.load(), 0);
  return trial.verdict();
}

Result<void> one_commit_wakes_everybody(const StorageUnderTest& tested) {
  Trial trial(tested);
  const auto first = trial.storage().wait_for_change({.seen = 0, .timeout = Duration(0)});
  trial.that("a first answer", first.has_value());
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  std::atomic<int> told = 0;
  run_in_threads(threads_count, [&](int thread) {
    if (thread == 0) {
      trial.put("a");
      return;
    }
    const auto woken = trial.storage().wait_for_change({.seen = first->sequence, .timeout = std::chrono::seconds(30)});
    told += woken && woken->sequence != first->sequence ? 1 : 0;
  });
  trial.equal("waiters that were told", told.load(), threads_count - 1);
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> race_cases() {
  return {
      {"of eight threads that append the same record, one succeeds", one_of_many_appends_lands},
      {"eight threads whose change sets cross neither block nor lose anything",
       crossing_commits_neither_block_nor_lose},
      {"pages read while six threads write have every row that stays once, in order",
       paging_beside_writers_loses_and_repeats_nothing},
      {"counts see whole change sets", counts_see_whole_change_sets},
      {"one commit wakes everybody who waits", one_commit_wakes_everybody},
  };
}

}  // namespace openindex::contract
