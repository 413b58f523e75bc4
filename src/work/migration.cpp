#include <openindex/work/migration.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "json/object_reader.hpp"
#include "work/field_rules.hpp"

namespace openindex {
inline namespace v0 {
namespace {

class Plan {
 public:
  Plan(const CompiledWorkflow& from, const CompiledWorkflow& to, const StatusMapping& mapping)
      : from_(from), to_(to), mapping_(mapping) {}

  Result<MigrationStep> run(std::string_view status, const FieldValues& fields) {
    if (from_.definition().id != to_.definition().id) {
      problem("", fmt::format("'{}' is another workflow than '{}'", to_.definition().id.str(),
                              from_.definition().id.str()));
    }
    check_mapping();
    place(status);
    keep(fields);
    if (problems_.empty()) return std::move(step_);
    return Error(errc::migration_refused, "The item cannot go on under this version of its workflow")
        .with("workflow", to_.definition().id.str())
        .with("from_version", std::to_string(from_.version()))
        .with("to_version", std::to_string(to_.version()))
        .with_problems(std::move(problems_));
  }

 private:
  void problem(std::string pointer, std::string text) { problems_.push_back({std::move(pointer), std::move(text)}); }

  void check_mapping() {
    for (const auto& [old_key, new_key] : mapping_.statuses) {
      if (to_.find_status(new_key)) continue;
      problem("/statuses/" + json::escape_pointer(old_key),
              fmt::format("is mapped to '{}', which is no status of version {}", new_key, to_.version()));
    }
  }

  void place(std::string_view status) {
    const auto mapped = mapping_.statuses.find(status);
    const std::string_view target = mapped == mapping_.statuses.end() ? status : std::string_view(mapped->second);
    const auto old_status = from_.find_status(status);
    const auto new_status = to_.find_status(target);
    if (!old_status) problem("/status", fmt::format("'{}' is no status of version {}", status, from_.version()));
    if (!new_status && mapped == mapping_.statuses.end()) {
      problem("/status", fmt::format("'{}' is no status of version {}, and is not mapped", status, to_.version()));
    }
    if (!old_status || !new_status) return;
    const Resolution was = from_.status(*old_status).resolution.value_or(Resolution::unresolved);
    const Resolution would_be = to_.status(*new_status).resolution.value_or(Resolution::unresolved);
    if (was != would_be) {
      problem("/status",
              fmt::format("'{}' is {}, but '{}' would be {}", status, to_text(was), target, to_text(would_be)));
    }
    step_.status = target;
  }

  void keep(const FieldValues& fields) {
    FieldValues kept;
    for (const auto& [key, value] : fields) {
      if (to_.find_field(key)) {
        kept.emplace(key, value);
      } else if (mapping_.drop_unknown_fields) {
        step_.dropped_fields.push_back(key);
      } else {
        problem("/fields/" + json::escape_pointer(key), fmt::format("is no field of version {}", to_.version()));
      }
    }
    if (auto fit = work::check_fields(to_, kept); !fit) {
      for (const Problem& misfit : fit.error().problems()) problems_.push_back(misfit);
    }
  }

  const CompiledWorkflow& from_;
  const CompiledWorkflow& to_;
  const StatusMapping& mapping_;
  MigrationStep step_;
  std::vector<Problem> problems_;
};

bool leads_from(const Workflow& workflow, const std::string& gate, const std::string& stage) {
  const auto found =
      std::find_if(workflow.gates.begin(), workflow.gates.end(), [&](const StageGate& one) { return one.key == gate; });
  return found != workflow.gates.end() && found->from_stage == stage;
}

bool has_passed(const WorkItem& item, const std::string& gate) {
  return std::any_of(item.gates.begin(), item.gates.end(),
                     [&](const GateAcknowledgement& made) { return made.gate == gate; });
}

}  // namespace

bool touches(const WorkflowDifference& difference, const Workflow& before, const Workflow& after,
             const WorkItem& item) {
  const std::string& key = difference.key;
  if (difference.what == "status") return item.status == key;
  if (difference.what == "stage") return item.stage == key;
  if (difference.what == "transition") return key.starts_with(item.status + " -> ");
  if (difference.what == "field") return item.fields.contains(key);
  if (difference.what != "gate") return false;
  return leads_from(before, key, item.stage) || leads_from(after, key, item.stage) || has_passed(item, key);
}

Result<MigrationStep> plan_migration(const CompiledWorkflow& from, const CompiledWorkflow& to,
                                     const StatusMapping& mapping, std::string_view status, const FieldValues& fields) {
  return Plan(from, to, mapping).run(status, fields);
}

}  // namespace v0
}  // namespace openindex
