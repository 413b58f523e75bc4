// What a definition must satisfy before it may meet real work. Every problem is reported, none stops the others.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include <openindex/workflow/workflow.hpp>

#include "core/utf8.hpp"
#include "workflow/pattern.hpp"

namespace openindex {
inline namespace v0 {
namespace {

constexpr std::size_t list_max = 500;

bool is_key(std::string_view text, std::size_t bytes_max = 48) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= bytes_max && std::all_of(text.begin(), text.end(), good);
}

class Validation {
 public:
  explicit Validation(const Workflow& workflow) : workflow_(workflow) {}

  std::vector<Problem> run() {
    for (const Status& status : workflow_.statuses) {
      inhabited_.insert(status.stage);
      if (status.resolution) terminal_.insert(status.key);
    }
    check_head();
    check_keys("stages", workflow_.stages, stages_);
    check_keys("statuses", workflow_.statuses, statuses_);
    check_keys("stageGates", workflow_.gates, gates_);
    check_keys("fields", workflow_.fields, fields_);
    check_stages();
    check_statuses();
    check_transitions();
    check_gates();
    check_fields();
    // Where names lead nowhere, what cannot be reached is their consequence and no mistake of its own.
    if (names_lead_) check_reachability();
    // What is stored must be readable again, and reading has a bound.
    if (problems_.empty() && workflow_.to_json().size() > 1024u * 1024) problem("", "is larger than 1 MiB as JSON");
    return std::move(problems_);
  }

 private:
  void problem(std::string pointer, std::string text) { problems_.push_back({std::move(pointer), std::move(text)}); }

  void check_length(const std::string& pointer, const std::string& text, std::size_t bytes_max) {
    if (text.size() > bytes_max) problem(pointer, fmt::format("is {} bytes long; at most {}", text.size(), bytes_max));
    if (!is_utf8(text)) problem(pointer, "must be UTF-8");
  }

  void check_head() {
    if (!is_key(workflow_.id.str())) problem("/key", "must be 1 to 48 of a-z A-Z 0-9 _ -");
    const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    const std::string& domain = workflow_.domain;
    if (domain.size() > 16 || !std::all_of(domain.begin(), domain.end(), upper)) {
      problem("/domain", "must be 1 to 16 of A-Z 0-9");
    }
    if (domain.empty() &&
        (workflow_.id.str().size() > 16 || !std::all_of(workflow_.id.str().begin(), workflow_.id.str().end(), upper))) {
      problem("/domain", "is needed, since the workflow's key is not 1 to 16 of A-Z 0-9");
    }
    check_length("/name", workflow_.name, 200);
    check_length("/description", workflow_.description, 4000);
    if (workflow_.statuses.empty()) problem("/statuses", "needs at least one status");
    if (workflow_.stages.empty()) problem("/stages", "needs at least one stage");
    if (workflow_.transitions.size() > list_max * 4) problem("/transitions", "has more than 2000 entries");
  }

  template <class List>
  void check_keys(std::string_view list, const List& entries, std::set<std::string>& seen) {
    if (entries.size() > list_max) problem(fmt::format("/{}", list), fmt::format("has more than {} entries", list_max));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto pointer = fmt::format("/{}/{}", list, i);
      if (!is_key(entries[i].key)) problem(pointer + "/key", "must be 1 to 48 of a-z A-Z 0-9 _ -");
      if (!seen.insert(entries[i].key).second) {
        problem(pointer + "/key", fmt::format("'{}' is used twice", entries[i].key));
        if (list != "fields") names_lead_ = false;
      }
      check_length(pointer + "/name", entries[i].name, 200);
    }
  }

  bool known(const std::set<std::string>& keys, const std::string& pointer, const std::string& key,
             std::string_view what) {
    if (keys.contains(key)) return true;
    problem(pointer, key.empty() ? fmt::format("names no {}", what) : fmt::format("there is no {} '{}'", what, key));
    if (what != "field") names_lead_ = false;
    return false;
  }

  void check_stages() {
    for (std::size_t i = 0; i < workflow_.stages.size(); ++i) {
      const Stage& stage = workflow_.stages[i];
      const auto pointer = fmt::format("/stages/{}", i);
      check_length(pointer + "/goal", stage.goal, 4000);
      if (stage.agent_required && !is_key(stage.runner))
        problem(pointer + "/runner", "must be 1 to 48 of a-z A-Z 0-9 _ -");
      if (!inhabited_.contains(stage.key)) {
        problem(pointer, fmt::format("no status belongs to the stage '{}'", stage.key));
      }
    }
  }

  void check_statuses() {
    for (std::size_t i = 0; i < workflow_.statuses.size(); ++i) {
      const Status& status = workflow_.statuses[i];
      const auto pointer = fmt::format("/statuses/{}", i);
      known(stages_, pointer + "/stage", status.stage, "stage");
      stage_of_[status.key] = status.stage;
      if (status.resolution == Resolution::unresolved) {
        problem(pointer + "/resolution", "a terminal status is 'resolved' or 'cancelled'");
      }
      if (status.resolution && status.in_progress) {
        problem(pointer + "/inProgress", "a terminal status cannot be in progress");
      }
    }
    if (known(statuses_, "/initialStatus", workflow_.initial_status, "status") &&
        terminal_.contains(workflow_.initial_status)) {
      problem("/initialStatus", "must not be a terminal status");
    }
  }

  void check_transitions() {
    for (std::size_t i = 0; i < workflow_.transitions.size(); ++i) {
      const Transition& move = workflow_.transitions[i];
      const auto pointer = fmt::format("/transitions/{}", i);
      const bool from = known(statuses_, pointer + "/from", move.from, "status");
      const bool to = known(statuses_, pointer + "/to", move.to, "status");
      if (from && to && move.from == move.to) problem(pointer, "leads from a status to itself");
      if (from && to && !moves_[move.from].insert(move.to).second) {
        problem(pointer, fmt::format("'{}' to '{}' is given twice", move.from, move.to));
      }
      if (from) joined_.emplace(stage_of_[move.from], move.to);
      if (from && terminal_.contains(move.from)) {
        problem(pointer + "/from", fmt::format("'{}' is terminal: nothing leads out of it", move.from));
      }
    }
  }

  void check_gates() {
    for (std::size_t i = 0; i < workflow_.gates.size(); ++i) {
      const StageGate& gate = workflow_.gates[i];
      const auto pointer = fmt::format("/stageGates/{}", i);
      const bool from = known(stages_, pointer + "/fromStage", gate.from_stage, "stage");
      const bool to = known(stages_, pointer + "/toStage", gate.to_stage, "stage");
      const bool target = known(statuses_, pointer + "/toStatus", gate.to_status, "status");
      if (from && to && gate.from_stage == gate.to_stage) problem(pointer, "leads from a stage to itself");
      if (target && stage_of_[gate.to_status] != gate.to_stage) {
        problem(pointer + "/toStatus",
                fmt::format("'{}' is not a status of the stage '{}'", gate.to_status, gate.to_stage));
      } else if (from && to && target && !joined_.contains({gate.from_stage, gate.to_status})) {
        problem(pointer, fmt::format("no transition leads from the stage '{}' to the status '{}'", gate.from_stage,
                                     gate.to_status));
      }
      if (from && to && !targets_.try_emplace({gate.from_stage, gate.to_stage}, gate.to_status).second) {
        problem(pointer, fmt::format("a second gate between '{}' and '{}'", gate.from_stage, gate.to_stage));
      }
      check_requirements(pointer, gate);
    }
  }

  void check_requirements(const std::string& pointer, const StageGate& gate) {
    check_length(pointer + "/text", gate.text, 4000);
    if (gate.mode == GateMode::text && gate.text.empty()) problem(pointer + "/text", "mode text needs a text");
    if (gate.mode != GateMode::text && !gate.text.empty()) problem(pointer + "/text", "only mode text has a text");
    if (gate.mode == GateMode::checklist && gate.items.empty())
      problem(pointer + "/items", "mode checklist needs items");
    if (gate.mode != GateMode::checklist && !gate.items.empty()) {
      problem(pointer + "/items", "only mode checklist has items");
    }
    if (gate.items.size() > 100) problem(pointer + "/items", "has more than 100 entries");
    check_list(pointer + "/items", gate.items, "item");
    check_list(pointer + "/requiredFields", gate.required_fields, "field");
    for (std::size_t i = 0; i < gate.required_fields.size(); ++i) {
      known(fields_, fmt::format("{}/requiredFields/{}", pointer, i), gate.required_fields[i], "field");
    }
  }

  void check_list(const std::string& pointer, const std::vector<std::string>& entries, std::string_view what) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto place = fmt::format("{}/{}", pointer, i);
      if (entries[i].empty()) problem(place, "is empty");
      check_length(place, entries[i], 500);
      if (!seen.insert(entries[i]).second) problem(place, fmt::format("the {} is given twice", what));
    }
  }

  void check_fields() {
    for (std::size_t i = 0; i < workflow_.fields.size(); ++i) {
      const Field& field = workflow_.fields[i];
      const auto pointer = fmt::format("/fields/{}", i);
      check_length(pointer + "/description", field.description, 1000);
      if ((field.type == FieldType::select) == field.options.empty()) {
        problem(pointer + "/options", "a select has options, other types have none");
      }
      if (field.options.size() > 200) problem(pointer + "/options", "has more than 200 entries");
      check_list(pointer + "/options", field.options, "option");
      check_number(pointer, field);
      check_text(pointer, field);
      check_date(pointer, field);
    }
  }

  void check_number(const std::string& pointer, const Field& field) {
    if (field.type != FieldType::number && (field.minimum || field.maximum)) {
      problem(pointer, "only a number has minimum and maximum");
    }
    for (const auto& bound : {field.minimum, field.maximum}) {
      if (bound && !std::isfinite(*bound)) problem(pointer, "minimum and maximum must be finite");
    }
    if (field.minimum && field.maximum && *field.minimum > *field.maximum) {
      problem(pointer + "/minimum", "is greater than the maximum");
    }
  }

  void check_text(const std::string& pointer, const Field& field) {
    if (field.bytes_max < 1 || field.bytes_max > 262'144) problem(pointer + "/bytesMax", "must be 1 to 262144");
    if (field.bytes_min > field.bytes_max) problem(pointer + "/bytesMin", "is greater than bytesMax");
    if (field.type != FieldType::text && field.bytes_min != 0) problem(pointer + "/bytesMin", "only a text has it");
    if (field.pattern.empty()) return;
    if (field.type != FieldType::text) problem(pointer + "/pattern", "only a text has it");
    check_length(pointer + "/pattern", field.pattern, workflow::Pattern::bytes_max);
    if (field.pattern.size() > workflow::Pattern::bytes_max || !is_utf8(field.pattern)) return;
    if (auto pattern = workflow::Pattern::compile(field.pattern); !pattern) {
      problem(pointer + "/pattern", pattern.error().message());
    }
  }

  void check_date(const std::string& pointer, const Field& field) {
    for (const auto& [name, day] : {std::pair("earliest", field.earliest), std::pair("latest", field.latest)}) {
      if (!day) continue;
      const auto place = fmt::format("{}/{}", pointer, name);
      if (field.type != FieldType::date) problem(place, "only a date has it");
      // What is written as YYYY-MM-DD must be readable again.
      if (!day->ok() || parse_date(to_text(*day)) != day) problem(place, "must be a day of the years 0 to 9999");
    }
    if (field.earliest && field.latest && *field.earliest > *field.latest) {
      problem(pointer + "/earliest", "is after the latest day");
    }
  }

  void check_reachability() {
    std::set<std::string> reached{workflow_.initial_status};
    std::vector<std::string> open{workflow_.initial_status};
    while (!open.empty()) {
      const std::string at = std::move(open.back());
      open.pop_back();
      for (const std::string& next : moves_[at]) {
        if (passable(at, next) && reached.insert(next).second) open.push_back(next);
      }
    }
    for (std::size_t i = 0; i < workflow_.statuses.size(); ++i) {
      if (!reached.contains(workflow_.statuses[i].key)) {
        problem(fmt::format("/statuses/{}", i),
                fmt::format("'{}' cannot be reached from '{}'", workflow_.statuses[i].key, workflow_.initial_status));
      }
    }
  }

  // Over a gated boundary only the gate's own target can be reached.
  bool passable(const std::string& from, const std::string& to) {
    const auto gated = targets_.find({stage_of_[from], stage_of_[to]});
    return gated == targets_.end() || gated->second == to;
  }

  const Workflow& workflow_;
  std::vector<Problem> problems_;
  bool names_lead_ = true;  // of stages and statuses
  std::set<std::string> stages_, statuses_, gates_, fields_;
  std::set<std::string> inhabited_;  // stages that have a status
  std::set<std::string> terminal_;   // statuses
  std::map<std::string, std::string> stage_of_;
  std::map<std::string, std::set<std::string>> moves_;
  std::set<std::pair<std::string, std::string>> joined_;  // a stage, and a status that a transition out of it leads to
  std::map<std::pair<std::string, std::string>, std::string> targets_;  // of the gates, by from and to stage
};

}  // namespace

Result<void> Workflow::validate() const {
  auto problems = Validation(*this).run();
  if (problems.empty()) return {};
  return Error(errc::invalid_definition).with("workflow", id.str()).with_problems(std::move(problems));
}

}  // namespace v0
}  // namespace openindex
