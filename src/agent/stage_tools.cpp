#include "agent/stage_tools.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agent/person_question.hpp"
#include "agent/plain_text.hpp"
#include "codecs/text.hpp"

namespace openindex::agent {
namespace {

constexpr std::string_view set_fields = "set_fields";
constexpr std::string_view add_comment = "add_comment";
constexpr std::string_view change_status = "change_status";
constexpr std::string_view progress_prefix = "progress_";
constexpr std::uint64_t comment_bytes_max = 65'536;  // of the rules

bool is_move(const Exit& exit) { return exit.type == Exit::Type::status; }

const Field* find_field(const AgentContext& context, std::string_view key) {
  const auto found =
      std::find_if(context.fields.begin(), context.fields.end(), [&](const Field& field) { return field.key == key; });
  return found == context.fields.end() ? nullptr : &*found;
}

void write_texts(json::Writer& writer, const std::vector<std::string>& texts) {
  writer.begin_array();
  for (const auto& text : texts) codecs::write_text(writer, text);
  writer.end_array();
}

// Opens the schema of an object that knows no members but those written next.
void begin_schema(json::Writer& writer) {
  writer.begin_object().key("type").string("object").key("additionalProperties").boolean(false);
  writer.key("properties").begin_object();
}

std::string end_schema(json::Writer& writer, const std::vector<std::string>& required) {
  writer.end_object();
  if (!required.empty()) write_texts(writer.key("required"), required);
  writer.end_object();
  return writer.str();
}

// -- set_fields
// --------------------------------------------------------------------------------------------------------

std::string describe(const AgentContext& context, const Field& field) {
  std::string text = field.name;
  const auto add = [&](const std::string& sentence) {
    if (!sentence.empty()) text += (text.empty() ? "" : ". ") + sentence;
  };
  add(field.description);
  if (field.type == FieldType::date) add("A day of the calendar as YYYY-MM-DD");
  if (field.type == FieldType::text) add(fmt::format("At most {} bytes", field.bytes_max));
  for (const RequiredField& required : context.required_fields) {
    if (required.key == field.key) add(fmt::format("Required by the gate {}", required.gate));
  }
  return text;
}

void write_field(json::Writer& writer, const AgentContext& context, const Field& field) {
  writer.key(field.key).begin_object();
  writer.key("type").string(field.type == FieldType::number ? "number" : "string");
  writer.member("description", describe(context, field));
  if (field.type == FieldType::select) write_texts(writer.key("enum"), field.options);
  if (field.type == FieldType::text) writer.key("maxLength").number(std::uint64_t{field.bytes_max});
  if (field.minimum) writer.key("minimum").number(*field.minimum);
  if (field.maximum) writer.key("maximum").number(*field.maximum);
  writer.end_object();
}

ToolSpec set_fields_tool(const AgentContext& context) {
  json::Writer writer;
  begin_schema(writer);
  for (const Field& field : context.fields) write_field(writer, context, field);
  return {std::string(set_fields), "Set custom fields of the work item, all of the given ones or none.",
          end_schema(writer, {})};
}

Result<FieldValue> to_value(const Field& field, const boost::json::value& given) {
  if (field.type == FieldType::number) return FieldValue(given.to_number<double>());
  const std::string_view text(given.get_string().data(), given.get_string().size());
  if (field.type == FieldType::text) return FieldValue(without_controls(text));
  if (field.type == FieldType::select) return FieldValue(text);
  if (const auto date = parse_date(text)) return FieldValue(*date);
  return Error(errc::invalid_field_value)
      .with_problems({{"/" + field.key, "must be a day of the calendar, YYYY-MM-DD"}});
}

Result<Command> to_set_fields(const AgentContext& context, const boost::json::object& arguments) {
  SetFields command;
  for (const auto& member : arguments) {
    const Field* field = find_field(context, {member.key().data(), member.key().size()});
    if (field == nullptr) return errc::unknown_field;
    auto value = to_value(*field, member.value());
    if (!value) return value.error();
    command.values.insert_or_assign(field->key, std::move(*value));
  }
  return command;
}

// -- add_comment
// -------------------------------------------------------------------------------------------------------

ToolSpec add_comment_tool() {
  json::Writer writer;
  begin_schema(writer);
  writer.key("body").begin_object().key("type").string("string").key("minLength").number(std::uint64_t{1});
  writer.key("maxLength").number(comment_bytes_max).key("description").string("Plain text or Markdown").end_object();
  return {std::string(add_comment), "Add a comment to the work item, for people and later stages to read.",
          end_schema(writer, {"body"})};
}

// -- change_status
// -----------------------------------------------------------------------------------------------------

std::string describe_move(const AgentContext& context, const Exit& exit) {
  if (exit.completes) return exit.key + " (completes the work item)";
  return exit.to_stage == context.item.stage ? exit.key + " (stays in the stage)" : exit.key + " (leaves the stage)";
}

ToolSpec change_status_tool(const AgentContext& context, const std::vector<std::string>& moves) {
  std::string description = "Move the work item to another status:";
  for (const Exit& exit : context.allowed_exits) {
    if (is_move(exit)) description += fmt::format(" {};", describe_move(context, exit));
  }
  description.back() = '.';
  json::Writer writer;
  begin_schema(writer);
  write_texts(writer.key("to_status").begin_object().key("type").string("string").key("enum"), moves);
  writer.end_object();
  return {std::string(change_status), std::move(description), end_schema(writer, {"to_status"})};
}

// -- progress_<gate>
// ---------------------------------------------------------------------------------------------------

ToolSpec progress_tool(const Exit& exit) {
  std::string description = fmt::format("Progress the stage gate {}: the work item goes to the status {}{}.", exit.key,
                                        exit.to_status, exit.completes ? " and is completed" : "");
  std::vector<std::string> required;
  json::Writer writer;
  begin_schema(writer);
  if (exit.mode == GateMode::text) {
    required = {"accept_requirements_text"};
    description += " By calling it you state that these requirements are met: " + exit.text;
    writer.key(required[0]).begin_object().key("type").string("boolean").key("const").boolean(true).end_object();
  } else if (exit.mode == GateMode::checklist) {
    required = {"checked_items"};
    description += " By calling it you state that every item of the checklist is done.";
    writer.key(required[0]).begin_object().key("type").string("array");
    writer.key("minItems").number(std::uint64_t{exit.items.size()}).key("items").begin_object();
    write_texts(writer.key("type").string("string").key("enum"), exit.items);
    writer.end_object().end_object();
  }
  return {tool_of(exit), std::move(description), end_schema(writer, required)};
}

Command to_progress(std::string_view gate, const boost::json::object& arguments) {
  Progress command;
  command.gate = gate;
  const auto* accepted = arguments.if_contains("accept_requirements_text");
  command.accept_text = accepted != nullptr && accepted->is_bool() && accepted->get_bool();
  if (const auto* items = arguments.if_contains("checked_items")) {
    for (const auto& item : items->get_array()) {
      command.checked.emplace_back(item.get_string().data(), item.get_string().size());
    }
  }
  return command;
}

std::string text_argument(const boost::json::object& arguments, std::string_view name) {
  const auto& text = arguments.at(name).get_string();
  return {text.data(), text.size()};
}

// -- What a model reads
// ------------------------------------------------------------------------------------------------

void write_exit(json::Writer& writer, const Exit& exit) {
  writer.begin_object().key("key").string(exit.key).key("to_status").string(exit.to_status);
}

void write_error(json::Writer& writer, const Error& error) {
  writer.begin_object().key("code").string(name(error.code()));
  codecs::write_text(writer.key("message"), error.message());  // a host's tool may say anything
  if (!error.missing().empty()) write_texts(writer.key("missing"), error.missing());
  if (!error.allowed().empty()) write_texts(writer.key("allowed"), error.allowed());
  if (!error.problems().empty()) {
    writer.key("problems").begin_array();
    for (const Problem& problem : error.problems()) {
      codecs::write_text(writer.begin_object().key("pointer"), problem.pointer);
      codecs::write_text(writer.key("text"), problem.text);
      writer.end_object();
    }
    writer.end_array();
  }
  writer.end_object();
}

}  // namespace

bool is_stage_tool(std::string_view name) noexcept {
  return name == set_fields || name == add_comment || name == ask_person || name == change_status ||
         name.starts_with(progress_prefix);
}

std::string tool_of(const Exit& exit) {
  return is_move(exit) ? std::string(change_status) : fmt::format("{}{}", progress_prefix, exit.key);
}

std::vector<ToolSpec> stage_tools(const AgentContext& context) {
  std::vector<ToolSpec> tools;
  std::vector<std::string> moves;
  if (!context.fields.empty()) tools.push_back(set_fields_tool(context));
  tools.push_back(add_comment_tool());
  tools.push_back(ask_person_tool());
  for (const Exit& exit : context.allowed_exits) {
    if (is_move(exit)) moves.push_back(exit.key);
  }
  if (!moves.empty()) tools.push_back(change_status_tool(context, moves));
  for (const Exit& exit : context.allowed_exits) {
    if (!is_move(exit)) tools.push_back(progress_tool(exit));
  }
  return tools;
}

Result<Command> to_command(const AgentContext& context, std::string_view name, const boost::json::object& arguments) {
  if (name == set_fields) return to_set_fields(context, arguments);
  if (name == add_comment) return Command(AddComment{without_controls(text_argument(arguments, "body"))});
  if (name == change_status) return Command(ChangeStatus{text_argument(arguments, "to_status")});
  return to_progress(name.substr(progress_prefix.size()), arguments);
}

Error not_offered(const AgentContext& context, std::string_view name, std::vector<std::string> offered) {
  const auto blocked =
      std::find_if(context.blocked_exits.begin(), context.blocked_exits.end(), [&](const BlockedExit& candidate) {
        return !is_move(candidate.exit) && tool_of(candidate.exit) == name && !candidate.reasons.empty();
      });
  if (blocked == context.blocked_exits.end()) {
    return Error(errc::not_found, fmt::format("There is no tool '{}' now", shortened(name, 64)))
        .with_allowed(std::move(offered));
  }
  const Error& first = blocked->reasons.front();
  std::vector<Problem> problems;
  std::vector<std::string> missing;
  for (const Error& reason : blocked->reasons) {
    if (&reason != &first) problems.push_back({"", reason.message()});
    problems.insert(problems.end(), reason.problems().begin(), reason.problems().end());
    missing.insert(missing.end(), reason.missing().begin(), reason.missing().end());
  }
  return Error(first.code(), first.message())
      .with_missing(std::move(missing))
      .with_problems(std::move(problems))
      .with_allowed(std::move(offered));
}

void write_state(json::Writer& writer, const AgentContext& context) {
  writer.key("status").string(context.item.status).key("allowed_exits").begin_array();
  for (const Exit& exit : context.allowed_exits) {
    write_exit(writer, exit);
    writer.key("tool").string(tool_of(exit)).end_object();
  }
  writer.end_array().key("blocked_exits").begin_array();
  for (const BlockedExit& blocked : context.blocked_exits) {
    write_exit(writer, blocked.exit);
    writer.key("reasons").begin_array();
    for (const Error& reason : blocked.reasons) write_error(writer, reason);
    writer.end_array().end_object();
  }
  writer.end_array();
}

std::string act_result(const AgentContext& context) {
  json::Writer writer;
  writer.begin_object().key("ok").boolean(true);
  write_state(writer, context);
  writer.end_object();
  return std::move(writer).str();
}

std::string refusal_text(const Error& error) {
  json::Writer writer;
  write_error(writer.begin_object().key("error"), error);
  writer.end_object();
  return std::move(writer).str();
}

}  // namespace openindex::agent
