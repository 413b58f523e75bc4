// The JSON form of a definition, in and out.
#include <array>
#include <set>
#include <utility>

#include <openindex/workflow/stage_settings.hpp>
#include <openindex/workflow/workflow.hpp>

#include "json/object_reader.hpp"
#include "json/read.hpp"
#include "json/writer.hpp"
#include "workflow/stage_settings_members.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using json::ObjectReader;
using Need = json::ObjectReader::Need;

template <class Enum, std::size_t N>
using Spellings = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Spellings<Resolution, 3> resolutions{
    {{Resolution::unresolved, "unresolved"}, {Resolution::resolved, "resolved"}, {Resolution::cancelled, "cancelled"}}};
constexpr Spellings<ExecutionTarget, 3> targets{
    {{ExecutionTarget::human, "human"}, {ExecutionTarget::agent, "agent"}, {ExecutionTarget::either, "either"}}};
constexpr Spellings<GateMode, 3> modes{
    {{GateMode::none, "none"}, {GateMode::text, "text"}, {GateMode::checklist, "checklist"}}};
constexpr Spellings<FieldType, 4> types{{{FieldType::text, "text"},
                                         {FieldType::number, "number"},
                                         {FieldType::select, "select"},
                                         {FieldType::date, "date"}}};

template <class Enum, std::size_t N>
std::string_view spell(const Spellings<Enum, N>& table, Enum value) noexcept {
  for (const auto& [known, text] : table) {
    if (known == value) return text;
  }
  return {};
}

template <class Enum, std::size_t N>
std::optional<Enum> unspell(const Spellings<Enum, N>& table, std::string_view text) noexcept {
  for (const auto& [known, spelled] : table) {
    if (spelled == text) return known;
  }
  return std::nullopt;
}

Status read_status(ObjectReader in) {
  Status status;
  status.key = in.text("key", Need::required);
  status.name = in.text("name");
  status.stage = in.text("stage", Need::required);
  status.resolution = in.choice("resolution", parse_resolution, "resolved, cancelled");
  status.in_progress = in.boolean("inProgress");
  in.refuse_unknown();
  return status;
}

Transition read_transition(ObjectReader in) {
  Transition move;
  move.from = in.text("from", Need::required);
  move.to = in.text("to", Need::required);
  in.refuse_unknown();
  return move;
}

Stage read_stage(ObjectReader in) {
  Stage stage;
  stage.key = in.text("key", Need::required);
  stage.name = in.text("name");
  stage.agent_required = in.boolean("agentRequired");
  stage.goal = in.text("goal");
  if (auto runner = in.text("runner"); !runner.empty()) stage.runner = std::move(runner);
  in.refuse_unknown();
  return stage;
}

StageGate read_gate(ObjectReader in) {
  StageGate gate;
  gate.key = in.text("key", Need::required);
  gate.name = in.text("name");
  gate.from_stage = in.text("fromStage", Need::required);
  gate.to_stage = in.text("toStage", Need::required);
  gate.to_status = in.text("toStatus", Need::required);
  gate.mode = in.choice("mode", parse_gate_mode, "none, text, checklist").value_or(GateMode::none);
  gate.text = in.text("text");
  gate.items = in.texts("items");
  gate.required_fields = in.texts("requiredFields");
  gate.people_only = in.boolean("peopleOnly");
  gate.approver_not_worker = in.boolean("approverNotWorker");
  in.refuse_unknown();
  return gate;
}

std::optional<Date> read_day(ObjectReader& in, std::string_view name) {
  const std::string text = in.text(name);
  if (text.empty()) return std::nullopt;
  const auto day = parse_date(text);
  if (!day) in.problem(name, "must be a date, YYYY-MM-DD");
  return day;
}

Field read_field(ObjectReader in) {
  Field field;
  field.key = in.text("key", Need::required);
  field.name = in.text("name");
  field.type = in.choice("type", parse_field_type, "text, number, select, date").value_or(FieldType::text);
  field.options = in.texts("options");
  field.minimum = in.number("minimum");
  field.maximum = in.number("maximum");
  field.bytes_min = in.count("bytesMin").value_or(0);
  field.bytes_max = in.count("bytesMax").value_or(Field().bytes_max);
  field.pattern = in.text("pattern");
  field.earliest = read_day(in, "earliest");
  field.latest = read_day(in, "latest");
  field.description = in.text("description");
  in.refuse_unknown();
  return field;
}

void write(json::Writer& out, const Status& status) {
  out.begin_object().key("key").string(status.key).member("name", status.name).key("stage").string(status.stage);
  if (status.resolution) out.key("resolution").string(to_text(*status.resolution));
  out.member("inProgress", status.in_progress).end_object();
}

void write(json::Writer& out, const Transition& move) {
  out.begin_object().key("from").string(move.from).key("to").string(move.to).end_object();
}

void write(json::Writer& out, const Stage& stage, const StageSettings* settings) {
  out.begin_object().key("key").string(stage.key).member("name", stage.name);
  out.member("agentRequired", stage.agent_required).member("goal", stage.goal);
  if (stage.runner != Stage().runner) out.key("runner").string(stage.runner);
  if (settings != nullptr) {
    workflow::write_members(out.key("settings").begin_object(), *settings);
    out.end_object();
  }
  out.end_object();
}

void write(json::Writer& out, const std::string& text) { out.string(text); }
void write(json::Writer& out, const StageGate& gate);
void write(json::Writer& out, const Field& field);

template <class T>
void write_list(json::Writer& out, std::string_view name, const std::vector<T>& list) {
  if (list.empty()) return;
  out.key(name).begin_array();
  for (const T& entry : list) write(out, entry);
  out.end_array();
}

void write(json::Writer& out, const StageGate& gate) {
  out.begin_object().key("key").string(gate.key).member("name", gate.name);
  out.key("fromStage").string(gate.from_stage).key("toStage").string(gate.to_stage);
  out.key("toStatus").string(gate.to_status).key("mode").string(to_text(gate.mode)).member("text", gate.text);
  write_list(out, "items", gate.items);
  write_list(out, "requiredFields", gate.required_fields);
  out.member("peopleOnly", gate.people_only).member("approverNotWorker", gate.approver_not_worker).end_object();
}

void write(json::Writer& out, const Field& field) {
  out.begin_object().key("key").string(field.key).member("name", field.name);
  out.key("type").string(to_text(field.type));
  write_list(out, "options", field.options);
  if (field.minimum) out.key("minimum").number(*field.minimum);
  if (field.maximum) out.key("maximum").number(*field.maximum);
  out.member("bytesMin", std::uint64_t{field.bytes_min});
  if (field.bytes_max != Field().bytes_max) out.key("bytesMax").number(std::uint64_t{field.bytes_max});
  out.member("pattern", field.pattern);
  if (field.earliest) out.key("earliest").string(to_text(*field.earliest));
  if (field.latest) out.key("latest").string(to_text(*field.latest));
  out.member("description", field.description).end_object();
}

// Without a map: the definition alone.
void write_stages(json::Writer& out, const std::vector<Stage>& stages, const StageSettingsMap* settings) {
  static const StageSettings none;
  if (stages.empty()) return;
  out.key("stages").begin_array();
  for (const Stage& stage : stages) {
    if (settings == nullptr) {
      write(out, stage, nullptr);
    } else {
      const auto found = settings->find(stage.key);
      write(out, stage, found == settings->end() ? &none : &found->second);
    }
  }
  out.end_array();
}

std::string write_definition(const Workflow& workflow, const StageSettingsMap* settings) {
  json::Writer out;
  out.begin_object().key("key").string(workflow.id.str()).member("name", workflow.name);
  out.member("description", workflow.description).member("domain", workflow.domain);
  out.key("executionTarget").string(to_text(workflow.execution_target));
  out.key("initialStatus").string(workflow.initial_status);
  write_list(out, "statuses", workflow.statuses);
  write_list(out, "transitions", workflow.transitions);
  write_stages(out, workflow.stages, settings);
  write_list(out, "stageGates", workflow.gates);
  write_list(out, "fields", workflow.fields);
  out.end_object();
  return std::move(out).str();
}

}  // namespace

std::string_view to_text(Resolution value) noexcept { return spell(resolutions, value); }
std::string_view to_text(ExecutionTarget value) noexcept { return spell(targets, value); }
std::string_view to_text(GateMode value) noexcept { return spell(modes, value); }
std::string_view to_text(FieldType value) noexcept { return spell(types, value); }
std::optional<Resolution> parse_resolution(std::string_view text) noexcept { return unspell(resolutions, text); }
std::optional<ExecutionTarget> parse_execution_target(std::string_view text) noexcept { return unspell(targets, text); }
std::optional<GateMode> parse_gate_mode(std::string_view text) noexcept { return unspell(modes, text); }
std::optional<FieldType> parse_field_type(std::string_view text) noexcept { return unspell(types, text); }

Result<Workflow> Workflow::from_json(std::string_view json) {
  auto parsed = json::parse(json, {.bytes_max = 1024u * 1024, .depth_max = 16, .refuse_duplicates = true});
  if (!parsed) return parsed.error();

  std::vector<Problem> problems;
  Workflow workflow;
  ObjectReader in(*parsed, "", problems);
  workflow.id = in.text("key", Need::required);
  workflow.name = in.text("name");
  workflow.description = in.text("description");
  workflow.domain = in.text("domain");
  workflow.execution_target =
      in.choice("executionTarget", parse_execution_target, "human, agent, either").value_or(ExecutionTarget::human);
  workflow.initial_status = in.text("initialStatus", Need::required);
  const auto read_list = [&](std::string_view member, auto& list, auto read) {
    in.each(member, [&](const auto& value, const std::string& pointer) {
      list.push_back(read(ObjectReader(value, pointer, problems)));
    });
  };
  read_list("statuses", workflow.statuses, read_status);
  read_list("transitions", workflow.transitions, read_transition);
  read_list("stages", workflow.stages, read_stage);
  read_list("stageGates", workflow.gates, read_gate);
  read_list("fields", workflow.fields, read_field);
  in.refuse_unknown();

  // What could be read is checked as well, so that one error lists every mistake; a consequence of a misread member
  // is not repeated at the same place.
  if (auto valid = workflow.validate(); !valid && parsed->is_object()) {
    std::set<std::string> told;
    for (const Problem& problem : problems) told.insert(problem.pointer);
    for (const Problem& problem : valid.error().problems()) {
      if (!told.contains(problem.pointer)) problems.push_back(problem);
    }
  }
  json::bound(problems);
  if (!problems.empty()) {
    return Error(errc::invalid_definition).with("workflow", workflow.id.str()).with_problems(std::move(problems));
  }
  return workflow;
}

std::string Workflow::to_json() const { return write_definition(*this, nullptr); }

std::string merged_json(const Workflow& workflow, const StageSettingsMap& settings) {
  return write_definition(workflow, &settings);
}

}  // namespace v0
}  // namespace openindex
