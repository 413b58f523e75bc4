// AgentRun: one dispatch of one agent-required stage of one item, and its journal.
//
// Created in the commit that enters the stage, worked by a `Dispatcher`, ended in the commit that leaves the stage.
// (openindex.md 3.7, architecture section 8) Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>

namespace openindex {
inline namespace v0 {

enum class RunState : std::uint8_t { queued, running, waiting, succeeded, failed, cancelled };

/// Why a run waits or how it ended, for programs; `AgentRun::detail` says it for people.
enum class RunReason : std::uint8_t {
  none,
  no_provider,        ///< waiting until a provider is attached
  provider_disabled,  ///< waiting until one is enabled
  no_runner,          ///< waiting until the host registers the runner
  rate_limited,       ///< waiting until `due_at`
  overloaded,         ///< waiting until `due_at`
  network,            ///< waiting until `due_at`
  malformed_reply,    ///< waiting until `due_at`
  unauthorized,       ///< waiting until the provider's settings change
  out_of_credit,      ///< waiting until the provider's settings change
  rejected_request,   ///< waiting until the provider's settings change
  item_held,          ///< waiting until another holder's deadline
  needs_person,       ///< waiting: the agent cannot finish the stage
  crash_loop,         ///< waiting: the same step killed the process repeatedly
  turn_limit,         ///< failed: more turns than allowed
  context_too_long,   ///< failed
  refused,            ///< failed: the model or its filter refused
  runner_failed,      ///< failed: the runner gave up
  dependencies,       ///< waiting until what the item depends on is resolved
  left_stage,         ///< cancelled: the item left the stage by another hand
  budget_exhausted,   ///< waiting until the stage's settings allow more turns, tokens or calls
  deadline_passed,    ///< failed: it lasted longer than the stage's settings allow
  stage_disabled,     ///< waiting until the stage's settings enable it
  token_limit,        ///< waiting: the limit of its providers' tokens is reached; until the next period
  no_progress,        ///< failed: the agent repeats a call that is refused
  unknown_effect,     ///< waiting: whether a call took effect outside before an interruption is not known
  needs_approval,     ///< waiting: a person has to approve a call of a tool
  stopping,           ///< waiting until the work of an earlier start has returned; tried again at `due_at`
  agents_stopped,     ///< waiting until agents may work again: `WorkflowEngine::let_agents_work`
  stopped,            ///< cancelled: somebody wanted it to end; the item stands in the stage without a run
};

OPENINDEX_API std::string_view to_text(RunState value) noexcept;
OPENINDEX_API std::string_view to_text(RunReason value) noexcept;
OPENINDEX_API std::optional<RunState> parse_run_state(std::string_view text) noexcept;
OPENINDEX_API std::optional<RunReason> parse_run_reason(std::string_view text) noexcept;

struct AgentRun {
  RunId id = {};
  ItemKey item = {};
  WorkflowId workflow = {};
  std::string stage = {};
  std::string runner = {};
  RunState state = RunState::queued;
  RunReason reason = RunReason::none;
  std::string detail = {};                ///< For people: what it waits for or why it ended.
  AgentId agent = {};                     ///< As which it works; empty before the first start.
  std::uint64_t epoch = 0;                ///< Of the hold it works under.
  std::uint32_t attempt = 1;              ///< The how manieth run of the item's stay in the stage; people start others.
  std::string question = {};              ///< What it waits to be answered by a person: `ResumeRun::answer`.
  std::vector<std::string> options = {};  ///< Answers that the agent proposes; another one is as good.
  std::uint32_t steps = 0;                ///< Journaled steps.
  std::uint32_t starts = 0;               ///< How often the step in progress was started.
  std::uint32_t asked = 0;           ///< The last of these starts, but the first, that got as far as asking a model.
  std::uint32_t retries = 0;         ///< Failures of the provider in a row.
  std::string provider = {};         ///< Id of the provider asked last.
  std::string wanted_provider = {};  ///< Id of the one to ask first, if the stage has it: `ResumeRun`, `StartRun`.
  std::uint32_t turns = 0;           ///< Answers of a model.
  std::uint32_t calls = 0;           ///< Calls of the host's tools, refused ones and repeated ones included.
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  /// Of those tokens, in micro-units of the currency of the prices that its dispatchers had; models without a price
  /// count nothing.
  std::uint64_t cost = 0;
  Time created_at{};
  std::optional<Time> started_at = {};  ///< First start of its work.
  std::optional<Time> due_at = {};      ///< When it is tried again by itself.
  std::optional<Time> deadline = {};  ///< When it fails by itself, as the settings were when a dispatcher last looked.
  std::optional<Time> ended_at = {};
  std::string token_hash = {};       ///< Of the token that was issued with its last start; tells nothing of it.
  std::uint64_t version = 0;         ///< Of the stored record.
  bool journal_pruned = false;       ///< Its journal was erased: `WorkflowEngine::prune`.
  std::string unknown_members = {};  ///< Of a record that a newer version wrote; kept as they are.

  [[nodiscard]] bool ended() const noexcept { return state >= RunState::succeeded; }
};

/// One journaled step of a run: what was asked of a model or a tool, and what came of it.
struct RunStep {
  std::string key = {};  ///< `<run>.<number>`: minted by us; the idempotency key of what the step did.
  std::uint32_t number = 0;
  std::string kind = {};  ///< `context`, `turn`, `intent`, `tool`, `note`, …
  Time at{};
  std::string body = {};  ///< JSON, by kind; see docs/journal.md.
};

}  // namespace v0
}  // namespace openindex
