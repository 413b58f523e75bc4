// Queue: how long an agent that waits for work sleeps on after the work was committed, beside a bare condition
// variable.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/figures.hpp"
#include "bench/helpdesk_definition.hpp"

namespace openindex::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t wakes_per_round = 1000;

/// Says when a commit is done, before its caller knows, and when somebody goes to sleep.
class StampingStorage final : public Storage {
 public:
  std::atomic<std::uint64_t> sleeps{0};
  SteadyClock::time_point committed{};

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override { return memory_.get(ids); }
  Result<ScanPage> scan(const ScanRequest& request) override { return memory_.scan(request); }
  Result<std::uint64_t> count(const CountRequest& request) override { return memory_.count(request); }
  void wake() noexcept override { memory_.wake(); }
  Result<Changed> wait_for_change(const WaitRequest& request) override {
    if (request.timeout > Duration(0)) ++sleeps;
    return memory_.wait_for_change(request);
  }
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override {
    auto results = memory_.commit(changes);
    committed = SteadyClock::now();
    return results;
  }

 private:
  MemoryStorage memory_;
};

/// Wake a sleeper again and again; the median in microseconds.
///
/// `sleep` returns when it was woken; `sleeps` counts how often it went to sleep; `wake` returns when the work was
/// there.
double median_us(const std::function<void()>& sleep, const std::atomic<std::uint64_t>& sleeps,
                 const std::function<SteadyClock::time_point()>& wake) {
  std::atomic<std::uint64_t> asked{0};
  std::atomic<std::uint64_t> answered{0};
  SteadyClock::time_point woken{};
  std::thread sleeper([&] {
    for (std::uint64_t i = 1; i <= wakes_per_round; ++i) {
      asked.wait(i - 1);
      sleep();
      woken = SteadyClock::now();
      answered = i;
      answered.notify_one();
    }
  });
  std::vector<double> times;
  for (std::uint64_t i = 1; i <= wakes_per_round; ++i) {
    const std::uint64_t before = sleeps;
    asked = i;
    asked.notify_one();
    while (sleeps == before) std::this_thread::yield();
    // It is about to sleep: give it the time to do so.
    const auto asleep = SteadyClock::now() + std::chrono::microseconds(100);
    while (SteadyClock::now() < asleep) std::this_thread::yield();
    const auto there = wake();
    answered.wait(i - 1);
    times.push_back(std::chrono::duration<double, std::micro>(woken - there).count());
  }
  sleeper.join();
  std::nth_element(times.begin(), times.begin() + wakes_per_round / 2, times.end());
  return times[wakes_per_round / 2];
}

double queue_wake() {
  StampingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  AgentQueue queue(engine);
  const Actor host = Actor::system("host");
  const Actor agent = Actor::agent("agent-alpha");
  require(engine.save(host, helpdesk_workflow()));
  ItemKey last;
  const auto sleep = [&] { require(queue.wait_available(agent, {}, std::chrono::hours(1))); };
  return median_us(
      [&] {
        if (!last.empty()) require(engine.claim(agent, last));  // so that there is nothing to do
        sleep();
      },
      storage.sleeps,
      [&] {
        last = engine.create(host, helpdesk_request()).value().key;
        return storage.committed;
      });
}

double condition_variable_wake() {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<std::uint64_t> sleeps{0};
  bool there = false;
  return median_us(
      [&] {
        std::unique_lock lock(mutex);
        ++sleeps;
        changed.wait(lock, [&] { return there; });
        there = false;
      },
      sleeps,
      [&] {
        {
          const std::lock_guard lock(mutex);
          there = true;
        }
        const auto told = SteadyClock::now();
        changed.notify_one();
        return told;
      });
}

}  // namespace

std::vector<Figure> queue_figures() {
  return {{.name = "queue.wake_p50_us", .unit = "us", .prepare = [](const Place&) {
             return Rounds{.value = queue_wake, .baseline = condition_variable_wake};
           }}};
}

}  // namespace openindex::bench
