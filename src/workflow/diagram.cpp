#include <openindex/workflow/diagram.hpp>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "workflow/status_graph.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using workflow::StatusGraph;

// As Mermaid's entity codes: a quote, a colon or an angle bracket would end the label or become markup.
std::string escaped(const std::string& text) {
  constexpr std::string_view harmless = " _-.,()/!?'";
  const bool readable = is_utf8(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || harmless.find(c) != std::string_view::npos || (byte >= 0x80 && readable)) {
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += byte < 0x20 ? ' ' : '?';
    } else {
      out += fmt::format("#{};", static_cast<unsigned>(byte));
    }
  }
  return out;
}

template <class Entry>
std::string label(const Entry& entry) {
  return escaped(entry.name.empty() ? entry.key : entry.name);
}

std::string gate_label(const StageGate& gate) {
  const char* who = gate.people_only ? " (people only)" : gate.approver_not_worker ? " (not the worker)" : "";
  return label(gate) + who;
}

std::string state(const Workflow& workflow, std::size_t status) {
  return fmt::format("state \"{}\" as status{}\n", label(workflow.statuses[status]), status);
}

}  // namespace

std::string diagram(const Workflow& workflow) {
  const StatusGraph graph(workflow);
  std::vector<std::string> inside(workflow.stages.size());
  std::string outside;
  for (std::size_t i = 0; i < workflow.statuses.size(); ++i) {
    if (const auto stage = graph.stage_of(i)) {
      inside[*stage] += "        " + state(workflow, i);
    } else {
      outside += "    " + state(workflow, i);
    }
  }
  std::string out = "stateDiagram-v2\n";
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i].empty()) continue;
    const Stage& stage = workflow.stages[i];
    const std::string mark = stage.agent_required ? fmt::format(" (agent, {})", escaped(stage.runner)) : "";
    out += fmt::format("    state \"{}{}\" as stage{} {{\n{}    }}\n", label(stage), mark, i, inside[i]);
  }
  out += outside;
  // Beside the groups and not in them: a state that a second group names would be drawn there.
  if (graph.initial()) out += fmt::format("    [*] --> status{}\n", *graph.initial());
  for (std::size_t i = 0; i < workflow.statuses.size(); ++i) {
    for (const auto& move : graph.moves(i)) {
      const std::string gate = move.gate ? " : " + gate_label(workflow.gates[*move.gate]) : "";
      out += fmt::format("    status{} --> status{}{}\n", i, move.to, gate);
    }
  }
  for (std::size_t i = 0; i < workflow.statuses.size(); ++i) {
    if (workflow.statuses[i].resolution) out += fmt::format("    status{} --> [*]\n", i);
  }
  return out;
}

}  // namespace v0
}  // namespace openindex
