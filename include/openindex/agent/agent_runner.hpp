// AgentRunner: what executes an agent-required stage, as a state machine.
//
// A runner makes one `RunProgram` for each run; the dispatcher feeds it events and performs the action it answers with.
// A program does no I/O, keeps no thread and no clock, so ten thousand of them cost memory only. What it needs after a
// crash it reads from the journal in its first event. `ChatRunner` is the ready-made one: a tool-calling model.
//
// For implementers: `start` and `on` are called by one thread at a time for one run, by several threads for several
// runs; they must not block. An exception ends the run as failed(runner_failed).
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include <openindex/agent/chat.hpp>
#include <openindex/agent/tool.hpp>
#include <openindex/core/executor.hpp>
#include <openindex/core/result.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/agent_run.hpp>
#include <openindex/work/rules.hpp>

namespace openindex {
inline namespace v0 {

class AgentSession;

/// What a program is told.
struct RunBegins {
  const AgentRun& run;
  const AgentContext& context;
  const std::vector<RunStep>& journal;  ///< Empty on the first start; after a crash: everything that was done.
  const std::vector<Tool>& tools;       ///< The host's.
  /// The run's credential, `oi_run_…`, for work that goes on elsewhere: `WorkflowEngine::actor_of_token` knows it for
  /// as long as the run works under this start. Told here and nowhere else; a secret.
  std::string_view token = {};
};
struct ModelReplied {
  const ChatReply& reply;  ///< Journaled already, as one step of kind `turn`.
  const AgentContext& context;
};
struct CallDone {
  const ToolOutcome& outcome;   ///< Journaled already, as one step of kind `tool`.
  const AgentContext& context;  ///< After the call.
};
using RunEvent = std::variant<RunBegins, ModelReplied, CallDone>;

/// A step to journal together with the answer that follows it.
struct StepDraft {
  std::string kind = {};
  std::string body = {};  ///< JSON
};

/// What a program wants next.
struct AskModel {
  ChatRequest request = {};
  std::vector<StepDraft> journal_first = {};  ///< Journaled with the reply, before it.
};
/// Change the run's own item; a refusal comes back as an outcome with `is_error`.
struct Act {
  ToolUse call = {};  ///< As the journal shall name it.
  Command command;
};
/// Call a tool of the host; the arguments are checked against its schema first.
struct CallHostTool {
  ToolUse call = {};
  bool approved = false;  ///< A person approved of it: the last `resumed` of the journal says so.
};
/// Find out what became of a call whose `intent` is in the journal without an outcome, and make it if it was not made.
/// What nobody can tell makes the run wait with `unknown_effect`. (`ToolEffect`)
struct SettleCall {
  ToolUse call = {};
};
/// A function of the host that works on an item through a session. (`BlockingRunner`)
using HostWork = std::function<Result<void>(AgentSession& work, std::stop_token stop)>;
/// Let a function do all the work of the run, where the executor runs it; the program is not called again.
struct WorkOnHost {
  HostWork work = {};
  Executor executor = {};
};
/// Answer a call without doing anything, for a call that makes no sense.
struct RejectCall {
  ToolUse call = {};
  std::string text = {};
};
/// Stop until a person does something: resumes the run, with an answer, or moves the item. When it goes on, the program
/// is begun anew, and the journal's last step, of kind `resumed`, has the answer. (docs/journal.md)
struct AskPerson {
  RunReason reason = RunReason::needs_person;
  std::string detail = {};
  std::string question = {};  ///< As `AgentRun::question`; empty: nothing is asked.
  std::vector<std::string> options = {};
};
/// Give up: the run ends as failed.
struct GiveUp {
  RunReason reason = RunReason::runner_failed;
  std::string detail = {};
};
using RunAction = std::variant<AskModel, Act, CallHostTool, SettleCall, WorkOnHost, RejectCall, AskPerson, GiveUp>;

class OPENINDEX_API RunProgram {
 public:
  RunProgram() = default;
  virtual ~RunProgram();
  RunProgram(const RunProgram&) = delete;
  RunProgram& operator=(const RunProgram&) = delete;

  /// Take an event, say what to do next. Not called any more once the item has left the stage.
  virtual RunAction on(const RunEvent& event) = 0;
};

class OPENINDEX_API AgentRunner {
 public:
  AgentRunner() = default;
  virtual ~AgentRunner();
  AgentRunner(const AgentRunner&) = delete;
  AgentRunner& operator=(const AgentRunner&) = delete;

  /// Make the program of one run.
  virtual std::unique_ptr<RunProgram> start() = 0;
};

}  // namespace v0
}  // namespace openindex
