#include "engine/item_changes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "engine/digest.hpp"
#include "json/writer.hpp"
#include "work/gate_rules.hpp"

namespace openindex::engine {
namespace {

void change_fields(LoadedItem& next, const FieldValues& values) {
  for (const auto& [key, value] : values) {
    if (value.empty()) {
      next.item.fields.erase(key);
    } else {
      next.item.fields[key] = value;
    }
  }
}

void change_status(LoadedItem& next, StatusIndex to, Time now) {
  const Status& status = next.workflow->status(to);
  next.status = to;
  next.item.status = status.key;
  next.item.stage = status.stage;
  if (next.item.resolution == status.resolution.value_or(Resolution::unresolved)) return;
  if (!status.resolution) {
    next.item.resolution = Resolution::unresolved;
    next.item.resolved_at.reset();
    return;
  }
  next.item.resolution = *status.resolution;
  next.item.resolved_at = now;
}

void change_texts(LoadedItem& next, const UpdateItem& update) {
  if (!update.title && !update.description) return;
  auto text = std::make_shared<ItemText>(*next.text);
  if (update.title) text->title = *update.title;
  if (update.description) text->description = *update.description;
  next.text = std::move(text);
}

void change_members(WorkItem& item, const UpdateItem& update) {
  if (update.priority) item.priority = *update.priority;
  if (update.execution_target) item.execution_target = *update.execution_target;
  if (update.owner) item.owner = *update.owner;
  if (update.assignee) item.assignee = *update.assignee;
  if (update.categories) item.categories = *update.categories;
  if (update.schedule) item.schedule = *update.schedule;
  if (update.objective_state) item.objective_state = *update.objective_state;
}

void change_attachments(LoadedItem& next, const Decision& decision) {
  auto& files = next.item.attachments;
  std::erase_if(files, [&](const Attachment& file) { return file.number == decision.detach; });
  if (!decision.attach) return;
  files.push_back(*decision.attach);
  files.back().number = ++next.attachment_count;
}

void remember_worker(LoadedItem& next, const std::string& id) {
  constexpr std::size_t workers_max = 50;
  auto& workers = next.workers;
  if (std::find(workers.begin(), workers.end(), id) != workers.end()) return;
  if (workers.size() == workers_max) workers.erase(workers.begin());
  workers.push_back(id);
}

bool covers(const GateAcknowledgement& made, const std::string& what) {
  return what == "title" || what == "description" ||
         std::find(made.covered.begin(), made.covered.end(), what) != made.covered.end();
}

std::string digest_of(const LoadedItem& item, const GateAcknowledgement& made) {
  json::Writer out;
  out.begin_object().key("gate").string(made.gate).key("title").string(item.text->title);
  out.key("description").string(item.text->description).key("fields").begin_object();
  for (const std::string& key : made.covered) {
    const auto value = item.item.fields.find(key);
    out.key(key).string(value == item.item.fields.end() ? "" : value->second.display());
  }
  out.end_object().key("attachments").begin_array();
  for (const Attachment& file : item.item.attachments) {
    if (!covers(made, work::attachment_covered(file.number))) continue;
    out.string(file.name).string(file.media_type).number(file.size_bytes).string(file.uri);
  }
  out.end_array().key("checked").begin_array();
  for (const std::string& entry : made.checked) out.string(entry);
  out.end_array().end_object();
  return sha256_hex(out.str());
}

void set_changed(GateAcknowledgement& made, const std::string& what, const Actor& actor) {
  made.changed_by = actor.id();
  if (std::find(made.changed.begin(), made.changed.end(), what) == made.changed.end()) made.changed.push_back(what);
}

// Before the acknowledgements of the same decision: they cover what the decision leaves behind.
void outdate(WorkItem& item, const std::vector<std::string>& outdated, const Actor& actor) {
  for (GateAcknowledgement& made : item.gates) {
    for (const std::string& what : outdated) {
      if (covers(made, what)) set_changed(made, what, actor);
    }
  }
}

void acknowledge(LoadedItem& next, const std::vector<GateAcknowledgement>& acknowledged, Time now) {
  for (GateAcknowledgement made : acknowledged) {
    made.at = now;
    made.digest = digest_of(next, made);
    auto& gates = next.item.gates;
    const auto same = [&](const GateAcknowledgement& other) { return other.gate == made.gate; };
    if (const auto known = std::find_if(gates.begin(), gates.end(), same); known != gates.end()) {
      *known = std::move(made);
    } else {
      gates.push_back(std::move(made));
    }
  }
}

}  // namespace

void migrate_item(LoadedItem& next, const MigrationChange& change, const CompiledWorkflowPtr& target,
                  const Actor& actor) {
  next.workflow = target;
  next.item.workflow_version = target->version();
  auto& gates = next.item.gates;
  const auto among = [](const std::vector<std::string>& list, const GateAcknowledgement& made) {
    return std::find(list.begin(), list.end(), made.gate) != list.end();
  };
  std::erase_if(gates, [&](const GateAcknowledgement& made) { return among(change.gates_gone, made); });
  for (GateAcknowledgement& made : gates) {
    if (among(change.gates_changed, made)) set_changed(made, "requirements", actor);
  }
}

void change_hold(LoadedItem& next, const HoldChange& change, const Actor& actor, Time now) {
  switch (change.kind) {
    case HoldChange::Kind::none:
      return;
    case HoldChange::Kind::clear:
      next.item.hold.reset();
      return;
    case HoldChange::Kind::take:
      ++next.epoch;
      next.hold_length = change.deadline - now;
      next.item.hold = change.agent.empty() ? Hold{actor.id(), next.epoch, change.deadline, actor.run_id()}
                                            : Hold{change.agent, next.epoch, change.deadline, {}};
      return;
    case HoldChange::Kind::extend:
      if (change.deadline != Time()) next.hold_length = change.deadline - now;
      next.item.hold->deadline = std::max(next.item.hold->deadline, now + next.hold_length);
  }
}

void apply_decision(LoadedItem& next, const Decision& decision, const Actor& actor, Time now) {
  next.item.updated_at = now;
  if (decision.worked) remember_worker(next, actor.id());
  if (!decision.hold.agent.empty()) remember_worker(next, decision.hold.agent.str());
  change_hold(next, decision.hold, actor, now);
  change_fields(next, decision.fields);
  change_texts(next, decision.update);
  change_members(next.item, decision.update);
  change_attachments(next, decision);
  if (!decision.depends.empty()) next.item.depends_on.push_back(decision.depends);
  if (!decision.independent.empty()) {
    std::erase(next.item.depends_on, decision.independent);
    std::erase(next.item.blocked_by, decision.independent);
  }
  outdate(next.item, decision.outdated, actor);
  acknowledge(next, decision.acknowledged, now);
  if (decision.status) change_status(next, *decision.status, now);
  if (decision.comment) ++next.item.comment_count;
}

Put write_comment(const LoadedItem& item, const AddComment& comment, const Actor& actor, Time now) {
  json::Writer out;
  out.begin_object().key("body").string(comment.body).member("external", comment.external);
  out.key("author").string(actor.id()).member("byAgent", actor.is_agent()).key("at").string(to_rfc3339(now));
  out.end_object();
  return {{"comment", fmt::format("{}/{:06}", item.item.key.str(), item.item.comment_count)}, std::move(out).str(), {}};
}

}  // namespace openindex::engine
