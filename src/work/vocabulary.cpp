// How the enumerations of the work room are spelled on the wire.
#include <array>
#include <utility>

#include <openindex/work/agent_run.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::array<std::string_view, 4> priorities{"critical", "high", "medium", "low"};
constexpr std::array<std::string_view, 6> run_states{"queued",    "running", "waiting",
                                                     "succeeded", "failed",  "cancelled"};
constexpr std::array<std::string_view, 30> run_reasons{
    "none",         "no_provider",     "provider_disabled", "no_runner",        "rate_limited",     "overloaded",
    "network",      "malformed_reply", "unauthorized",      "out_of_credit",    "rejected_request", "item_held",
    "needs_person", "crash_loop",      "turn_limit",        "context_too_long", "refused",          "runner_failed",
    "dependencies", "left_stage",      "budget_exhausted",  "deadline_passed",  "stage_disabled",   "token_limit",
    "no_progress",  "unknown_effect",  "needs_approval",    "stopping",         "agents_stopped",   "stopped"};

constexpr std::array<std::string_view, 3> work_kinds{"project", "task", "sub_task"};
constexpr std::array<std::string_view, 3> granularities{"none", "date", "datetime"};

template <class Enum, std::size_t N>
std::optional<Enum> unspell(const std::array<std::string_view, N>& table, std::string_view text) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Priority value) noexcept { return priorities[static_cast<std::size_t>(value)]; }
std::string_view to_text(WorkKind value) noexcept { return work_kinds[static_cast<std::size_t>(value)]; }
std::string_view to_text(ScheduleGranularity value) noexcept { return granularities[static_cast<std::size_t>(value)]; }
std::optional<WorkKind> parse_work_kind(std::string_view text) noexcept { return unspell<WorkKind>(work_kinds, text); }
std::optional<ScheduleGranularity> parse_schedule_granularity(std::string_view text) noexcept {
  return unspell<ScheduleGranularity>(granularities, text);
}
std::string_view to_text(RunState value) noexcept { return run_states[static_cast<std::size_t>(value)]; }
std::string_view to_text(RunReason value) noexcept { return run_reasons[static_cast<std::size_t>(value)]; }
std::optional<Priority> parse_priority(std::string_view text) noexcept { return unspell<Priority>(priorities, text); }
std::optional<RunState> parse_run_state(std::string_view text) noexcept { return unspell<RunState>(run_states, text); }
std::optional<RunReason> parse_run_reason(std::string_view text) noexcept {
  return unspell<RunReason>(run_reasons, text);
}

}  // namespace v0
}  // namespace openindex
