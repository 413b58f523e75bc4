// What survives a crash: everything that was acknowledged, whole, and nothing that was refused.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <openindex/testing/faulty_storage.hpp>

#include "testing/contract/trial.hpp"

namespace openindex::contract {
namespace {

Result<void> what_was_acknowledged_is_there(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (int round = 1; round <= 4; ++round) {
    const auto name = std::to_string(round);
    trial.equal("versions go on where they were",
                trial.put("state", "round " + name, {in_due("hold", 10 - round, "s")}),
                static_cast<std::uint64_t>(round));
    auto changes = putting({{named("new " + name), "{}", {in_queue("", 1, round), in_items("OPS", round)}}});
    changes.appends = {{named("audit/" + name), "entry " + name, {}}};
    changes.erases = {named("new " + std::to_string(round - 2))};
    trial.commit(changes);
    const auto before = trial.picture();
    trial.crash();
    trial.that("after crash " + name + " everything is as it was", trial.picture() == before);
    trial.equal("the last commit before it is there", trial.exists(named("audit/" + name)), true);
    if (auto verdict = trial.verdict(); !verdict) return verdict;
  }
  trial.refuse("an append that was there before the crashes", errc::conflict, [] {
    auto changes = putting({});
    changes.appends = {{named("audit/1"), "again", {}}};
    return changes;
  }());
  return trial.verdict();
}

Result<void> an_empty_storage_stays_empty(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.crash();
  trial.equal("records after a crash before the first commit", trial.count({.index = Index::key, .prefix = {}}),
              std::uint64_t{0});
  trial.put("a");
  trial.erase("a");
  trial.crash();
  trial.that("what was erased stays erased", !trial.exists(named("a")));
  trial.equal("and begins again at 1", trial.put("a"), std::uint64_t{1});
  return trial.verdict();
}

Result<void> what_was_refused_does_not_come_back(const StorageUnderTest& tested) {
  Trial trial(tested);
  trial.put("state", "first", {in_due("hold", 1, "state")});
  auto late = putting({{named("state"), "second", {in_due("hold", 2, "state")}}, {named("other"), "{}", {}}});
  late.expectations = {expecting("state", 7)};
  late.appends = {{named("audit/1"), "{}", {}}};
  trial.refuse("a conflict", errc::conflict, late);
  std::array sets = {putting({{named("before"), "{}", {}}}), late, putting({{named("behind"), "{}", {}}})};
  const auto results = trial.storage().commit(sets);
  trial.that("one of three sets is refused", results.size() == 3 && results[0] && !results[1] && results[2]);
  trial.crash();
  trial.equal("only what was accepted is there", trial.keys({.index = Index::key, .prefix = {}}),
              Keys{"before", "behind", "state"});
  trial.equal("as it was accepted", trial.get(named("state")).body, std::string("first"));
  return trial.verdict();
}

Result<void> bodies_and_names_survive(const StorageUnderTest& tested) {
  std::string bytes;
  for (int i = 0; i < 1'000'000; ++i) bytes.push_back(static_cast<char>((i * 31 + i / 251) & 0xff));
  const std::string unusual =
      "a b'\"%_\\;--/*\xc3\xa9"
      "e\xcc\x81\xf0\x9f\x98\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf";
  const std::vector<std::string> bodies = {"",
                                           std::string("\0", 1),
                                           std::string("a\0b\0", 4),
                                           "\xff\xfe",
                                           "\r\n",
                                           unusual,
                                           bytes,
                                           std::string(std::size_t{4} << 20, '\0')};
  Trial trial(tested);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto key = unusual + std::to_string(i);
    trial.put(key, bodies[i], {in_due(unusual, -1, key), in_items("", 1, unusual)});
  }
  trial.crash();
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto key = unusual + std::to_string(i);
    const auto record = trial.get(named(key));
    trial.that(fmt::format("body {} is as it was", i), record.body == bodies[i]);
    trial.equal("it is found by its entry", trial.keys({.index = Index::due, .prefix = {unusual, -1, key}}), Keys{key});
  }
  return trial.verdict();
}

/// Write three records that always say the same, and an append, in one change set after another; how many landed.
int write_triples(Storage& storage, int thread, int rounds) {
  int landed = 0;
  for (int round = 1; round <= rounds; ++round) {
    ChangeSet changes = putting({});
    for (const auto* part : {"a", "b", "c"}) {
      changes.puts.push_back(
          {named(fmt::format("{}/{}", thread, part)), std::to_string(round), {in_due("hold", round, "s")}});
    }
    changes.appends = {{named(fmt::format("{}/audit/{}", thread, round)), "{}", {}}};
    const auto results = storage.commit({&changes, 1});
    landed += results.size() == 1 && results.front() ? 1 : 0;
  }
  return landed;
}

Result<void> what_eight_threads_wrote_is_there_whole(const StorageUnderTest& tested) {
  constexpr int rounds = 25;
  Trial trial(tested);
  std::atomic<int> landed = 0;
  run_in_threads(threads_count, [&](int thread) { landed += write_triples(trial.storage(), thread, rounds); });
  trial.equal("commits that were acknowledged", landed.load(), threads_count * rounds);
  trial.crash();
  for (int thread = 0; thread < threads_count; ++thread) {
    for (const auto* part : {"a", "b", "c"}) {
      trial.equal("each record is as last acknowledged", trial.get(named(fmt::format("{}/{}", thread, part))).body,
                  std::to_string(rounds));
    }
  }
  trial.equal("every append is there", trial.count({.index = Index::key, .prefix = {}}),
              std::uint64_t{threads_count * (rounds + 3)});
  return trial.verdict();
}

Result<void> a_lost_answer_is_found_after_a_crash(const StorageUnderTest& tested) {
  for (const auto fault : {testing::FaultyStorage::Fault::before, testing::FaultyStorage::Fault::after}) {
    Trial trial(tested);
    trial.put("state");
    ChangeSet changes = putting({{named("state"), "second", {}}});
    changes.expectations = {expecting("state", 1)};
    changes.appends = {{named("audit/1"), "{}", {}}};
    {
      testing::FaultyStorage faulty(trial.storage());
      faulty.fail_nth(1, fault);
      const auto results = faulty.commit({&changes, 1});
      trial.that("the answer is lost", results.size() == 1 && !results.front());
    }
    trial.crash();
    const bool happened = fault == testing::FaultyStorage::Fault::after;
    trial.equal("its first append tells what became of it", trial.exists(named("audit/1")), happened);
    trial.equal("and so does what it put", trial.get(named("state")).version, std::uint64_t{happened ? 2U : 1U});
    if (happened) trial.refuse("repeating it is a conflict", errc::conflict, changes);
    if (!happened) trial.commit(changes);
    trial.equal("either way it is there once", trial.get(named("state")).version, std::uint64_t{2});
    if (auto verdict = trial.verdict(); !verdict) return verdict;
  }
  return {};
}

Result<void> a_scan_goes_on_after_a_crash(const StorageUnderTest& tested) {
  Trial trial(tested);
  for (int i = 0; i < 9; ++i) trial.put(std::to_string(i), "{}", {in_due("hold", i / 2, "s")});
  for (const bool descending : {false, true}) {
    ScanRequest request{.index = Index::due, .prefix = {"hold"}, .descending = descending, .limit_count = 4};
    request.after = trial.scan(request).next;
    trial.crash();
    trial.equal("the next page of a scan that began before the crash", trial.keys(request),
                descending ? Keys{"4", "3", "2", "1"} : Keys{"4", "5", "6", "7"});
  }
  return trial.verdict();
}

Result<void> a_large_table_survives(const StorageUnderTest& tested) {
  const std::uint32_t count = tested.rows_count;
  Trial trial(tested);
  for (std::uint32_t begin = 0; begin < count; begin += 1'000) {
    std::vector<Put> puts;
    for (auto row = begin; row < std::min(begin + 1'000, count); ++row) {
      puts.push_back({named(fmt::format("row{:09}", row)), std::to_string(row), {in_due("hold", count - row, "s")}});
    }
    trial.commit(putting(std::move(puts)));
  }
  trial.crash();
  trial.equal("rows", trial.count({.index = Index::key, .prefix = {}, .limit_count = std::uint64_t{count} + 1}),
              std::uint64_t{count});
  trial.equal("entries", trial.count({.index = Index::due, .prefix = {}, .limit_count = std::uint64_t{count} + 1}),
              std::uint64_t{count});
  for (const auto row : {0U, count / 2, count - 1}) {
    const auto key = fmt::format("row{:09}", row);
    trial.equal("a row", trial.get(named(key)).body, std::to_string(row));
    trial.equal("by its entry", trial.keys({.index = Index::due, .prefix = {"hold", count - row}}), Keys{key});
  }
  return trial.verdict();
}

}  // namespace

std::vector<ContractCase> crash_cases() {
  return {
      {"everything that was acknowledged is there after a crash, time and again", what_was_acknowledged_is_there},
      {"what is empty or erased stays so over a crash", an_empty_storage_stays_empty},
      {"nothing that was refused comes back with a crash", what_was_refused_does_not_come_back},
      {"bodies and names of any kind survive a crash", bodies_and_names_survive},
      {"change sets of eight threads survive a crash whole", what_eight_threads_wrote_is_there_whole},
      {"a commit whose answer was lost is found after a crash", a_lost_answer_is_found_after_a_crash},
      {"a scan that began before a crash goes on after it", a_scan_goes_on_after_a_crash},
      {"a large table survives a crash", a_large_table_survives},
  };
}

}  // namespace openindex::contract
