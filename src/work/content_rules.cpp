// What an item says: its fields, texts, people, files and comments.
#include <algorithm>

#include <fmt/format.h>

#include "core/utf8.hpp"
#include "work/content_bounds.hpp"
#include "work/exit_rules.hpp"
#include "work/field_rules.hpp"
#include "work/gate_rules.hpp"
#include "work/judge.hpp"
#include "work/shown.hpp"

namespace openindex::work {
namespace {

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

}  // namespace

std::string shown(const std::string& text) {
  constexpr std::size_t shown_max = 100;
  return text.size() <= shown_max ? text : fmt::format("({} bytes)", text.size());
}
std::string shown(const std::vector<std::string>& texts) { return shown(fmt::format("{}", fmt::join(texts, ", "))); }

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
  if (auto problems = problems_of(file, item_.attachments.size()); !problems.empty()) {
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
  decision.outdated.push_back(attachment_covered(remove.number));
  decision.audit.push_back({"work_item.attachment_removed", {{"attachment", shown(found->name), ""}}, {}});
  extend_hold(decision);
  return decision;
}

}  // namespace openindex::work
