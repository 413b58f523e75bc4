// Settings of stages: stored beside the workflow, read through a cache where it matters.
#include <type_traits>

#include "engine/commit.hpp"
#include "engine/settings_marker.hpp"
#include "engine/workflow_head.hpp"
#include "engine/workflow_shelf.hpp"
#include "json/stored.hpp"
#include "workflow/stage_settings_members.hpp"

namespace openindex::engine {
namespace {

constexpr Duration age_max{1000};
constexpr std::size_t known_max = 10'000;

RecordId settings_record(const WorkflowId& id, const std::string& stage) {
  return {"stage_settings", id.str() + "/" + stage};
}

struct StoredSettings {
  StageSettings settings;
  std::string extra;  ///< Members that a newer version wrote.
};

// What a record lacks has its default: an older version wrote providers only.
template <class T>
void read_member(json::Stored& in, std::string_view name, T& member) {
  if (in.member(name) == nullptr) return;
  if constexpr (std::is_same_v<T, bool>) {
    member = in.boolean(name);
  } else if constexpr (std::is_same_v<T, Duration>) {
    member = Duration(in.integer(name));
  } else if constexpr (std::is_unsigned_v<T>) {
    member = static_cast<T>(in.natural(name));
  } else {
    for (std::string& id : in.texts(name)) member.emplace_back(std::move(id));
  }
}

Result<StoredSettings> read_settings(const std::optional<Record>& record) {
  StoredSettings out;
  if (!record) return out;
  auto in = json::Stored::read(record->body, "stage settings " + record->id.key);
  if (!in) return in.error();
  workflow::each_member([&](std::string_view name, auto member) { read_member(*in, name, out.settings.*member); });
  out.extra = in->rest();
  return out;
}

Result<StoredSettings> read_settings(Storage& storage, const RecordId& id) {
  auto found = storage.get_bodies(std::span(&id, 1));
  if (!found) return found.error();
  return read_settings(found->front());
}

Put write_settings(const RecordId& id, const StoredSettings& stored) {
  json::Writer out;
  out.begin_object();
  workflow::write_members(out, stored.settings);
  return {id, std::move(out.rest(stored.extra).end_object()).str(), {}};
}

template <class T>
std::string display(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, Duration>) {
    return std::to_string(value.count());
  } else if constexpr (std::is_unsigned_v<T>) {
    return std::to_string(value);
  } else {
    std::string out;
    for (const auto& entry : value) out += (out.empty() ? "" : ", ") + workflow::text_of(entry);
    return out;
  }
}

std::vector<AuditChange> changes_between(const std::string& stage, const StageSettings& before,
                                         const StageSettings& after) {
  std::vector<AuditChange> out;
  workflow::each_member([&](const std::string& name, auto member) {
    if (before.*member == after.*member) return;
    out.push_back({stage + "." + name, display(before.*member), display(after.*member)});
  });
  return out;
}

}  // namespace

Result<void> WorkflowShelf::check_stage(const WorkflowId& id, const std::string& stage) {
  auto workflow = find(id, 0);
  if (!workflow) return workflow.error();
  if ((*workflow)->find_stage(stage)) return {};
  return Error(errc::not_found).with("workflow", id.str()).with("stage", stage);
}

Result<StageSettings> WorkflowShelf::settings(const WorkflowId& id, const std::string& stage) {
  const RecordId record = settings_record(id, stage);
  auto found = options_.storage.get_bodies(std::span(&record, 1));
  if (!found) return found.error();
  if (!found->front()) {
    if (auto known = check_stage(id, stage); !known) return known.error();
  }
  auto stored = read_settings(found->front());
  if (!stored) return stored.error();
  return std::move(stored->settings);
}

Result<StageSettingsMap> WorkflowShelf::all_settings(const Workflow& workflow) {
  std::vector<RecordId> ids;
  for (const Stage& stage : workflow.stages) ids.push_back(settings_record(workflow.id, stage.key));
  auto records = options_.storage.get_bodies(ids);
  if (!records) return records.error();
  StageSettingsMap out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto stored = read_settings((*records)[i]);
    if (!stored) return stored.error();
    if ((*records)[i]) out.emplace(workflow.stages[i].key, std::move(stored->settings));
  }
  return out;
}

WorkflowShelf::StageSettingsPtr WorkflowShelf::find_known(const std::string& key) {
  const auto found = known_settings_.find(key);
  return found == known_settings_.end() ? nullptr : found->second;
}

Result<WorkflowShelf::StageSettingsPtr> WorkflowShelf::known_settings(const WorkflowId& id, const std::string& stage) {
  const RecordId record = settings_record(id, stage);
  if (outside_ != nullptr) {
    auto stored = read_settings(options_.storage, record);
    if (!stored) return stored.error();
    return std::make_shared<const StageSettings>(std::move(stored->settings));
  }
  const auto is_recent = [&] { return settings_looked_ && options_.clock.steady() - *settings_looked_ < age_max; };
  std::unique_lock lock(settings_mutex_);
  if (!is_recent()) {
    lock.unlock();
    if (auto followed = follow_settings(); !followed) return followed.error();
    lock.lock();
  }
  if (auto known = find_known(record.key)) return known;
  const std::uint64_t emptied = settings_emptied_;
  lock.unlock();
  auto stored = read_settings(options_.storage, record);
  if (!stored) return stored.error();
  auto read = std::make_shared<const StageSettings>(std::move(stored->settings));
  lock.lock();
  if (settings_emptied_ != emptied) return read;
  if (known_settings_.size() >= known_max) known_settings_.clear();
  known_settings_[record.key] = read;
  return read;
}

Result<std::uint64_t> WorkflowShelf::follow_settings() {
  const Duration now = options_.clock.steady();
  const RecordId marker = settings_marker();
  auto found = options_.storage.get_bodies(std::span(&marker, 1));
  if (!found) return found.error();
  const std::uint64_t version = found->front() ? found->front()->version : 0;
  const std::lock_guard lock(settings_mutex_);
  if (version != settings_marker_) {
    settings_marker_ = version;
    known_settings_.clear();
    ++settings_emptied_;
  }
  settings_looked_ = now;
  return version;
}

void WorkflowShelf::forget_settings() {
  const std::lock_guard lock(settings_mutex_);
  known_settings_.clear();
  ++settings_emptied_;
  settings_looked_.reset();
}

Result<bool> WorkflowShelf::claims_by_hand(const LoadedItem& item) {
  const CompiledWorkflow& workflow = *item.workflow;
  if (!workflow.stage(workflow.stage_of(item.status)).agent_required) return true;
  auto settings = known_settings(item.item.workflow, item.item.stage);
  if (!settings) return settings.error();
  return (*settings)->claims_by_hand;
}

Result<void> WorkflowShelf::edit_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                          const Edit& edit, const CommitId& commit_id,
                                          const std::optional<Request>& request) {
  if (auto allowed = check_admin(actor); !allowed) return allowed.error();
  if (auto known = check_stage(id, stage); !known) return known.error();
  const RecordId record = settings_record(id, stage);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    KnownRecord known;
    if (request) {
      auto found = find_record(options_.storage, *request, options_.clock.now());
      if (!found) return found.error();
      known = std::move(*found);
      if (known.record) return {};
    }
    // The head guards the settings too: every edit writes it, so an edit in between is a conflict.
    auto head = read_head(options_.storage, id);
    if (!head) return head.error();
    auto stored = read_settings(options_.storage, record);
    if (!stored) return stored.error();
    const StageSettings before = stored->settings;
    edit(stored->settings);
    if (auto valid = stored->settings.validate(); !valid) {
      return valid.error().with("workflow", id.str()).with("stage", stage);
    }
    const bool differs = stored->settings != before;
    if (!differs && !request) return {};
    ChangeSet changes;
    changes.id = commit_id;
    if (differs) {
      append_entry(changes, *head, id, actor, options_.clock.now(),
                   {"workflow.stage_settings_updated", changes_between(stage, before, stored->settings), {}});
      changes.puts.push_back(write_settings(record, *stored));
      changes.puts.push_back(touch_settings());
    }
    if (request) remember(changes, *request, known, {record, 1, {}, {}}, options_.clock.now());
    auto done = commit(options_.storage, changes);
    forget_settings();
    if (done) return {};
    const bool repeat = done.error().code() == errc::commit_unknown && changes.appends.empty();
    if (done.error().code() != errc::conflict && !repeat) return done.error();
  }
  return Error(errc::contention).with("workflow", id.str());
}

}  // namespace openindex::engine
