// Flaws of commits: versions, expectations, all or nothing, repeats.
#include <algorithm>
#include <set>

#include "storage/flawed_storage.hpp"

namespace openindex {
namespace {

Flaw absent_records_are_left_out() {
  return {.name = "a get leaves absent records out",
          .broken = {"get finds what is there and nothing else"},
          .got = [](auto& found) { std::erase_if(found, [](const auto& record) { return !record; }); }};
}

Flaw versions_rise_by_two() {
  const auto doubled = [](std::uint64_t version) { return 2 * version - 1; };
  return {.name = "versions rise by two",
          .broken = {"versions start at one and rise by one"},
          .answer =
              [=](auto& answer) {
                if (!answer) return;
                for (auto& version : answer->versions) version = doubled(version);
              },
          .record = [=](Record& record) { record.version = doubled(record.version); }};
}

Flaw only_the_first_expectation_is_checked() {
  return {.name = "only the first expectation is checked",
          .broken = {"a conflict names the first expectation that failed"},
          .set = [](Storage&, ChangeSet& set) {
            set.expectations.resize(std::min<std::size_t>(set.expectations.size(), 1));
          }};
}

Flaw expectations_are_ignored() {
  return {.name = "expectations are ignored",
          .broken = {"expectations guard a commit", "a change set is applied whole or not at all",
                     "a refused change set leaves no trace and can be put right",
                     "a later change set of a call sees what an earlier one wrote"},
          .set = [](Storage&, ChangeSet& set) { set.expectations.clear(); }};
}

Flaw conflicts_tell_nothing() {
  return {.name = "a conflict names nothing",
          .broken = {"a conflict names the first expectation that failed",
                     "a repeated change set is refused by its append"},
          .answer = [](auto& answer) {
            if (!answer && answer.error().code() == errc::conflict) answer = errc::conflict;
          }};
}

Flaw refused_sets_leave_their_puts() {
  return {.name = "a refused change set leaves its puts behind",
          .broken = {"a change set is applied whole or not at all", "appends refuse records that exist",
                     "a refused change set leaves no trace and can be put right"},
          .commit = [](Storage& memory, std::span<const ChangeSet> sets) {
            auto answers = memory.commit(sets);
            for (std::size_t i = 0; i < sets.size(); ++i) {
              ChangeSet half;
              half.puts = sets[i].puts;
              if (!answers[i] && answers[i].error().code() == errc::conflict) (void)memory.commit({&half, 1});
            }
            return answers;
          }};
}

Flaw one_refusal_refuses_the_call() {
  return {.name = "one refused change set refuses its whole call",
          .broken = {"change sets of one call succeed and fail by themselves"},
          .commit = [](Storage& memory, std::span<const ChangeSet> sets) {
            auto answers = memory.commit(sets);
            const auto refused = std::find_if(answers.begin(), answers.end(), [](const auto& one) { return !one; });
            if (refused == answers.end()) return answers;
            return Commits(sets.size(), refused->error());
          }};
}

Flaw sets_of_a_call_come_backwards() {
  return {.name = "change sets of a call are applied backwards",
          .broken = {"a later change set of a call sees what an earlier one wrote"},
          .commit = [](Storage& memory, std::span<const ChangeSet> sets) {
            const std::vector<ChangeSet> backwards(sets.rbegin(), sets.rend());
            const auto answers = memory.commit(backwards);
            return Commits(answers.rbegin(), answers.rend());
          }};
}

Flaw appends_replace() {
  return {.name = "appends replace what is there",
          .broken = {"appends refuse records that exist", "an append never changes",
                     "a repeated change set is refused by its append",
                     "a change set that stands twice in one call lands once",
                     "of eight threads that append the same record, one succeeds"},
          .commit = [](Storage& memory, std::span<const ChangeSet> sets) {
            std::vector<ChangeSet> changed(sets.begin(), sets.end());
            for (auto& set : changed) {
              set.puts.insert(set.puts.end(), set.appends.begin(), set.appends.end());
              set.appends.clear();
            }
            auto answers = memory.commit(changed);
            for (std::size_t i = 0; i < sets.size(); ++i) {
              if (answers[i]) answers[i]->versions.resize(sets[i].puts.size());
            }
            return answers;
          }};
}

Flaw appends_are_forgotten() {
  return {.name = "appends are not written",
          .broken = {"a commit whose answer was lost is found by its first append",
                     "a fault before or after any call is overcome by repeating it"},
          .set = [](Storage&, ChangeSet& set) { set.appends.clear(); }};
}

Flaw a_commit_id_works_once() {
  auto seen = std::make_shared<std::set<std::string>>();
  return {.name = "a commit id works once",
          .broken = {"change sets with the same commit id are no repeats"},
          .commit = [seen](Storage& memory, std::span<const ChangeSet> sets) {
            auto answers = memory.commit(sets);
            for (std::size_t i = 0; i < sets.size(); ++i) {
              if (!seen->insert(sets[i].id.str()).second) answers[i] = errc::conflict;
            }
            return answers;
          }};
}

Flaw erased_records_stay() {
  return {.name = "erased records stay",
          .broken = {"erased records are gone from every index", "a large table is changed in every place"},
          .set = [](Storage&, ChangeSet& set) { set.erases.clear(); }};
}

Flaw entries_that_were_left_out_stay() {
  return {.name = "index entries that a put leaves out stay",
          .broken = {"a put replaces the index entries of its record", "a large table is changed in every place",
                     "a record may feed every index at once"},
          .set = [](Storage& memory, ChangeSet& set) {
            for (auto& put : set.puts) {
              const auto old = memory.get({&put.id, 1});
              if (!old || !old->front()) continue;
              for (const auto& entry : old->front()->index) {
                const auto same = [&](const IndexEntry& other) { return other.index == entry.index; };
                if (std::none_of(put.index.begin(), put.index.end(), same)) put.index.push_back(entry);
              }
            }
          }};
}

Flaw rows_never_move() {
  return {.name = "an index entry never changes",
          .broken = {"a changed entry moves its row"},
          .set = [](Storage& memory, ChangeSet& set) {
            for (auto& put : set.puts) {
              const auto old = memory.get({&put.id, 1});
              if (old && old->front()) put.index = old->front()->index;
            }
          }};
}

}  // namespace

std::vector<MakeFlaw> commit_flaws() {
  return {absent_records_are_left_out,
          versions_rise_by_two,
          only_the_first_expectation_is_checked,
          expectations_are_ignored,
          conflicts_tell_nothing,
          refused_sets_leave_their_puts,
          one_refusal_refuses_the_call,
          sets_of_a_call_come_backwards,
          appends_replace,
          appends_are_forgotten,
          a_commit_id_works_once,
          erased_records_stay,
          entries_that_were_left_out_stay,
          rows_never_move};
}

}  // namespace openindex
