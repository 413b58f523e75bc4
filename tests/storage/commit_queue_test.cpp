// In which order calls are committed that wait for each other.
#include "storage/commit_queue.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/test_records.hpp"

using namespace openindex;
using storage::CommitQueue;

namespace {

ChangeSet step(const std::string& key) {
  ChangeSet changes;
  changes.appends = {{test_record(key), "{}", {}}};
  return changes;
}

/// Callers on threads of their own, one after the other, and what each group of theirs held: the first record's key for
/// each change set. The first group takes as long as they need to arrive.
class Callers {
 public:
  void call(std::vector<ChangeSet> sets) {
    threads_.emplace_back([this, sets = std::move(sets)] {
      std::vector<Result<CommitReceipt>> results;
      queue_.commit(storage::entries_of(sets, results));
      for (const auto& result : results) CHECK(result.has_value());
    });
    ++called_;
    // Who comes first leads, and the others are told to wait in the order in which they come.
    while (arrived() < called_) std::this_thread::yield();
  }

  std::vector<std::string> end() {
    {
      const std::lock_guard lock(mutex_);
      may_end_ = true;
    }
    for (auto& thread : threads_) thread.join();
    return groups_;
  }

 private:
  std::size_t arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

  void run(CommitQueue::Lead& lead) {
    std::string names;
    for (const auto& entry : lead.entries()) {
      const auto& set = *entry.changes;
      const auto& key = (set.puts.empty() ? set.appends : set.puts).front().id.key;
      if (!names.ends_with(key)) names += (names.empty() ? "" : " ") + key;
      *entry.result = CommitReceipt();
    }
    std::unique_lock lock(mutex_);
    groups_.push_back(names);
    while (!may_end_) {
      arrived_ = 1 + lead.waiting_count();
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::size_t called_ = 0;
  std::size_t arrived_ = 0;
  bool may_end_ = false;
  std::vector<std::string> groups_;
  std::vector<std::thread> threads_;
  CommitQueue queue_{[this](CommitQueue::Lead& lead) { run(lead); }, 1};
};

}  // namespace

TEST_CASE("calls that come while a group is committed share the next one, heartbeats before the others") {
  Callers callers;
  callers.call({step("first")});
  callers.call({step("step1")});
  callers.call({test_put("beat1")});
  callers.call({step("step2"), test_put("beat in company")});
  callers.call({test_put("beat2")});
  CHECK(callers.end() == std::vector<std::string>{"first", "beat1 beat2 step1 step2 beat in company"});
}

TEST_CASE("heartbeats go before calls that fill a group, and those that they leave no room for lead the next one") {
  const std::vector many(512, step("many"));
  const std::vector beats(300, test_put("beats"));
  Callers callers;
  callers.call({step("first")});
  callers.call(many);
  callers.call(beats);
  callers.call(beats);
  callers.call(beats);
  CHECK(callers.end() == std::vector<std::string>{"first", "beats", "many", "beats", "beats"});
}

TEST_CASE("a leader that passes on lets the next one work beside it") {
  std::mutex mutex;
  std::vector<std::string> ended;
  std::thread next;
  CommitQueue* to_call = nullptr;
  CommitQueue queue(
      [&](CommitQueue::Lead& lead) {
        const auto& first = lead.entries().front();
        *first.result = CommitReceipt();
        const auto key = first.changes->puts.front().id.key;
        if (key == "slow") {
          next = std::thread([&] {
            const std::vector quick = {test_put("quick")};
            std::vector<Result<CommitReceipt>> results;
            to_call->commit(storage::entries_of(quick, results));
          });
          while (lead.waiting_count() == 0) std::this_thread::yield();
          lead.pass_on();
          next.join();
        }
        const std::lock_guard lock(mutex);
        ended.push_back(key);
      },
      1);
  to_call = &queue;
  const std::vector slow = {test_put("slow")};
  std::vector<Result<CommitReceipt>> results;
  queue.commit(storage::entries_of(slow, results));
  CHECK(ended == std::vector<std::string>{"quick", "slow"});
}
