#include "crash/hammer.hpp"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <openindex/agent_queue.hpp>

#include "storage/life.hpp"

namespace openindex::crash {
namespace {

class Reporter {
 public:
  explicit Reporter(int pipe) : pipe_(pipe) {}

  void tell(Report::What what, std::string_view name, std::uint64_t number) const {
    Report report{what, number, {}};
    std::copy_n(name.begin(), std::min(name.size(), report.name.size() - 1), report.name.begin());
    if (::write(pipe_, &report, sizeof report) != sizeof report) _exit(0);  // the parent has gone
  }

  template <class T>
  T must(Result<T> result) const {
    if (result) return std::move(*result);
    fail(result.error());
  }
  void must(const Result<void>& result) const {
    if (!result) fail(result.error());
  }

 private:
  [[noreturn]] void fail(const Error& error) const {
    tell(Report::What::failure, error.describe(), static_cast<std::uint64_t>(error.code()));
    _exit(1);
  }

  int pipe_;
};

/// One thread: it creates items, takes whatever item comes next through its life, and journals steps of a run.
class Worker {
 public:
  Worker(const Reporter& reporter, Storage& storage, WorkflowEngine& engine, AgentQueue& queue, std::string name)
      : reporter_(reporter), storage_(storage), engine_(engine), queue_(queue), name_(std::move(name)) {}

  void work() {
    journaled_ = read_journaled();
    for (;;) {
      const auto created = reporter_.must(begin_life(engine_));
      reporter_.tell(Report::What::item, created.key.str(), 1);
      auto session = reporter_.must(queue_.claim_next(Actor::agent(name_)));
      if (session) live(std::move(*session));
      journal_step();
    }
  }

 private:
  void live(AgentSession session) {
    const auto key = session.item().key.str();
    reporter_.tell(Report::What::item, key, 2);
    reporter_.must(session.progress("intake_to_check", {.accept_text = true}));
    reporter_.tell(Report::What::item, key, 3);
    reporter_.must(session.progress("check_to_build", {.checked = {"Looked at", "Understood"}}));
    reporter_.tell(Report::What::item, key, 4);
    static_cast<void>(reporter_.must(std::move(session).complete({.to_status = "done"})));
    reporter_.tell(Report::What::item, key, life_steps_count);
  }

  RecordId run() const { return {"host.run", name_}; }

  std::uint64_t read_journaled() {
    const auto id = run();
    const auto found = reporter_.must(storage_.get({&id, 1})).front();
    return found ? found->version : 0;
  }

  void journal_step() {
    ChangeSet step;
    step.id = "commit_1";
    step.expectations = {{run(), journaled_}};
    step.puts = {{run(), "{}", {}}};
    step.appends = {{{"host.step", name_ + "/" + std::to_string(journaled_ + 1)}, std::string(1'000, 'y'), {}}};
    static_cast<void>(reporter_.must(std::move(storage_.commit({&step, 1}).front())));
    reporter_.tell(Report::What::journal, name_, ++journaled_);
  }

  const Reporter& reporter_;
  Storage& storage_;
  WorkflowEngine& engine_;
  AgentQueue& queue_;
  std::string name_;
  std::uint64_t journaled_ = 0;
};

}  // namespace

int hammer(const OpenStorage& open, int pipe, const std::string& process) {
  const Reporter reporter(pipe);
  const auto storage = reporter.must(open());
  WorkflowEngine engine{{.storage = *storage}};
  static_cast<void>(reporter.must(engine.save(Actor::system("host"), life_workflow())));
  AgentQueue queue(engine);
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i) {
    threads.emplace_back(
        [&, i] { Worker(reporter, *storage, engine, queue, process + "." + std::to_string(i)).work(); });
  }
  for (auto& thread : threads) thread.join();
  return 0;
}

}  // namespace openindex::crash
