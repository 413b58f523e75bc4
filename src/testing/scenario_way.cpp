#include "testing/scenario_way.hpp"

#include <algorithm>
#include <deque>

#include "workflow/status_graph.hpp"

namespace openindex::scenario {
namespace {

using workflow::StatusGraph;

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

std::size_t position(const Workflow& definition, const std::string& status) {
  const auto found = std::ranges::find(definition.statuses, status, &Status::key);
  return found == definition.statuses.end() ? nowhere : static_cast<std::size_t>(found - definition.statuses.begin());
}

std::string plausible_text(const Field& field) {
  std::string text = "some " + field.key;
  if (text.size() > field.bytes_max) text.resize(field.bytes_max);
  if (text.size() < field.bytes_min) text.append(field.bytes_min - text.size(), '.');
  return text;
}

}  // namespace

std::optional<std::vector<Step>> find_way(const Workflow& definition, const std::string& from_status,
                                          const Goal& goal) {
  struct Reached {
    std::size_t from = nowhere;
    std::optional<std::size_t> gate = {};
  };
  const StatusGraph graph(definition);
  const std::size_t start = position(definition, from_status);
  if (start == nowhere) return std::nullopt;
  std::vector<std::optional<Reached>> reached(definition.statuses.size());
  std::deque<std::size_t> frontier{start};
  reached[start] = Reached{};
  for (; !frontier.empty(); frontier.pop_front()) {
    std::size_t at = frontier.front();
    if (goal(definition.statuses[at])) {
      std::vector<Step> way;
      for (; at != start; at = reached[at]->from) {
        way.push_back({&definition.statuses[at], reached[at]->gate ? &definition.gates[*reached[at]->gate] : nullptr});
      }
      std::ranges::reverse(way);
      return way;
    }
    if (definition.statuses[at].resolution) continue;
    for (const StatusGraph::Move& move : graph.moves(at)) {
      if (reached[move.to]) continue;
      reached[move.to] = Reached{at, move.gate};
      frontier.push_back(move.to);
    }
  }
  return std::nullopt;
}

bool leads_from(const Workflow& definition, const std::string& status, const StageGate& gate) {
  const std::size_t at = position(definition, status);
  if (at == nowhere || definition.statuses[at].stage != gate.from_stage) return false;
  return std::ranges::any_of(definition.transitions, [&](const Transition& transition) {
    return transition.from == status && transition.to == gate.to_status;
  });
}

FieldValue plausible_value(const Field& field, Time now) {
  const auto bounded = [](auto value, const auto& least, const auto& most) {
    if (least && value < *least) value = *least;
    if (most && value > *most) value = *most;
    return value;
  };
  switch (field.type) {
    case FieldType::text:
      return plausible_text(field);
    case FieldType::number:
      return bounded(1.0, field.minimum, field.maximum);
    case FieldType::select:
      return field.options.front();
    case FieldType::date:
      break;
  }
  return bounded(Date(std::chrono::floor<std::chrono::days>(now)), field.earliest, field.latest);
}

}  // namespace openindex::scenario
