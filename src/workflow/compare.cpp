#include <openindex/workflow/compare.hpp>

#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "json/writer.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using Kind = WorkflowDifference::Kind;
using Members = std::vector<std::pair<std::string_view, std::string>>;

std::string shown(const std::string& text) { return text; }
std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(std::uint32_t value) { return std::to_string(value); }
std::string shown(std::optional<Date> day) { return day ? to_text(*day) : std::string(); }
std::string shown(std::optional<double> number) { return number ? FieldValue(*number).display() : std::string(); }
std::string shown(std::optional<Resolution> value) { return value ? std::string(to_text(*value)) : std::string(); }
std::string shown(ExecutionTarget value) { return std::string(to_text(value)); }
std::string shown(GateMode value) { return std::string(to_text(value)); }
std::string shown(FieldType value) { return std::string(to_text(value)); }
std::string shown(const std::vector<std::string>& list) {
  if (list.empty()) return {};
  json::Writer out;
  out.begin_array();
  for (const std::string& entry : list) out.string(entry);
  out.end_array();
  return std::move(out).str();
}

// The structured bindings name every member, so that a new one cannot be forgotten here.
Members members_of(const Stage& stage) {
  const auto& [key, name, agent_required, goal, runner] = stage;
  return {{"name", shown(name)},
          {"agentRequired", shown(agent_required)},
          {"goal", shown(goal)},
          {"runner", shown(runner)}};
}

Members members_of(const Status& status) {
  const auto& [key, name, stage, resolution, in_progress] = status;
  return {{"name", shown(name)},
          {"stage", shown(stage)},
          {"resolution", shown(resolution)},
          {"inProgress", shown(in_progress)}};
}

Members members_of(const Transition& move) {
  [[maybe_unused]] const auto& [from, to] = move;
  return {};
}

Members members_of(const StageGate& gate) {
  const auto& [key, name, from_stage, to_stage, to_status, mode, text, items, required_fields, people_only,
               approver_not_worker] = gate;
  return {{"name", shown(name)},
          {"fromStage", shown(from_stage)},
          {"toStage", shown(to_stage)},
          {"toStatus", shown(to_status)},
          {"mode", shown(mode)},
          {"text", shown(text)},
          {"items", shown(items)},
          {"requiredFields", shown(required_fields)},
          {"peopleOnly", shown(people_only)},
          {"approverNotWorker", shown(approver_not_worker)}};
}

Members members_of(const Field& field) {
  const auto& [key, name, type, options, minimum, maximum, bytes_max, description, bytes_min, pattern, earliest,
               latest] = field;
  return {{"name", shown(name)},
          {"type", shown(type)},
          {"options", shown(options)},
          {"minimum", shown(minimum)},
          {"maximum", shown(maximum)},
          {"bytesMin", shown(bytes_min)},
          {"bytesMax", shown(bytes_max)},
          {"pattern", shown(pattern)},
          {"earliest", shown(earliest)},
          {"latest", shown(latest)},
          {"description", shown(description)}};
}

// The lists are compared by themselves.
Members members_of(const Workflow& workflow) {
  [[maybe_unused]] const auto& [id, name, description, domain, execution_target, initial_status, statuses, transitions,
                                stages, gates, fields] = workflow;
  return {{"key", shown(id.str())},
          {"name", shown(name)},
          {"description", shown(description)},
          {"domain", shown(domain)},
          {"executionTarget", shown(execution_target)},
          {"initialStatus", shown(initial_status)}};
}

std::string key_of(const Transition& move) { return move.from + " -> " + move.to; }
template <class Entry>
std::string key_of(const Entry& entry) {
  return entry.key;
}

// Of entries that share a key, as wrong definitions have them, the first belongs to the first, and so on.
using Place = std::pair<std::string, std::size_t>;

template <class Entry>
std::vector<Place> places_of(const std::vector<Entry>& list) {
  std::map<std::string, std::size_t> seen;
  std::vector<Place> out;
  for (const Entry& entry : list) {
    std::string key = key_of(entry);
    const std::size_t number = seen[key]++;
    out.emplace_back(std::move(key), number);
  }
  return out;
}

class Comparison {
 public:
  std::vector<WorkflowDifference> run(const Workflow& before, const Workflow& after) {
    compare_members("workflow", before.id.str(), members_of(before), members_of(after));
    workflow_ = before.id.str();
    compare_lists("stage", "stages", before.stages, after.stages);
    compare_lists("status", "statuses", before.statuses, after.statuses);
    compare_lists("transition", "transitions", before.transitions, after.transitions);
    compare_lists("gate", "stageGates", before.gates, after.gates);
    compare_lists("field", "fields", before.fields, after.fields);
    return std::move(out_);
  }

 private:
  void compare_members(std::string_view what, const std::string& key, const Members& before, const Members& after) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i].second == after[i].second) continue;
      out_.push_back(
          {Kind::changed, std::string(what), key, std::string(before[i].first), before[i].second, after[i].second});
    }
  }

  template <class Entry>
  void compare_lists(std::string_view what, std::string_view list, const std::vector<Entry>& before,
                     const std::vector<Entry>& after) {
    const auto old_places = places_of(before);
    const auto new_places = places_of(after);
    std::map<Place, std::size_t> remaining;
    for (std::size_t i = 0; i < after.size(); ++i) remaining.emplace(new_places[i], i);
    std::vector<std::string> old_order, new_order;
    std::vector<bool> kept(after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      const std::string& key = old_places[i].first;
      const auto found = remaining.find(old_places[i]);
      if (found == remaining.end()) {
        out_.push_back({Kind::removed, std::string(what), key, {}, {}, {}});
        continue;
      }
      kept[found->second] = true;
      old_order.push_back(key);
      compare_members(what, key, members_of(before[i]), members_of(after[found->second]));
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
      const std::string& key = new_places[i].first;
      if (kept[i]) {
        new_order.push_back(key);
      } else {
        out_.push_back({Kind::added, std::string(what), key, {}, {}, {}});
      }
    }
    if (old_order != new_order) {
      out_.push_back({Kind::changed, "workflow", workflow_, std::string(list), shown(old_order), shown(new_order)});
    }
  }

  std::string workflow_;
  std::vector<WorkflowDifference> out_;
};

std::string_view spelled(Kind kind) {
  switch (kind) {
    case Kind::added:
      return "added";
    case Kind::removed:
      return "removed";
    case Kind::changed:
      break;
  }
  return "changed";
}

std::string quoted(const std::string& value) {
  std::string out;
  if (value.empty()) return "nothing";
  json::append_string(out, value);
  return out;
}

}  // namespace

std::vector<WorkflowDifference> compare(const Workflow& before, const Workflow& after) {
  return Comparison().run(before, after);
}

std::string describe(const WorkflowDifference& difference) {
  std::string out = fmt::format("{} {} '{}'", spelled(difference.kind), difference.what, difference.key);
  if (difference.kind != Kind::changed) return out;
  return out +
         fmt::format(": {} from {} to {}", difference.member, quoted(difference.before), quoted(difference.after));
}

}  // namespace v0
}  // namespace openindex
