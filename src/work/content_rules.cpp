// What an item says: its fields, texts, people, files and comments.
#include <algorithm>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "work/exit_rules.hpp"
#include "work/field_rules.hpp"
#include "work/judge.hpp"
#include "work/shown.hpp"

namespace openindex::work {
namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_line(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_utf8(text) && !has_control(text);
}

using work::shown;
std::string shown(const FieldValue& value) { return shown(value.display()); }
std::string shown(Priority value) { return std::string(to_text(value)); }
std::string shown(ExecutionTarget value) { return std::string(to_text(value)); }
std::string shown(const Schedule& schedule) {
  switch (schedule.granularity) {
    case ScheduleGranularity::none:
      return {};
    case ScheduleGranularity::date:
      return to_rfc3339(schedule.start).substr(0, 10);
    case ScheduleGranularity::datetime:
      break;
  }
  return to_rfc3339(schedule.start) + " to " + to_rfc3339(schedule.end);
}

std::vector<Problem> problems_of(const UpdateItem& update) {
  std::vector<Problem> problems;
  if (update.title) check_title(*update.title, problems);
  if (update.description) check_description(*update.description, problems);
  if (update.owner) check_people("/ownerUserId", *update.owner, problems);
  if (update.assignee) check_people("/assigneeUserId", *update.assignee, problems);
  if (update.categories) check_categories(*update.categories, problems);
  if (update.schedule) check_schedule(*update.schedule, problems);
  if (update.objective_state) check_objective_state(*update.objective_state, problems);
  return problems;
}

}  // namespace

std::string shown(const std::string& text) {
  constexpr std::size_t shown_max = 100;
  return text.size() <= shown_max ? text : fmt::format("({} bytes)", text.size());
}
std::string shown(const std::vector<std::string>& texts) { return shown(fmt::format("{}", fmt::join(texts, ", "))); }

void check_title(const std::string& title, std::vector<Problem>& problems) {
  if (title.empty() || title.size() > 500) problems.push_back({"/title", "must be 1 to 500 bytes long"});
  if (!is_utf8(title) || has_control(title)) {
    problems.push_back({"/title", "must be UTF-8 without control characters"});
  }
}

void check_description(const std::string& description, std::vector<Problem>& problems) {
  if (description.size() > 640u * 1024) problems.push_back({"/description", "must be at most 640 KiB"});
  if (!is_utf8(description)) problems.push_back({"/description", "must be UTF-8"});
}

void check_people(const std::string& pointer, const std::string& user, std::vector<Problem>& problems) {
  if (!is_line(user, 200))
    problems.push_back({pointer, "must be at most 200 bytes of UTF-8 without control characters"});
}

void check_categories(const std::vector<std::string>& categories, std::vector<Problem>& problems) {
  if (categories.size() > 50) problems.push_back({"/categories", "must be at most 50"});
  for (std::size_t i = 0; i < categories.size(); ++i) {
    if (categories[i].empty() || !is_line(categories[i], 100)) {
      problems.push_back({fmt::format("/categories/{}", i), "must be 1 to 100 bytes of UTF-8 on one line"});
    }
  }
}

void check_schedule(const Schedule& schedule, std::vector<Problem>& problems) {
  if (schedule.granularity == ScheduleGranularity::datetime && schedule.end <= schedule.start) {
    problems.push_back({"/schedule", "must end after it starts"});
  }
}

void check_objective_state(const std::string& state, std::vector<Problem>& problems) {
  if (!is_line(state, 1000)) problems.push_back({"/objectiveState", "must be at most 1000 bytes of UTF-8 on one line"});
}

Result<Decision> Judge::operator()(const SetFields& set) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  if (set.values.empty()) {
    return Error(errc::invalid_argument, "No field is named").with_allowed(field_keys(workflow_));
  }
  if (auto fit = check_fields(workflow_, set.values); !fit) return fit.error();
  Decision decision;
  AuditDraft draft{"work_item.custom_fields_updated", {}, {}};
  for (const auto& [key, value] : set.values) {
    const auto current = item_.fields.find(key);
    const FieldValue before = current == item_.fields.end() ? FieldValue() : current->second;
    if (before == value) continue;
    draft.changes.push_back({key, shown(before), shown(value)});
    decision.fields.emplace(key, value);
    decision.outdated.push_back(key);
  }
  if (!draft.changes.empty()) {
    decision.audit.push_back(std::move(draft));
    decision.worked = true;
  }
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const AddComment& comment) {
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  constexpr std::size_t bytes_max = 65'536;
  if (comment.body.empty() || comment.body.size() > bytes_max || !is_utf8(comment.body)) {
    return Error(errc::invalid_argument, "A comment is UTF-8 of 1 to 65536 bytes")
        .with("bytes", std::to_string(comment.body.size()));
  }
  Decision decision;
  decision.comment = comment;
  decision.audit.push_back({"work_item.comment_created",
                            {{"comment", "", fmt::format("({} bytes)", comment.body.size())}},
                            comment.external ? "external" : ""});
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const UpdateItem& update) {
  if (auto allowed = check_worker(); !allowed) return allowed.error();
  if (auto problems = problems_of(update); !problems.empty()) {
    return Error(errc::invalid_argument, "The work item cannot be changed like this")
        .with_problems(std::move(problems));
  }
  Decision decision;
  AuditDraft draft{"work_item.updated", {}, {}};
  const auto take = [&](const char* what, const auto& wanted, const auto& current, auto& target) {
    if (!wanted || *wanted == current) return false;
    draft.changes.push_back({what, shown(current), shown(*wanted)});
    target = wanted;
    return true;
  };
  UpdateItem sorted = update;
  if (sorted.categories) {
    std::sort(sorted.categories->begin(), sorted.categories->end());
    sorted.categories->erase(std::unique(sorted.categories->begin(), sorted.categories->end()),
                             sorted.categories->end());
  }
  UpdateItem& out = decision.update;
  if (take("title", sorted.title, std::string(snapshot_.title), out.title)) decision.outdated.emplace_back("title");
  if (take("description", sorted.description, std::string(snapshot_.description), out.description)) {
    decision.outdated.emplace_back("description");
  }
  take("priority", sorted.priority, item_.priority, out.priority);
  take("executionTarget", sorted.execution_target, item_.execution_target, out.execution_target);
  take("ownerUserId", sorted.owner, item_.owner, out.owner);
  take("assigneeUserId", sorted.assignee, item_.assignee, out.assignee);
  take("categories", sorted.categories, item_.categories, out.categories);
  take("schedule", sorted.schedule, item_.schedule, out.schedule);
  take("objectiveState", sorted.objective_state, item_.objective_state, out.objective_state);
  if (!draft.changes.empty()) {
    decision.audit.push_back(std::move(draft));
    decision.worked = !decision.outdated.empty();
  }
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const AddAttachment& add) {
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  const Attachment& file = add.attachment;
  std::vector<Problem> problems;
  if (file.name.empty() || !is_line(file.name, 255))
    problems.push_back({"/name", "must be 1 to 255 bytes on one line"});
  if (!is_line(file.media_type, 127)) problems.push_back({"/mediaType", "must be at most 127 bytes on one line"});
  if (file.uri.empty() || !is_line(file.uri, 2000)) problems.push_back({"/uri", "must be 1 to 2000 bytes on one line"});
  if (item_.attachments.size() >= 100) problems.push_back({"", "an item has at most 100 attachments"});
  if (!problems.empty()) {
    return Error(errc::invalid_argument, "The attachment cannot be added").with_problems(std::move(problems));
  }
  Decision decision;
  decision.attach = file;
  decision.attach->added_by = actor_.id();
  decision.attach->added_at = now_;
  decision.audit.push_back(
      {"work_item.attachment_added", {{"attachment", "", shown(file.name)}}, fmt::format("{} bytes", file.size_bytes)});
  extend_hold(decision);
  return decision;
}

Result<Decision> Judge::operator()(const RemoveAttachment& remove) {
  if (auto allowed = check_actor(snapshot_, actor_, now_, fence_); !allowed) return allowed.error();
  const auto found = std::find_if(item_.attachments.begin(), item_.attachments.end(),
                                  [&](const Attachment& file) { return file.number == remove.number; });
  if (found == item_.attachments.end()) {
    std::vector<std::string> there;
    there.reserve(item_.attachments.size());
    for (const Attachment& file : item_.attachments) there.push_back(std::to_string(file.number));
    return Error(errc::not_found, "The item has no such attachment")
        .with("attachment", std::to_string(remove.number))
        .with_allowed(std::move(there));
  }
  Decision decision;
  decision.detach = remove.number;
  decision.audit.push_back({"work_item.attachment_removed", {{"attachment", shown(found->name), ""}}, {}});
  extend_hold(decision);
  return decision;
}

}  // namespace openindex::work
