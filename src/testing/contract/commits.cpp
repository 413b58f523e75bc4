// What a commit does: versions, expectations, all or nothing, several sets in one call.
#include <array>
#include <string>
#include <vector>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

Result<void> get_finds_what_is_there(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("b", R"({"n":1})", {in_due("hold", 5, "b")});
  const std::array ids = {named("a"), named("b"), RecordId{"host.other", "b"}, named("b")};
  const auto found = trial.storage().get(ids);
  trial.that("a get of four names has four answers", found && found->size() == 4);
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  trial.that("an absent key is absent", !(*found)[0]);
  trial.that("the same key of another kind is absent", !(*found)[2]);
  trial.that("a present record is present, each time it is asked for", (*found)[1] && (*found)[3]);
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  const auto& record = *(*found)[1];
  trial.that("a record has its name", record.id == named("b"));
  trial.equal("a record has its body", record.body, std::string(R"({"n":1})"));
  trial.that("a record has its index entries", record.index == std::vector{in_due("hold", 5, "b")});
  const auto none = trial.storage().get({});
  trial.that("a get of nothing is empty", none && none->empty());
  return trial.verdict();
}

Result<void> bodies_are_those_of_a_get(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("a", "first");
  trial.put("a", std::string("second\0half", 11), {in_due("hold", 5, "a")});
  trial.put("b");
  const std::array ids = {named("b"), named("absent"), named("a"), named("a")};
  const auto whole = trial.storage().get(ids);
  const auto bodies = trial.storage().get_bodies(ids);
  trial.that("bodies of four names have four answers", whole && bodies && bodies->size() == 4);
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& expected = (*whole)[i];
    const auto& found = (*bodies)[i];
    trial.equal("whether " + ids[i].key + " is there", found.has_value(), expected.has_value());
    if (!found || !expected) continue;
    trial.that("the name is that of the get", found->id == expected->id);
    trial.equal("the version of " + ids[i].key, found->version, expected->version);
    trial.equal("the body of " + ids[i].key, found->body, expected->body);
  }
  const auto none = trial.storage().get_bodies({});
  trial.that("bodies of nothing are none", none && none->empty());
  return trial.verdict();
}

Result<void> versions_rise_by_one(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (std::uint64_t version = 1; version <= 5; ++version) {
    trial.equal("the receipt's version", trial.put("a", "body " + std::to_string(version)), version);
    trial.equal("the stored version", trial.get(named("a")).version, version);
  }
  trial.equal("another record starts at 1", trial.put("b"), std::uint64_t{1});
  trial.erase("a");
  trial.equal("a record that was erased starts again at 1", trial.put("a"), std::uint64_t{1});
  return trial.verdict();
}

Result<void> expectations_guard_a_commit(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("a");
  auto changes = putting({{named("a"), "second", {}}});
  changes.expectations = {expecting("a", 1), expecting("absent", 0)};
  trial.equal("expectations that hold let the commit through", trial.commit(changes), {2});
  trial.refuse("an old version is a conflict", errc::conflict, changes);
  changes.expectations = {expecting("a", 3)};
  trial.refuse("a version to come is a conflict", errc::conflict, changes);
  changes.expectations = {expecting("a", 0)};
  trial.refuse("a record that must not exist is a conflict", errc::conflict, changes);
  changes.expectations = {expecting("absent", 1)};
  trial.refuse("a record that must exist is a conflict", errc::conflict, changes);
  trial.equal("nothing of a refused commit is written", trial.get(named("a")).version, std::uint64_t{2});

  ChangeSet only_expects;
  only_expects.id = "commit_1";
  only_expects.expectations = {expecting("a", 2)};
  trial.commit(only_expects);
  trial.equal("expecting writes nothing", trial.get(named("a")).version, std::uint64_t{2});
  return trial.verdict();
}

Result<void> a_conflict_names_the_first_expectation(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("a");
  trial.put("b");
  trial.put("b");
  auto changes = putting({{named("c"), "{}", {}}});
  changes.expectations = {expecting("a", 1), expecting("b", 1), expecting("c", 9)};
  const auto error = trial.refuse("two expectations fail", errc::conflict, changes);
  trial.equal("kind", error.context("kind"), std::string_view("host.contract"));
  trial.equal("key", error.context("key"), std::string_view("b"));
  trial.equal("expected", error.context("expected"), std::string_view("1"));
  trial.equal("found", error.context("found"), std::string_view("2"));
  return trial.verdict();
}

Result<void> a_set_is_applied_whole_or_not_at_all(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("kept");
  trial.put("old", "first", {in_due("hold", 1, "old")});
  auto changes = putting({{named("new"), "{}", {in_due("hold", 2, "new")}}, {named("old"), "second", {}}});
  changes.appends = {{named("audit"), "{}", {}}};
  changes.erases = {named("kept")};
  changes.expectations = {expecting("old", 7)};
  trial.refuse("the expectation is wrong", errc::conflict, changes);
  trial.that("no put happened", !trial.exists(named("new")) && trial.get(named("old")).body == "first");
  trial.that("no append happened", !trial.exists(named("audit")));
  trial.that("no erase happened", trial.exists(named("kept")));
  trial.equal("no index changed", trial.keys({.index = Index::due, .prefix = {}}), Keys{"old"});

  changes.expectations = {expecting("old", 1)};
  trial.equal("versions in the order of the puts", trial.commit(changes), {1, 2});
  trial.that("every append happened", trial.exists(named("audit")));
  trial.that("every erase happened", !trial.exists(named("kept")));
  trial.equal("every index changed", trial.keys({.index = Index::due, .prefix = {}}), Keys{"new"});
  return trial.verdict();
}

Result<void> sets_of_one_call_stand_by_themselves(const StorageUnderTest& tested) {
  Trial trial(tested);
  std::vector<ChangeSet> sets;
  for (int i = 0; i < 5; ++i) sets.push_back(putting({{named("k" + std::to_string(i)), "{}", {}}}));
  sets[2].expectations = {expecting("absent", 4)};
  sets[3].puts[0].id.kind = "Not A Kind";
  const auto results = trial.storage().commit(sets);
  trial.equal("one result for each set", results.size(), sets.size());
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  trial.that("the neighbours of a conflict land", results[0] && results[1] && results[4]);
  trial.that("the conflict is told", !results[2] && results[2].error().code() == errc::conflict);
  trial.that("the broken bound is told", !results[3] && results[3].error().code() == errc::invalid_argument);
  trial.equal("what landed can be read", trial.keys({.index = Index::key, .prefix = {"host.contract"}}),
              Keys{"k0", "k1", "k4"});
  trial.that("a call with nothing has no results", trial.storage().commit({}).empty());
  return trial.verdict();
}

Result<void> a_later_set_sees_the_earlier_one(const StorageUnderTest& tested) {
  Trial trial(tested);
  std::vector<ChangeSet> sets;
  for (std::uint64_t i = 0; i < 3; ++i) {
    sets.push_back(putting({{named("a"), "turn " + std::to_string(i), {in_due("hold", static_cast<int>(i), "a")}}}));
    sets.back().expectations = {expecting("a", i)};
  }
  sets.push_back(sets[1]);  // comes too late
  const auto results = trial.storage().commit(sets);
  trial.equal("one result for each set", results.size(), sets.size());
  if (auto verdict = trial.verdict(); !verdict) return verdict;
  trial.that("each saw the one before", results[0] && results[1] && results[2]);
  trial.that("the late one is a conflict", !results[3] && results[3].error().context("found") == "3");
  trial.equal("the last one stands", trial.get(named("a")).body, std::string("turn 2"));
  trial.equal("the record has one entry", trial.count({.index = Index::due, .prefix = {}}), std::uint64_t{1});
  return trial.verdict();
}

Result<void> appends_refuse_what_exists(const StorageUnderTest& tested) {
  Trial trial(tested);
  ChangeSet changes = putting({{named("state"), "{}", {}}});
  changes.appends = {{named("audit/1"), "first", {}}};
  trial.commit(changes);
  trial.equal("an append starts at version 1", trial.get(named("audit/1")).version, std::uint64_t{1});
  changes.appends = {{named("audit/2"), "new", {}}, {named("audit/1"), "again", {}}};
  const auto error = trial.refuse("an append of what exists is a conflict", errc::conflict, changes);
  trial.equal("key", error.context("key"), std::string_view("audit/1"));
  trial.equal("expected", error.context("expected"), std::string_view("0"));
  trial.equal("found", error.context("found"), std::string_view("1"));
  trial.that("its neighbour is not written", !trial.exists(named("audit/2")));
  trial.equal("its put is not written", trial.get(named("state")).version, std::uint64_t{1});
  trial.equal("the first one stands", trial.get(named("audit/1")).body, std::string("first"));
  return trial.verdict();
}

Result<void> erased_records_are_gone(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("a", "{}", {in_due("hold", 1, "a"), in_queue("", 1, 1)});
  trial.put("b", "{}", {in_due("hold", 2, "b")});
  trial.erase("a");
  trial.erase("never there");
  trial.that("the record is gone", !trial.exists(named("a")));
  trial.equal("its entries are gone", trial.keys({.index = Index::due, .prefix = {}}), Keys{"b"});
  trial.equal("in every index", trial.count({.index = Index::queue, .prefix = {}}), std::uint64_t{0});
  trial.equal("and by key", trial.keys({.index = Index::key, .prefix = {}}), Keys{"b"});
  return trial.verdict();
}

Result<void> a_put_replaces_index_entries(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("a", "1", {in_due("hold", 1, "a"), in_queue("", 1, 1)});
  trial.put("a", "2", {in_due("run", 9, "a")});
  trial.equal("the old entry is gone", trial.count({.index = Index::due, .prefix = {"hold"}}), std::uint64_t{0});
  trial.equal("an index without a new entry is left", trial.count({.index = Index::queue, .prefix = {}}),
              std::uint64_t{0});
  trial.equal("the new entry is there", trial.keys({.index = Index::due, .prefix = {"run"}}), Keys{"a"});
  trial.that("the record says so", trial.get(named("a")).index == std::vector{in_due("run", 9, "a")});
  trial.put("a", "3", {in_due("run", 9, "a")});
  const auto page = trial.scan({.index = Index::due, .prefix = {"run"}});
  trial.that("an entry that stays leads to the new body", page.rows.size() == 1 && page.rows[0].body == "3");
  return trial.verdict();
}

Result<void> a_changed_entry_moves_its_row(const StorageUnderTest& tested) {
  Trial trial(tested);
  const ScanRequest holds{.index = Index::due, .prefix = {"hold"}};
  for (int i = 1; i <= 5; ++i) trial.put(std::to_string(i), "{}", {in_due("hold", i * 10, "s")});
  trial.put("2", "{}", {in_due("hold", 60, "s")});
  trial.equal("to the end", trial.keys(holds), Keys{"1", "3", "4", "5", "2"});
  trial.put("5", "{}", {in_due("hold", 0, "s")});
  trial.equal("to the beginning", trial.keys(holds), Keys{"5", "1", "3", "4", "2"});
  trial.put("1", "{}", {in_due("hold", 35, "s")});
  trial.equal("over one neighbour", trial.keys(holds), Keys{"5", "3", "1", "4", "2"});
  trial.put("1", "{}", {in_due("hold", 36, "t")});
  trial.equal("between its neighbours", trial.keys(holds), Keys{"5", "3", "1", "4", "2"});
  trial.put("4", "{}", {in_due("run", 1, "s")});
  trial.equal("out of the range", trial.keys(holds), Keys{"5", "3", "1", "2"});
  trial.equal("none is left behind", trial.count({.index = Index::due, .prefix = {}}), std::uint64_t{5});
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> commit_cases() {
  return {
      {"get finds what is there and nothing else", get_finds_what_is_there},
      {"get_bodies answers as get does", bodies_are_those_of_a_get},
      {"versions start at one and rise by one", versions_rise_by_one},
      {"expectations guard a commit", expectations_guard_a_commit},
      {"a conflict names the first expectation that failed", a_conflict_names_the_first_expectation},
      {"a change set is applied whole or not at all", a_set_is_applied_whole_or_not_at_all},
      {"change sets of one call succeed and fail by themselves", sets_of_one_call_stand_by_themselves},
      {"a later change set of a call sees what an earlier one wrote", a_later_set_sees_the_earlier_one},
      {"appends refuse records that exist", appends_refuse_what_exists},
      {"erased records are gone from every index", erased_records_are_gone},
      {"a put replaces the index entries of its record", a_put_replaces_index_entries},
      {"a changed entry moves its row", a_changed_entry_moves_its_row},
  };
}

}  // namespace openindex::contract
