#include "dispatch/run_limits.hpp"

#include <fmt/format.h>

namespace openindex::dispatch {
namespace {

std::string spent(const char* what, std::uint64_t used, std::uint64_t most) {
  return most != 0 && used >= most ? fmt::format("{} of {} {} used", used, most, what) : std::string();
}

}  // namespace

std::optional<Time> deadline_of(const AgentRun& run, const StageSettings& settings) {
  if (settings.deadline == Duration(0)) return std::nullopt;
  return run.created_at + settings.deadline;
}

std::string spent_on_model(const AgentRun& run, const StageSettings& settings) {
  if (auto turns = spent("turns", run.turns, settings.turns_max); !turns.empty()) return turns;
  if (auto tokens = spent("tokens", run.input_tokens + run.output_tokens, settings.tokens_max); !tokens.empty()) {
    return tokens;
  }
  return spent("micro-units of money", run.cost, settings.cost_max);
}

std::string spent_on_calls(const AgentRun& run, const StageSettings& settings) {
  return spent("tool calls", run.calls, settings.calls_max);
}

// Which of the bounds it met, the run's own detail says.
bool still_put_aside(const AgentRun& run, const StageSettings& settings) {
  if (run.state != RunState::waiting || run.due_at) return false;
  if (run.reason == RunReason::stage_disabled) return !settings.enabled;
  return run.reason == RunReason::budget_exhausted && settings.enabled &&
         (run.detail == spent_on_model(run, settings) || run.detail == spent_on_calls(run, settings));
}

}  // namespace openindex::dispatch
