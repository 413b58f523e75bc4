// Dispatcher: hands agent-required stages to runners, and keeps a journal of every step.
//
// Runs are durable: they are created in the commit that enters the stage, claimed like items, and continued from their
// last journaled step after a crash. No journaled turn is asked of a model again and no tool acts twice; a request that
// was in flight when the process died may be asked once more. Nothing waits in silence: a run that cannot go on is
// `waiting` with a reason, an audit entry and an answer from `WorkflowEngine::explain`.
//
// Whether the runs of a stage start, what each may use and how long it may last is said by the `StageSettings`, which
// every round goes by as they are at its beginning.
//
// Several dispatchers, in several processes, may share one storage.
//
// Thread safety: `wake` from any thread; everything else by one thread at a time. Lifetime: what the options name,
// tools and runners must outlive it. `run` and `run_until_idle` work on the calling thread; no thread is started.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <openindex/agent/agent_runner.hpp>
#include <openindex/agent/chat.hpp>
#include <openindex/agent/price_table.hpp>
#include <openindex/agent/tool.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/http/http_client.hpp>
#include <openindex/work/agent_run.hpp>

namespace openindex {
inline namespace v0 {

class WorkflowEngine;
class ProviderRegistry;

/// Something happened to a run, after it was committed.
struct RunUpdate {
  enum class What : std::uint8_t {
    started,
    turn,  ///< The model has answered; with its usage.
    tool,  ///< A call is done, of a built-in tool or the host's.
    waiting,
    ended,
    text,  ///< A piece of the model's text as it is written, before anything is committed; the turn repeats it all.
  };
  What what = What::started;
  const AgentRun& run;
  std::string_view detail;  ///< turn: the model's text; text: the piece; tool: the tool's name; waiting, ended: why.
  Usage usage = {};         ///< turn: of this answer.
};

/// Called on the dispatcher's thread; keep it quick. An exception is swallowed.
using RunObserver = std::function<void(const RunUpdate&)>;

/// What one round did.
struct StepReport {
  std::uint32_t in_flight = 0;        ///< Runs this dispatcher is working on now.
  std::uint32_t events = 0;           ///< Answers, results and starts handled in this round.
  std::optional<Time> next_due = {};  ///< When something will be due by itself.
};

/// How `Dispatcher::run_until_idle` works.
struct UntilIdle {
  RunObserver observer = {};  ///< Replaces the one given to `observe`; empty: keeps it.
  std::stop_token stop = {};  ///< Ends the work early, as `run` would.
};

class OPENINDEX_API Dispatcher {
 public:
  struct Options {
    WorkflowEngine& engine;
    ProviderRegistry& providers;
    HttpClient& http;
    AgentId agent = "openindex-dispatcher";  ///< As which its runs appear in ownership and audit.
    std::uint32_t runs_max = 64;             ///< Runs worked on at once.
    Duration hold{60'000};                   ///< Of a run's item; beaten at a third. 1 second to 7 days.
    /// A step that was started this often without an end: waiting(crash_loop). Starts that got as far as asking a model
    /// do not count, up to 100: whoever waits for an answer did not kill the process.
    std::uint32_t starts_max = 3;
    Duration backoff_min{1'000};  ///< First pause after a provider's failure; doubles, with jitter.
    Duration backoff_max{60'000};
    std::uint32_t retries_max = 8;    ///< Failures in a row before a run stops trying by itself.
    Duration model_timeout{600'000};  ///< Of one request.
    /// How long functions of the host that were asked to stop are waited for: by `run` before it returns, and before a
    /// run that waits for one says so (`stopping`).
    Duration stop_grace{10'000};
    /// What tokens cost, for `AgentRun::cost` and the budgets of stages; empty: nothing is counted.
    PriceTable prices = {};
    /// Ask models to write while they think, and tell the observer each piece (`RunUpdate::What::text`), as far as the
    /// `HttpClient` tells parts of answers. An answer that is cut off in the middle is asked for again, as any other.
    bool stream = false;
  };
  explicit Dispatcher(Options options);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Offer a tool to every run. @par Errors invalid_argument (name, schema), already_exists
  Result<void> add_tool(Tool tool);

  /// Register a runner for stages that name it; `chat` is there already and may be replaced.
  void add_runner(const std::string& name, AgentRunner& runner);

  void observe(RunObserver observer);

  /// Do one round of what is due: handle answers, start and take over runs, beat. Does not block on the network.
  /// @par Errors storage
  Result<StepReport> step();

  /// Work until asked to stop; then gives its runs back, so that another dispatcher can go on at once.
  /// @par Errors storage (only when it does not recover within a minute)
  Result<void> run(std::stop_token stop);

  /// Work until no run is queued, running or due again by itself. Runs that wait for somebody do not count.
  /// @par Errors as run
  Result<void> run_until_idle(UntilIdle options = {});

  /// End the sleep of `run`, if it sleeps.
  void wake() noexcept;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace v0
}  // namespace openindex
