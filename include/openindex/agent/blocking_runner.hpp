// BlockingRunner: an agent as a plain function, that may take its time.
//
//     BlockingRunner lint{[](AgentSession& work, std::stop_token stop) -> Result<void> {
//       const auto findings = run_linter(work.item().fields.at("path"), stop);
//       if (auto r = work.comment(findings); !r) return r.error();
//       return work.progress("lint_to_review", {.accept_text = true});
//     }};
//     dispatcher.add_runner("lint", lint);
//
// The function runs on a thread of the runner's (or an executor of the host's), with the run's item in a session; the
// dispatcher keeps the hold alive meanwhile. `stop` fires when the run is no longer its own (somebody took the item,
// cancelled the run, stopped agents, its time is up) or the dispatcher ends: what it writes afterwards is refused, with
// `hold_lost` or the like. What becomes of the run:
// - the item has left the stage: it has succeeded, in that very commit;
// - the function returns success and the item is still there: it waits for a person (`needs_person`), with the note of
//   `release` if it gave the item back; if it was told to stop since the dispatcher ends, it goes back to the queue;
// - it returns an error or throws: it has failed (`runner_failed`), with the error's message; after `hold_lost` and
//   errors of the storage it is left to whoever has it now, or to its next start.
// The next start of a run on the same item in this dispatcher waits until the function has returned (`stopping` tells
// when that takes long). A process that dies starts it again from the beginning, `Dispatcher::Options::starts_max`
// times.
//
// Thread safety: the function is called for several runs at once. Lifetime: must outlive the dispatcher; what the
// function uses must outlive the runner, which waits in its destructor for functions that run on its own threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include <openindex/agent/agent_runner.hpp>
#include <openindex/agent/agent_session.hpp>
#include <openindex/core/executor.hpp>

namespace openindex {
inline namespace v0 {

struct BlockingRunnerOptions {
  std::uint32_t threads_max = 4;  ///< Functions that run at once on threads of its own, at least 1; others queue.
  Executor executor = {};         ///< Where functions run instead; must not be one that runs them at once.
};

class OPENINDEX_API BlockingRunner final : public AgentRunner {
 public:
  explicit BlockingRunner(HostWork work, BlockingRunnerOptions options = {});
  ~BlockingRunner() override;
  std::unique_ptr<RunProgram> start() override;

  /// Call the function by hand, on a session of a queue; an exception becomes `host_callback_failed`.
  Result<void> operator()(AgentSession& work, const std::stop_token& stop) const;

 private:
  class Threads;
  HostWork work_;
  std::shared_ptr<Threads> threads_;  ///< Null: the host's executor is used.
  Executor executor_;
};

}  // namespace v0
}  // namespace openindex
