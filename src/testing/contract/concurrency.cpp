// What holds when many threads come at once, and when one of them waits.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

/// Longer than any answer takes; a storage that never answers fails the case, and does not stop the suite for ever.
constexpr Duration long_wait = std::chrono::seconds(30);

/// Add one to a counter by compare and swap, as often as it takes; false when the storage failed.
bool increment(Storage& storage, const RecordId& id) {
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    const auto found = storage.get({&id, 1});
    if (!found || !found->front()) return false;
    const auto& record = *found->front();
    auto changes = putting({{id, std::to_string(std::stoi(record.body) + 1), {}}});
    changes.expectations = {{id, record.version}};
    const auto results = storage.commit({&changes, 1});
    if (results.front()) return true;
    if (results.front().error().code() != errc::conflict) return false;
  }
  return false;
}

Result<void> no_increment_is_lost(const StorageUnderTest& tested) {
  constexpr int each = 20;
  Trial trial(tested);
  trial.put("counter", "0");
  std::atomic<int> failures = 0;
  run_in_threads(threads_count, [&](int) {
    for (int i = 0; i < each; ++i) failures += increment(trial.storage(), named("counter")) ? 0 : 1;
  });
  trial.equal("calls that failed", failures.load(), 0);
  trial.equal("the counter", trial.get(named("counter")).body, std::to_string(threads_count * each));
  trial.equal("its version", trial.get(named("counter")).version, std::uint64_t{threads_count * each + 1});
  return trial.verdict();
}

/// Move one from `from` to `to`, both in one change set.
void transfer(Storage& storage, int round) {
  const std::array ids = {named("from"), named("to")};
  const auto found = storage.get(ids);
  if (!found || !(*found)[0] || !(*found)[1]) return;
  ChangeSet changes = putting({});
  for (int i = 0; i < 2; ++i) {
    const auto& record = *(*found)[static_cast<std::size_t>(i)];
    const int value = std::stoi(record.body) + (i == 0 ? -1 : 1);
    changes.puts.push_back({record.id, std::to_string(value), {in_due("hold", round, record.id.key)}});
    changes.expectations.push_back({record.id, record.version});
  }
  (void)storage.commit({&changes, 1});
}

/// Sum both accounts: anything but 0 was never committed.
int sum_by_get(Storage& storage) {
  const std::array ids = {named("from"), named("to")};
  const auto found = storage.get(ids);
  if (!found || !(*found)[0] || !(*found)[1]) return -1;
  return std::stoi((*found)[0]->body) + std::stoi((*found)[1]->body);
}

int sum_by_scan(Storage& storage) {
  const auto page = storage.scan({.index = Index::due, .prefix = {"hold"}});
  if (!page || page->rows.size() != 2) return -1;
  return std::stoi(page->rows[0].body) + std::stoi(page->rows[1].body);
}

Result<void> readers_see_whole_change_sets(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.commit(
      putting({{named("from"), "0", {in_due("hold", 0, "from")}}, {named("to"), "0", {in_due("hold", 0, "to")}}}));
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::thread writer([&] {
    for (int round = 1; round <= 100; ++round) transfer(trial.storage(), round);
    done = true;
  });
  run_in_threads(2, [&](int reader) {
    while (!done) torn += (reader == 0 ? sum_by_get(trial.storage()) : sum_by_scan(trial.storage())) == 0 ? 0 : 1;
  });
  writer.join();
  trial.equal("reads that saw half of a change set", torn.load(), 0);
  trial.equal("transfers that landed", trial.get(named("to")).body, std::string("100"));
  return trial.verdict();
}

Result<void> the_first_wait_answers_at_once(const StorageUnderTest& tested) {
  Trial trial(tested);
  const auto first = trial.storage().wait_for_change({.seen = 0, .timeout = long_wait});
  trial.that("an answer", first && first->sequence != 0);
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  trial.put("a");
  const auto second = trial.storage().wait_for_change({.seen = first->sequence, .timeout = long_wait});
  trial.that("a commit since then answers at once", second && second->sequence != first->sequence);
  return trial.verdict();
}

Result<void> nothing_new_ends_at_the_timeout(const StorageUnderTest& tested) {
  Trial trial(tested);
  std::uint64_t seen = 0;
  for (int i = 0; i < 10; ++i) {
    const auto answer = trial.storage().wait_for_change({.seen = seen, .timeout = Duration(1)});
    trial.that("an answer", answer.has_value());
    if (answer && answer->sequence == seen) return trial.verdict();  // waking for nothing now and then is fine
    if (answer) seen = answer->sequence;
  }
  trial.that("the sequence rests while nothing is committed", false);
  return trial.verdict();
}

/// Let one thread wait for an hour, and do something that must wake it.
template <class Act>
Result<void> wake_a_waiter(const StorageUnderTest& tested, Act act) {
  Trial trial(tested);
  const auto first = trial.storage().wait_for_change({.seen = 0, .timeout = Duration(0)});
  trial.that("a first answer", first.has_value());
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  Result<Changed> woken = errc::storage_failed;
  std::thread waiter([&] { woken = trial.storage().wait_for_change({.seen = first->sequence, .timeout = long_wait}); });
  act(trial);
  waiter.join();
  trial.that("the waiter was told of a change", woken && woken->sequence != first->sequence);
  return trial.verdict();
}

Result<void> a_commit_wakes_who_waits(const StorageUnderTest& tested) {
  return wake_a_waiter(tested, [](Trial& trial) { trial.put("a"); });
}

Result<void> wake_wakes_who_waits(const StorageUnderTest& tested) {
  return wake_a_waiter(tested, [](Trial& trial) { trial.storage().wake(); });
}

}  // namespace

std::vector<ContractCase> concurrency_cases() {
  return {
      {"eight threads that increment one counter lose nothing", no_increment_is_lost},
      {"readers see whole change sets", readers_see_whole_change_sets},
      {"the first wait, and one after a commit, answer at once", the_first_wait_answers_at_once},
      {"a wait for nothing ends at its timeout", nothing_new_ends_at_the_timeout},
      {"a commit wakes who waits", a_commit_wakes_who_waits},
      {"wake wakes who waits", wake_wakes_who_waits},
  };
}

}  // namespace openindex::contract
