// Flaws that show when many come at once: steps that others can see or come between, waiters that are not told.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "storage/flawed_storage.hpp"

namespace openindex {
namespace {

/// A place where somebody waits until somebody else has come by, or for a moment when nobody does.
class Crossing {
 public:
  void come_by() {
    const std::lock_guard lock(mutex_);
    ++passed_;
    somebody_.notify_all();
  }
  void let_somebody_by() {
    std::unique_lock lock(mutex_);
    const auto before = passed_;
    somebody_.wait_for(lock, std::chrono::milliseconds(20), [&] { return passed_ >= before + 2; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable somebody_;
  int passed_ = 0;
};

Flaw expectations_are_checked_too_early() {
  auto crossing = std::make_shared<Crossing>();
  return {.name = "expectations are checked in one step and the writes done in another",
          .broken = {"eight threads that increment one counter lose nothing",
                     "eight threads whose change sets cross neither block nor lose anything"},
          .commit = [crossing](Storage& memory, std::span<const ChangeSet> sets) {
            Commits answers;
            for (const auto& set : sets) {
              auto check = set;
              check.puts.clear();
              answers.push_back(memory.commit({&check, 1}).front());
              if (!answers.back()) continue;
              crossing->come_by();
              crossing->let_somebody_by();
              ChangeSet write = set;
              write.expectations.clear();
              write.appends.clear();
              answers.back() = memory.commit({&write, 1}).front();
            }
            return answers;
          }};
}

Flaw some_commits_are_lost() {
  auto number = std::make_shared<std::atomic<int>>(0);
  return {.name = "every twentieth commit is acknowledged and not done",
          .broken = {"eight threads whose change sets cross neither block nor lose anything"},
          .commit = [number](Storage& memory, std::span<const ChangeSet> sets) {
            if (++*number % 20 != 0) return memory.commit(sets);
            Commits answers;
            for (const auto& set : sets)
              answers.emplace_back(CommitReceipt{std::vector<std::uint64_t>(set.puts.size(), 1)});
            return answers;
          }};
}

Flaw records_are_written_one_by_one() {
  auto readers = std::make_shared<Crossing>();
  return {.name = "the records of a change set are written one by one",
          .broken = {"readers see whole change sets", "counts see whole change sets"},
          .commit =
              [readers](Storage& memory, std::span<const ChangeSet> sets) {
                Commits answers;
                for (const auto& set : sets) {
                  ChangeSet first = set;
                  first.erases.clear();
                  first.puts.resize(std::min<std::size_t>(first.puts.size(), 1));
                  auto answer = memory.commit({&first, 1}).front();
                  readers->let_somebody_by();
                  ChangeSet rest;
                  if (!set.puts.empty()) rest.puts.assign(set.puts.begin() + 1, set.puts.end());
                  rest.erases = set.erases;
                  const auto others = memory.commit({&rest, 1}).front();
                  if (answer && others) {
                    answer->versions.insert(answer->versions.end(), others->versions.begin(), others->versions.end());
                  }
                  answers.push_back(answer);
                }
                return answers;
              },
          .got = [readers](auto&) { readers->come_by(); },
          .count =
              [readers](Storage& memory, CountRequest request) {
                auto counted = memory.count(request);
                readers->come_by();
                return counted;
              }};
}

Flaw nobody_is_told() {
  return {.name = "a wait tells nothing",
          .broken = {"the first wait, and one after a commit, answer at once", "a commit wakes who waits",
                     "wake wakes who waits", "one commit wakes everybody who waits"},
          .wait = [](Storage&, const WaitRequest& request) -> Result<Changed> { return Changed{request.seen}; }};
}

Flaw one_waiter_is_told() {
  auto told = std::make_shared<std::atomic<int>>(0);
  return {.name = "only one waiter is told of a commit",
          .broken = {"one commit wakes everybody who waits"},
          .wait = [told](Storage& memory, const WaitRequest& request) -> Result<Changed> {
            if (request.seen != 0 && (*told)++ > 0) return Changed{request.seen};
            return memory.wait_for_change(request);
          }};
}

Flaw the_sequence_never_rests() {
  return {.name = "the sequence never rests",
          .broken = {"a wait for nothing ends at its timeout"},
          .wait = [](Storage&, const WaitRequest& request) -> Result<Changed> { return Changed{request.seen + 1}; }};
}

}  // namespace

std::vector<MakeFlaw> thread_flaws() {
  return {expectations_are_checked_too_early,
          some_commits_are_lost,
          records_are_written_one_by_one,
          nobody_is_told,
          one_waiter_is_told,
          the_sequence_never_rests};
}

}  // namespace openindex
