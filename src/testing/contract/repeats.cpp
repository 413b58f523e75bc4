// What a repeated commit does, and how a caller finds out what became of one whose answer was lost.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <openindex/testing/faulty_storage.hpp>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

using testing::FaultyStorage;
using Fault = FaultyStorage::Fault;

/// A change set as the engine writes them: a state that is expected, an index entry, something erased, and an append
/// by which it can be found again.
ChangeSet step(std::uint64_t number) {
  auto changes = putting({{named("state"), fmt::format("step {}", number), {in_due("hold", 100, "state")}}});
  changes.id = fmt::format("commit_{}", number);
  changes.expectations = {expecting("state", number - 1)};
  changes.puts.push_back({named(fmt::format("note {}", number)), "{}", {in_due("run", 1, "note")}});
  changes.erases = {named(fmt::format("note {}", number - 1))};
  changes.appends = {{named(fmt::format("audit/{}", number)), changes.id.str(), {}},
                     {named(fmt::format("audit/{}+", number)), "{}", {}}};
  return changes;
}

Result<void> a_repeated_set_is_refused_by_its_append(const StorageUnderTest& tested) {
  Trial trial(tested);
  auto changes = step(1);
  changes.expectations.clear();  // nothing but the appends tells that it was here before
  trial.commit(changes);
  const auto once = trial.picture();
  for (int i = 0; i < 3; ++i) {
    const auto error = trial.refuse("a set that was committed before", errc::conflict, changes);
    trial.equal("the conflict names the append", error.context("key"), std::string_view("audit/1"));
    trial.equal("which must not exist", error.context("expected"), std::string_view("0"));
    trial.equal("and does", error.context("found"), std::string_view("1"));
  }
  trial.that("a repeated set changes nothing", trial.picture() == once);
  return trial.verdict();
}

Result<void> a_set_twice_in_one_call_lands_once(const StorageUnderTest& tested) {
  Trial trial(tested);
  auto changes = step(1);
  changes.expectations.clear();
  const std::array twice = {changes, changes};
  const auto results = trial.storage().commit(twice);
  trial.equal("one result for each set", results.size(), twice.size());
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  trial.that("the first one lands", results[0].has_value());
  trial.that("the second one is a conflict", !results[1] && results[1].error().code() == errc::conflict);
  trial.equal("it is written once", trial.get(named("state")).version, std::uint64_t{1});
  return trial.verdict();
}

Result<void> a_commit_id_is_no_key(const StorageUnderTest& tested) {
  Trial trial(tested);
  auto first = putting({{named("a"), "{}", {}}});
  auto second = putting({{named("b"), "{}", {}}});
  first.id = second.id = "commit_same";
  trial.commit(first);
  trial.commit(second);
  trial.that("both are there", trial.exists(named("a")) && trial.exists(named("b")));
  return trial.verdict();
}

Result<void> an_append_is_not_changed_by_refused_sets(const StorageUnderTest& tested) {
  Trial trial(tested);
  ChangeSet first = putting({});
  first.appends = {{named("audit/1"), "first", {in_due("hold", 1, "first")}}};
  trial.commit(first);
  auto second = first;
  second.appends[0] = {named("audit/1"), "second", {in_due("hold", 2, "second")}};
  trial.refuse("an append of the same name", errc::conflict, second);
  const auto record = trial.get(named("audit/1"));
  trial.equal("the version of an append", record.version, std::uint64_t{1});
  trial.equal("its body", record.body, std::string("first"));
  trial.equal("its entry", trial.keys({.index = Index::due, .prefix = {"hold", 1}}), Keys{"audit/1"});
  trial.equal("and no other", trial.count({.index = Index::due, .prefix = {}}), std::uint64_t{1});
  return trial.verdict();
}

/// Tell whether a change set is there by its first append, however often it has to ask.
bool is_there(Storage& storage, const ChangeSet& changes) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto found = storage.get({&changes.appends.front().id, 1});
    if (found) return found->front().has_value() && found->front()->body == changes.id.str();
  }
  return false;
}

/// Commit as a caller has to: repeat what did not happen, look when nobody knows.
bool insist(Storage& storage, const ChangeSet& changes) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto results = storage.commit({&changes, 1});
    if (results.size() != 1) return false;
    if (results.front()) return true;
    const auto code = results.front().error().code();
    if (code == errc::commit_unknown && is_there(storage, changes)) return true;
    if (code != errc::commit_unknown && code != errc::storage_failed) return false;
  }
  return false;
}

Result<void> a_lost_answer_is_found_by_the_first_append(const StorageUnderTest& tested) {
  for (const auto fault : {Fault::before, Fault::after}) {
    Trial trial(tested);
    FaultyStorage faulty(trial.storage());
    trial.that("the first step", insist(faulty, step(1)));
    const auto before = trial.picture();
    faulty.fail_nth(1, fault);
    const auto second = step(2);
    const auto results = faulty.commit({&second, 1});
    trial.that("the answer is lost", results.size() == 1 && !results.front());
    const bool happened = fault == Fault::after;
    trial.equal("its append tells what became of it", is_there(faulty, second), happened);
    trial.equal("all of it happened, or nothing", trial.picture() == before, !happened);
    if (happened) {
      trial.refuse("repeating it all the same is a conflict", errc::conflict, second);
    } else {
      trial.commit(second);
    }
    trial.equal("either way it is there once", trial.get(named("state")).version, std::uint64_t{2});
    trial.that("and the next step follows", insist(faulty, step(3)));
    if (auto verdict = trial.verdict(); !verdict) return verdict;
  }
  return {};
}

/// Call everything there is, three steps long, and repeat every call that fails.
bool run_all(Storage& storage) {
  const auto insist_on = [](auto call) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (call()) return true;
    }
    return false;
  };
  bool good = true;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    good = good && insist(storage, step(number));
    good = good && insist_on([&] {
             const std::array ids = {named("state"), named(fmt::format("audit/{}", number))};
             const auto found = storage.get(ids);
             return found && found->size() == 2 && (*found)[0] && (*found)[0]->version == number && (*found)[1];
           });
    good = good && insist_on([&] {
             const auto page = storage.scan({.index = Index::due, .prefix = {}});
             return page && page->rows.size() == 2 && page->rows[0].version == number;
           });
    good = good && insist_on([&] {
             const auto counted = storage.count({.index = Index::key, .prefix = {"host.contract"}});
             return counted && *counted == 2 + 2 * number;
           });
  }
  return good;
}

Result<void> a_fault_at_any_call_changes_nothing_in_the_end(const StorageUnderTest& tested) {
  Trial unharmed(tested);
  unharmed.that("everything works without faults", run_all(unharmed.storage()));
  const auto expected = unharmed.picture();
  if (auto verdict = unharmed.verdict(); !verdict) return verdict;
  for (const auto fault : {Fault::before, Fault::after}) {
    bool failed = true;
    for (std::uint64_t nth = 1; failed; ++nth) {
      Trial trial(tested);
      FaultyStorage faulty(trial.storage());
      faulty.fail_nth(nth, fault);
      const auto when = fmt::format("a fault {} call {}", fault == Fault::before ? "before" : "after", nth);
      trial.that(when + " is overcome by repeating", run_all(faulty));
      trial.that(when + " leaves what no fault leaves", trial.picture() == expected);
      failed = faulty.failed();
      if (auto verdict = trial.verdict(); !verdict) return verdict;
    }
  }
  return {};
}

Result<void> a_refused_call_can_be_put_right(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.commit(step(1));
  const auto before = trial.picture();
  auto late = step(2);
  late.expectations = {expecting("state", 9)};
  trial.refuse("a conflict", errc::conflict, late);
  auto broken = step(2);
  broken.appends.back().index = {in_due("hold", 1, "tab\t")};
  trial.refuse("the last record of a set breaks a bound", errc::invalid_argument, broken);
  trial.refuse_scan("a scan", {.index = Index::due, .prefix = {1}});
  trial.that("refusals leave no trace", trial.picture() == before);
  trial.equal("the same set, put right, is accepted", trial.commit(step(2)), {2, 1});
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> repeat_cases() {
  return {
      {"a repeated change set is refused by its append", a_repeated_set_is_refused_by_its_append},
      {"a change set that stands twice in one call lands once", a_set_twice_in_one_call_lands_once},
      {"change sets with the same commit id are no repeats", a_commit_id_is_no_key},
      {"an append never changes", an_append_is_not_changed_by_refused_sets},
      {"a commit whose answer was lost is found by its first append", a_lost_answer_is_found_by_the_first_append},
      {"a fault before or after any call is overcome by repeating it", a_fault_at_any_call_changes_nothing_in_the_end},
      {"a refused change set leaves no trace and can be put right", a_refused_call_can_be_put_right},
  };
}

}  // namespace openindex::contract
