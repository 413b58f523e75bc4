#include <openindex/workflow/compiled_workflow.hpp>

#include <algorithm>

#include "workflow/pattern.hpp"

namespace openindex {
inline namespace v0 {
namespace {

template <class Map>
std::optional<std::uint16_t> find_in(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

template <class Map, class List>
void fill_positions(Map& map, const List& list) {
  for (std::size_t i = 0; i < list.size(); ++i) map.emplace(list[i].key, static_cast<std::uint16_t>(i));
}

}  // namespace

struct CompiledWorkflow::Patterns {
  std::unordered_map<FieldIndex, workflow::Pattern> by_field = {};
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
  fill_positions(statuses_, workflow_.statuses);
  fill_positions(stages_, workflow_.stages);
  fill_positions(gates_, workflow_.gates);
  fill_positions(fields_, workflow_.fields);
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
  auto patterns = std::make_shared<Patterns>();
  for (std::size_t i = 0; i < workflow_.fields.size(); ++i) {
    const std::string& text = workflow_.fields[i].pattern;
    if (text.empty()) continue;
    if (auto pattern = workflow::Pattern::compile(text)) {
      patterns->by_field.emplace(static_cast<FieldIndex>(i), *std::move(pattern));
    }
  }
  patterns_ = std::move(patterns);
}

std::optional<StatusIndex> CompiledWorkflow::find_status(std::string_view key) const { return find_in(statuses_, key); }
std::optional<StageIndex> CompiledWorkflow::find_stage(std::string_view key) const { return find_in(stages_, key); }
std::optional<GateIndex> CompiledWorkflow::find_gate(std::string_view key) const { return find_in(gates_, key); }
std::optional<FieldIndex> CompiledWorkflow::find_field(std::string_view key) const { return find_in(fields_, key); }

PatternFit CompiledWorkflow::fit_pattern(FieldIndex field, std::string_view text) const {
  const auto found = patterns_->by_field.find(field);
  return found == patterns_->by_field.end() ? PatternFit::fits : found->second.fit(text);
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
