#include <openindex/workflow/check.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "workflow/status_graph.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using workflow::StatusGraph;

// Lower case without spaces at the ends and doubled ones inside: what a reader takes for the same.
std::string as_read(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space) {
      out += lower_ascii(c);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// Whom the ways out of a stage are open to.
struct WaysOut {
  std::size_t all = 0;
  std::size_t for_people = 0;  // only
  std::size_t for_others = 0;  // than whoever worked in the stage
};

class Check {
 public:
  explicit Check(const Workflow& workflow) : workflow_(workflow), graph_(workflow) {}

  CheckReport run() {
    if (graph_.complete()) {
      check_reached();
      check_finishing();
      check_agent_stages();
      check_blocked();
    }
    check_statuses();
    check_stages();
    check_gates();
    check_fields();
    add_refusals();
    const auto before = [](const Finding& a, const Finding& b) { return a.severity < b.severity; };
    std::stable_sort(report_.findings.begin(), report_.findings.end(), before);
    return std::move(report_);
  }

 private:
  void add(Severity severity, std::string_view code, std::string pointer, std::string message) {
    report_.findings.push_back({severity, std::string(code), std::move(pointer), std::move(message)});
  }
  void error(std::string_view code, std::string pointer, std::string message) {
    add(Severity::error, code, std::move(pointer), std::move(message));
  }
  void warning(std::string_view code, std::string pointer, std::string message) {
    add(Severity::warning, code, std::move(pointer), std::move(message));
  }
  static std::string place(std::string_view list, std::size_t index) { return fmt::format("/{}/{}", list, index); }

  void check_reached();
  void check_reached_gates(const std::vector<bool>& reached);
  void check_finishing();
  void check_loops();
  void check_agent_stages();
  void check_blocked();
  void check_statuses();
  void check_stages();
  void check_gates();
  void check_fields();
  void check_alike(std::string_view code, const std::string& pointer, const std::vector<std::string>& entries);
  void add_refusals();
  [[nodiscard]] std::vector<WaysOut> ways_out() const;

  const Workflow& workflow_;
  const StatusGraph graph_;
  CheckReport report_;
};

void Check::check_reached() {
  const auto reached = graph_.reached();
  std::vector<bool> stage_reached(workflow_.stages.size()), inhabited(workflow_.stages.size());
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const Status& status = workflow_.statuses[i];
    const std::size_t stage = *graph_.stage_of(i);
    inhabited[stage] = true;
    if (reached[i]) {
      stage_reached[stage] = true;
      continue;
    }
    error(status.resolution ? "unreachable_terminal" : "unreachable_status", place("statuses", i),
          fmt::format("'{}' cannot be reached from '{}'", status.key, workflow_.initial_status));
  }
  for (std::size_t i = 0; i < inhabited.size(); ++i) {
    if (!inhabited[i] || stage_reached[i]) continue;
    error("unreachable_stage", place("stages", i),
          fmt::format("no status of the stage '{}' can be reached", workflow_.stages[i].key));
  }
  check_reached_gates(reached);
}

void Check::check_reached_gates(const std::vector<bool>& reached) {
  std::vector<bool> usable(workflow_.gates.size());
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (!reached[i]) continue;
    for (const auto& move : graph_.moves(i)) {
      if (move.gate) usable[*move.gate] = true;
    }
  }
  for (std::size_t i = 0; i < usable.size(); ++i) {
    const StageGate& gate = workflow_.gates[i];
    if (usable[i]) continue;
    error(
        "unreachable_gate", place("stageGates", i),
        fmt::format("no item can stand in the stage '{}' with a transition to '{}'", gate.from_stage, gate.to_status));
  }
}

void Check::check_finishing() {
  std::set<std::string_view> blocked;
  for (const std::size_t i : graph_.blocked()) blocked.insert(workflow_.transitions[i].from);
  for (std::size_t i = 0; i < workflow_.statuses.size(); ++i) {
    const Status& status = workflow_.statuses[i];
    if (status.resolution || !graph_.moves(i).empty()) continue;
    const char* why = blocked.contains(status.key) ? "; its transitions cross gated boundaries beside the gates" : "";
    error("dead_end", place("statuses", i),
          fmt::format("nothing leads out of '{}', and it is not terminal: items stay there{}", status.key, why));
  }
  check_loops();
}

void Check::check_loops() {
  constexpr std::size_t named_max = 8;
  const auto finishing = graph_.finishing();
  for (const auto& loop : graph_.loops()) {
    if (finishing[loop.front()]) continue;
    std::string names;
    for (std::size_t i = 0; i < std::min(loop.size(), named_max); ++i) {
      names += fmt::format("{}'{}'", i == 0 ? "" : ", ", workflow_.statuses[loop[i]].key);
    }
    if (loop.size() > named_max) names += fmt::format(" and {} more", loop.size() - named_max);
    error("loop_without_exit", place("statuses", loop.front()),
          fmt::format("{} lead to each other and never to a terminal status", names));
  }
}

std::vector<WaysOut> Check::ways_out() const {
  std::vector<WaysOut> out(workflow_.stages.size());
  for (std::size_t i = 0; i < workflow_.statuses.size(); ++i) {
    for (const auto& move : graph_.moves(i)) {
      const bool stays = graph_.stage_of(i) == graph_.stage_of(move.to) && !workflow_.statuses[move.to].resolution;
      if (stays) continue;
      WaysOut& ways = out[*graph_.stage_of(i)];
      ++ways.all;
      if (!move.gate) continue;
      const StageGate& gate = workflow_.gates[*move.gate];
      if (gate.people_only) {
        ++ways.for_people;
      } else if (gate.approver_not_worker) {
        ++ways.for_others;
      }
    }
  }
  return out;
}

void Check::check_agent_stages() {
  std::vector<bool> works(workflow_.stages.size());
  for (std::size_t i = 0; i < workflow_.statuses.size(); ++i) {
    if (!workflow_.statuses[i].resolution) works[*graph_.stage_of(i)] = true;
  }
  const auto out = ways_out();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Stage& stage = workflow_.stages[i];
    if (!stage.agent_required) continue;
    if (!works[i]) {
      warning("agent_stage_only_terminal", place("stages", i),
              fmt::format("'{}' requires an agent, but no status of it leaves work to do", stage.key));
    } else if (out[i].all == 0) {
      error("agent_stage_without_exit", place("stages", i),
            fmt::format("'{}' requires an agent, and nothing leads out of it", stage.key));
    } else if (out[i].all == out[i].for_people) {
      warning("agent_stage_for_people", place("stages", i),
              fmt::format("'{}' requires an agent, but only a person can take an item out of it", stage.key));
    } else if (out[i].all == out[i].for_people + out[i].for_others) {
      warning("agent_stage_for_others", place("stages", i),
              fmt::format("'{}' requires an agent, but whoever works there cannot take the item out of it", stage.key));
    }
  }
}

void Check::check_blocked() {
  for (const std::size_t i : graph_.blocked()) {
    const Transition& move = workflow_.transitions[i];
    warning("blocked_transition", place("transitions", i),
            fmt::format("nobody can go from '{}' to '{}': the gate between their stages leads to another status",
                        move.from, move.to));
  }
}

void Check::check_statuses() {
  const auto& statuses = workflow_.statuses;
  if (statuses.empty()) return;  // told by validate
  const auto terminal = [](const Status& status) { return status.resolution.has_value(); };
  const auto resolved = [](const Status& status) { return status.resolution == Resolution::resolved; };
  const auto in_progress = [](const Status& status) { return status.in_progress; };
  if (std::none_of(statuses.begin(), statuses.end(), terminal)) {
    error("no_terminal_status", "/statuses", "no status is terminal: no item is ever finished");
  } else if (std::none_of(statuses.begin(), statuses.end(), resolved)) {
    warning("no_resolved_status", "/statuses", "no terminal status is 'resolved': items can only be cancelled");
  }
  if (workflow_.execution_target != ExecutionTarget::human &&
      std::none_of(statuses.begin(), statuses.end(), in_progress)) {
    warning("no_in_progress_status", "/statuses",
            "agents may take the items, but no status is in progress: a claim changes no status");
  }
}

void Check::check_stages() {
  for (std::size_t i = 0; i < workflow_.stages.size(); ++i) {
    const Stage& stage = workflow_.stages[i];
    if (!stage.agent_required || !as_read(stage.goal).empty()) continue;
    warning("agent_stage_without_goal", place("stages", i) + "/goal",
            fmt::format("'{}' requires an agent and does not tell it what the stage wants", stage.key));
  }
}

void Check::check_gates() {
  for (std::size_t i = 0; i < workflow_.gates.size(); ++i) {
    const StageGate& gate = workflow_.gates[i];
    check_alike("checklist_items_alike", place("stageGates", i) + "/items", gate.items);
    if (gate.mode == GateMode::none && gate.required_fields.empty() && !gate.people_only && !gate.approver_not_worker) {
      add(Severity::note, "gate_asks_nothing", place("stageGates", i),
          fmt::format("the gate '{}' asks for nothing and is for everybody", gate.key));
    }
  }
}

void Check::check_fields() {
  for (std::size_t i = 0; i < workflow_.fields.size(); ++i) {
    check_alike("options_alike", place("fields", i) + "/options", workflow_.fields[i].options);
  }
}

void Check::check_alike(std::string_view code, const std::string& pointer, const std::vector<std::string>& entries) {
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto [first, added] = seen.emplace(as_read(entries[i]), i);
    // The same word for word is refused by validate.
    if (added || entries[first->second] == entries[i]) continue;
    warning(code, fmt::format("{}/{}", pointer, i),
            fmt::format("reads like '{}' at {}", entries[first->second], first->second));
  }
}

void Check::add_refusals() {
  const auto valid = workflow_.validate();
  if (valid) return;
  std::set<std::pair<std::string, std::string>> told;
  for (const Finding& finding : report_.findings) {
    if (finding.code.starts_with("unreachable_")) told.emplace(finding.pointer, finding.message);
  }
  for (const Problem& problem : valid.error().problems()) {
    if (!told.contains({problem.pointer, problem.text})) error("invalid", problem.pointer, problem.text);
  }
}

std::size_t count(const std::vector<Finding>& findings, Severity severity) {
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(),
                                                [&](const Finding& finding) { return finding.severity == severity; }));
}

}  // namespace

std::size_t CheckReport::errors() const noexcept { return count(findings, Severity::error); }
std::size_t CheckReport::warnings() const noexcept { return count(findings, Severity::warning); }

CheckReport check(const Workflow& workflow) { return Check(workflow).run(); }

std::string_view to_text(Severity value) noexcept {
  switch (value) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      break;
  }
  return "note";
}

}  // namespace v0
}  // namespace openindex
