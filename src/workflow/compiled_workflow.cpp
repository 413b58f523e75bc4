#include <openindex/workflow/compiled_workflow.hpp>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "workflow/pattern.hpp"

namespace openindex {
inline namespace v0 {
namespace {

struct HashText {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};
using Positions = std::unordered_map<std::string, std::uint16_t, HashText, std::equal_to<>>;
using Patterns = std::unordered_map<FieldIndex, workflow::Pattern>;

template <class List>
Positions positions_of(const List& list) {
  Positions positions;
  for (std::size_t i = 0; i < list.size(); ++i) positions.emplace(list[i].key, static_cast<std::uint16_t>(i));
  return positions;
}

std::optional<std::uint16_t> find_in(const Positions& positions, std::string_view key) {
  const auto found = positions.find(key);
  return found == positions.end() ? std::nullopt : std::optional(found->second);
}

Patterns patterns_of(const std::vector<Field>& fields) {
  Patterns patterns;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].pattern.empty()) continue;
    if (auto pattern = workflow::Pattern::compile(fields[i].pattern)) {
      patterns.emplace(static_cast<FieldIndex>(i), *std::move(pattern));
    }
  }
  return patterns;
}

}  // namespace

struct CompiledWorkflow::Lookup {
  explicit Lookup(const Workflow& workflow)
      : statuses(positions_of(workflow.statuses)),
        stages(positions_of(workflow.stages)),
        gates(positions_of(workflow.gates)),
        fields(positions_of(workflow.fields)),
        patterns(patterns_of(workflow.fields)) {}

  Positions statuses, stages, gates, fields;
  Patterns patterns;
};

Result<std::shared_ptr<const CompiledWorkflow>> CompiledWorkflow::compile(Workflow workflow, std::uint32_t version) {
  if (auto valid = workflow.validate(); !valid) return valid.error();
  std::shared_ptr<CompiledWorkflow> compiled(new CompiledWorkflow);
  compiled->workflow_ = std::move(workflow);
  compiled->version_ = version;
  compiled->index();
  return std::shared_ptr<const CompiledWorkflow>(std::move(compiled));
}

void CompiledWorkflow::index() {
  lookup_ = std::make_shared<const Lookup>(workflow_);
  initial_ = *find_status(workflow_.initial_status);
  for (const Status& status : workflow_.statuses) stage_of_.push_back(*find_stage(status.stage));
  exits_.resize(workflow_.statuses.size());
  for (const Transition& move : workflow_.transitions) {
    exits_[*find_status(move.from)].push_back(*find_status(move.to));
  }
  gates_from_.resize(workflow_.stages.size());
  for (std::size_t i = 0; i < workflow_.gates.size(); ++i) {
    target_of_.push_back(*find_status(workflow_.gates[i].to_status));
    gates_from_[*find_stage(workflow_.gates[i].from_stage)].push_back(static_cast<GateIndex>(i));
  }
}

std::optional<StatusIndex> CompiledWorkflow::find_status(std::string_view key) const {
  return find_in(lookup_->statuses, key);
}
std::optional<StageIndex> CompiledWorkflow::find_stage(std::string_view key) const {
  return find_in(lookup_->stages, key);
}
std::optional<GateIndex> CompiledWorkflow::find_gate(std::string_view key) const {
  return find_in(lookup_->gates, key);
}
std::optional<FieldIndex> CompiledWorkflow::find_field(std::string_view key) const {
  return find_in(lookup_->fields, key);
}

PatternFit CompiledWorkflow::fit_pattern(FieldIndex field, std::string_view text) const {
  const auto found = lookup_->patterns.find(field);
  return found == lookup_->patterns.end() ? PatternFit::fits : found->second.fit(text);
}

bool CompiledWorkflow::joined(StatusIndex from, StatusIndex to) const {
  const auto& exits = exits_[from];
  return std::find(exits.begin(), exits.end(), to) != exits.end();
}

std::optional<GateIndex> CompiledWorkflow::gate_between(StageIndex from, StageIndex to) const {
  for (const GateIndex index : gates_from_[from]) {
    if (stage_of_[target_of_[index]] == to) return index;
  }
  return std::nullopt;
}

}  // namespace v0
}  // namespace openindex
