// Many threads, two engines and four queues on one storage: agents claim, work, lose holds and complete. Afterwards the
// audit chains must prove that every item was completed exactly once, by the agent that held it at that epoch.
//
// openindex_concurrency [items] [threads]; by default 2,000 items and 64 threads.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/workflow/builder.hpp>
#include <openindex/workflow_engine.hpp>

namespace {

using namespace openindex;
using namespace std::chrono_literals;

constexpr Duration hold = 10s;  // by the manual clock

Workflow jobs_workflow() {
  return WorkflowBuilder("JOBS")
      .domain("JOB")
      .execution_target(ExecutionTarget::agent)
      .stage({.key = "open"})
      .status({.key = "waiting", .stage = "open"})
      .status({.key = "doing", .stage = "open", .in_progress = true})
      .stage({.key = "closed"})
      .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
      .transition("waiting", "doing")
      .transition("doing", "done")
      .field({.key = "result"})
      .build()
      .value();
}

// One number per thread is enough to vary what each does.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2654435761u + 1) {}
  bool one_in(std::uint64_t n) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state_ >> 33) % n == 0;
  }

 private:
  std::uint64_t state_;
};

struct Site {
  testing::ManualClock clock;
  MemoryStorage storage;
  std::array<WorkflowEngine, 2> engines{WorkflowEngine({.storage = storage, .clock = clock}),
                                        WorkflowEngine({.storage = storage, .clock = clock})};
  std::array<AgentQueue, 4> queues{AgentQueue(engines[0]), AgentQueue(engines[1]), AgentQueue(engines[0]),
                                   AgentQueue(engines[1])};
  std::uint64_t items = 0;

  std::atomic<std::uint64_t> completed{0}, claims{0}, calls{0}, lost{0}, taken_over{0};
  std::atomic<std::uint64_t> ticks{0};  ///< How often the clock was asked to go on.
  std::atomic<bool> failed{false};

  bool over() const { return failed || completed == items; }
  void tick() {
    ++ticks;
    ticks.notify_one();
  }
  void fail(const std::string& what) {
    if (!failed.exchange(true)) std::printf("FAILED: %s\n", what.c_str());
    tick();
  }
};

// Time goes on when work was done, or when nothing is left to claim: then some hold must run out.
void run_clock(Site& site) {
  std::uint64_t seen = 0;
  while (!site.over()) {
    site.ticks.wait(seen);
    seen = site.ticks;
    site.clock.advance(1s);
  }
}

class Worker {
 public:
  Worker(Site& site, std::size_t number)
      : site_(site),
        queue_(site.queues[number % site.queues.size()]),
        other_engine_(site.engines[(number + 1) % site.engines.size()]),
        me_(Actor::agent("agent-" + std::to_string(number))),
        dice_(number) {}

  void run() {
    while (!site_.over()) {
      auto sessions = claim();
      ++site_.calls;
      if (!sessions) return site_.fail(sessions.error().describe());
      site_.claims += sessions->size();
      for (AgentSession& session : *sessions) begin(std::move(session));
      if (sessions->empty()) {
        site_.tick();
        std::this_thread::yield();
      }
      // What was put aside is finished late: often after its deadline, and after somebody else has taken it.
      const std::size_t patience = sessions->empty() ? 0 : 3;
      while (!site_.failed && aside_.size() > patience) {
        AgentSession late = std::move(aside_.front());
        aside_.pop_front();
        finish(std::move(late));
      }
    }
  }

 private:
  // Mostly one item, sometimes several in one write.
  Result<std::vector<AgentSession>> claim() {
    const Claim wanted{.hold = hold};
    if (dice_.one_in(8)) return queue_.claim_next(me_, 5, {}, wanted);
    auto session = queue_.claim_next(me_, {}, wanted);
    if (!session) return session.error();
    std::vector<AgentSession> sessions;
    if (*session) sessions.push_back(std::move(**session));
    return sessions;
  }

  // A refusal that says the hold is gone ends the work on it; nothing else may be refused.
  template <class T>
  bool went_well(const Result<T>& result) {
    ++site_.calls;
    if (result) return true;
    if (result.error().code() == errc::hold_lost) {
      ++site_.lost;
    } else {
      site_.fail(result.error().describe());
    }
    return false;
  }

  void begin(AgentSession session) {
    if (dice_.one_in(2) && !went_well(session.comment("looking at it"))) return;
    if (!went_well(session.set_field("result", me_.id() + " in epoch " + std::to_string(session.epoch())))) return;
    if (dice_.one_in(40)) {  // a person takes it away, through the engine that has not seen any of this
      if (other_engine_.take_over(Actor::person("mia"), session.item().key, {})) ++site_.taken_over;
      ++site_.calls;
    }
    if (dice_.one_in(4)) {
      aside_.push_back(std::move(session));
    } else {
      finish(std::move(session));
    }
  }

  void finish(AgentSession session) {
    if (!went_well(std::move(session).complete())) return;
    const std::uint64_t done = ++site_.completed;
    if (done % 64 == 0 || done == site_.items) site_.tick();
  }

  Site& site_;
  AgentQueue& queue_;
  WorkflowEngine& other_engine_;
  Actor me_;
  Dice dice_;
  std::deque<AgentSession> aside_;
};

template <class Work>
void in_threads(std::size_t count, Work work) {
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
}

// Reads one item's trail as an auditor would: nobody but the holder of the time may have written.
std::string judge_trail(WorkflowEngine& engine, const ItemKey& key) {
  const Actor host = Actor::system("host");
  if (auto sound = engine.verify(host, key); !sound) return sound.error().describe();
  const auto trail = engine.audit(host, key);
  if (!trail) return trail.error().describe();
  std::string holder;
  std::uint64_t epoch = 0;
  int completions = 0;
  for (const AuditEntry& entry : *trail) {
    if (entry.type == "agent.claimed") {
      if (entry.epoch <= epoch) return "the epoch does not rise with a claim";
      holder = entry.actor;
      epoch = entry.epoch;
    } else if (entry.type == "agent.taken_over" || entry.type == "agent.hold_expired" ||
               entry.type == "agent.released") {
      holder.clear();
    } else if (entry.type != "work_item.created") {
      // A claim that moves the item writes the claim first, in the same commit.
      if (entry.actor != holder || entry.epoch != epoch) return entry.type + " by " + entry.actor + ", who has no hold";
    }
    if (completions != 0) return entry.type + " after the completion";
    if (entry.type == "agent.completed") ++completions;
  }
  if (completions != 1) return "completed " + std::to_string(completions) + " times";
  const auto item = engine.get(host, key);
  if (!item || item->status != "done" || item->hold) return "does not stand where it was completed";
  const std::string result = holder + " in epoch " + std::to_string(epoch);
  return item->fields.at("result") == FieldValue(result) ? "" : "the result is not of who completed it";
}

void judge_all(Site& site, const std::vector<ItemKey>& keys) {
  std::atomic<std::size_t> next{0};
  in_threads(4, [&](std::size_t number) {
    for (std::size_t i = next++; i < keys.size() && !site.failed; i = next++) {
      const std::string wrong = judge_trail(site.engines[number % 2], keys[i]);
      if (!wrong.empty()) site.fail(keys[i].str() + ": " + wrong);
    }
  });
}

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int run(std::uint64_t items, std::size_t threads) {
  Site site;
  site.items = items;
  static_cast<void>(site.engines[0].save(Actor::system("host"), jobs_workflow()).value());
  std::vector<ItemKey> keys(items);
  const double creating = seconds_of([&] {
    in_threads(4, [&](std::size_t number) {
      for (std::size_t i = number; i < items && !site.failed; i += 4) {
        auto made = site.engines[number % 2].create(Actor::system("host"), {.workflow = "JOBS", .title = "Job"});
        if (!made) return site.fail(made.error().describe());
        keys[i] = made->key;
      }
    });
  });
  const double working = seconds_of([&] {
    const std::jthread clock([&] { run_clock(site); });
    in_threads(threads, [&](std::size_t number) { Worker(site, number).run(); });
    site.tick();
  });
  const double judging = seconds_of([&] { judge_all(site, keys); });
  if (site.failed) return 1;
  std::printf("%llu items created in %.1f s\n", static_cast<unsigned long long>(items), creating);
  std::printf("completed by %zu threads in %.1f s: %.0f items, %.0f calls a second\n", threads, working,
              static_cast<double>(items) / working, static_cast<double>(site.calls.load()) / working);
  std::printf("%llu claims, %llu calls refused because the hold was lost, %llu items taken over by a person\n",
              static_cast<unsigned long long>(site.claims.load()), static_cast<unsigned long long>(site.lost.load()),
              static_cast<unsigned long long>(site.taken_over.load()));
  std::printf("every trail proves one completion, by the holder; judged in %.1f s\n", judging);
  if (site.lost >= items / 50 && site.taken_over != 0 && site.claims > items) return 0;
  std::printf("FAILED: too few holds were lost to prove anything\n");
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  const auto number = [&](int at, std::uint64_t otherwise) {
    return count > at ? std::strtoull(arguments[at], nullptr, 10) : otherwise;
  };
  try {
    return run(number(1, 2000), static_cast<std::size_t>(number(2, 64)));
  } catch (const std::exception& thrown) {
    std::printf("stopped: %s\n", thrown.what());
    return 1;
  }
}
