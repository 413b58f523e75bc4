// Items that a host reads from a file.
#include <openindex/work/work_item.hpp>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "json/object_reader.hpp"
#include "json/read.hpp"
#include "work/field_json.hpp"

namespace openindex {
namespace work {

FieldValue read_field_value(const boost::json::value& value) {
  if (const auto* text = value.if_string()) return std::string(text->data(), text->size());
  if (value.is_number()) return value.to_number<double>();
  if (const auto* object = value.if_object()) {
    const auto* date = object->if_contains("date");
    if (date != nullptr && date->is_string()) {
      if (const auto parsed = parse_date(std::string_view(date->get_string()))) return *parsed;
    }
  }
  return {};
}

}  // namespace work

inline namespace v0 {
namespace {

NewItem read_item(json::ObjectReader in, std::vector<Problem>& problems, const std::string& pointer) {
  NewItem item;
  item.title = in.text("title", json::ObjectReader::Need::required);
  item.description = in.text("description");
  item.workflow = in.text("workflow");
  item.priority = in.choice("priority", parse_priority, "critical, high, medium, low").value_or(Priority::medium);
  item.execution_target = in.choice("executionTarget", parse_execution_target, "human, agent, either");
  item.status = in.text("status");
  item.domain = in.text("domain");
  item.kind = in.choice("kind", parse_work_kind, "project, task, sub_task").value_or(WorkKind::task);
  item.parent = in.text("parentKey");
  item.owner = in.text("ownerUserId");
  item.assignee = in.text("assigneeUserId");
  item.categories = in.texts("categories");
  item.objective_state = in.text("objectiveState");
  for (const std::string& key : in.texts("dependsOn")) item.depends_on.emplace_back(key);
  item.idempotency_key = in.text("idempotencyKey");
  if (const auto* fields = in.member("fields"); fields != nullptr && !fields->is_object()) {
    in.problem("fields", "must be an object");
  } else if (fields != nullptr) {
    for (const auto& entry : fields->get_object()) {
      const std::string key(entry.key().data(), entry.key().size());
      FieldValue value = work::read_field_value(entry.value());
      if (value.empty()) {
        problems.push_back({pointer + "/fields/" + json::escape_pointer(key), "must be a text, a number or a date"});
      }
      item.fields.emplace(key, std::move(value));
    }
  }
  in.refuse_unknown();
  return item;
}

}  // namespace

Result<std::vector<NewItem>> NewItem::list_from_json(std::string_view json) {
  auto parsed = json::parse(json, {.bytes_max = 64u * 1024 * 1024, .depth_max = 16, .refuse_duplicates = true});
  if (!parsed) return parsed.error();
  std::vector<NewItem> items;
  std::vector<Problem> problems;
  if (const auto* array = parsed->if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      const std::string pointer = fmt::format("/{}", i);
      items.push_back(read_item(json::ObjectReader((*array)[i], pointer, problems), problems, pointer));
    }
  } else {
    problems.push_back({"", "must be an array"});
  }
  json::bound(problems);
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The items cannot be read").with_problems(std::move(problems));
  }
  return items;
}

}  // namespace v0
}  // namespace openindex
