#include "engine/workflow_shelf.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "core/utf8.hpp"
#include "engine/answers.hpp"
#include "engine/commit.hpp"
#include "engine/settings_marker.hpp"
#include "json/stored.hpp"
#include "json/writer.hpp"
#include "work/actor_rules.hpp"

namespace openindex::engine {
namespace {

RecordId head_record(const WorkflowId& id) { return {"workflow", id.str()}; }
RecordId version_record(const WorkflowId& id, std::uint32_t version) {
  return {"workflow_version", fmt::format("{}/{:06}", id.str(), version)};
}
RecordId settings_record(const WorkflowId& id, const std::string& stage) {
  return {"stage_settings", id.str() + "/" + stage};
}

Result<void> check_admin(const Actor& actor) {
  if (!actor.is_agent()) return work::check_actor_id(actor);
  return Error(errc::not_permitted, "Agent run token cannot manage settings").with("actor", actor.id());
}

// What is known of the latest version, and the chain of the workflow's own audit entries.
struct Head {
  std::uint32_t version = 0;
  ChainHead chain;
  std::uint64_t record_version = 0;
};

Result<Head> read_head(Storage& storage, const WorkflowId& id) {
  auto record = read_record(storage, head_record(id), "workflow");
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "workflow " + id.str());
  if (!in) return in.error();
  Head head;
  head.version = static_cast<std::uint32_t>(in->natural("version"));
  head.chain.count = in->natural("auditCount");
  head.chain.digest = in->text("auditHead");
  head.record_version = record->version;
  return head;
}

Put write_head(const WorkflowId& id, const Head& head) {
  json::Writer out;
  out.begin_object().key("version").number(std::uint64_t{head.version});
  out.key("auditCount").number(head.chain.count).key("auditHead").string(head.chain.digest).end_object();
  return {head_record(id), std::move(out).str(), {}};
}

void append_entry(ChangeSet& changes, Head& head, const WorkflowId& id, const Actor& actor, Time now,
                  AuditDraft draft) {
  const std::string stream = "workflow." + id.str();
  const AuditFrame frame{
      .stream = stream, .domain = {}, .actor = actor, .at = now, .commit = changes.id.str(), .stage = {}, .step = {}};
  append_audit(changes, head.chain, frame, std::span(&draft, 1));
  changes.expectations.push_back({head_record(id), head.record_version});
  changes.puts.push_back(write_head(id, head));
}

// A save as it is remembered: nothing but its outcome.
Record answer_of(const SavedWorkflow& saved) {
  return {head_record(saved.id), saved.version, saved.created ? "created" : "", {}};
}
SavedWorkflow saved_as(const WorkflowId& id, const Record& answer) {
  return {id, static_cast<std::uint32_t>(answer.version), answer.body == "created"};
}

Put write_settings(const WorkflowId& id, const std::string& stage, const StageSettings& settings) {
  json::Writer out;
  out.begin_object().key("providers").begin_array();
  for (const ProviderId& provider : settings.providers) out.string(provider.str());
  out.end_array().end_object();
  return {settings_record(id, stage), std::move(out).str(), {}};
}

std::string listed(const StageSettings& settings) {
  std::string out;
  for (const ProviderId& provider : settings.providers) out += (out.empty() ? "" : ", ") + provider.str();
  return out;
}

}  // namespace

Result<std::uint32_t> WorkflowShelf::latest(const WorkflowId& id) {
  auto head = read_head(options_.storage, id);
  if (!head) return head.error();
  return head->version;
}

Result<CompiledWorkflowPtr> WorkflowShelf::find(const WorkflowId& id, std::uint32_t version) {
  if (version == 0) {
    auto newest = latest(id);
    if (!newest) return newest.error();
    version = *newest;
  }
  const std::pair key(id.str(), version);
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = compiled_.find(key); found != compiled_.end()) return found->second;
  }
  auto record = read_record(options_.storage, version_record(id, version), "workflow version");
  if (!record) return record.error();
  auto workflow = Workflow::from_json(record->body);
  if (!workflow) {
    return Error(errc::storage_corrupt, "A stored workflow cannot be read")
        .with("workflow", id.str())
        .caused_by(workflow.error());
  }
  auto compiled = CompiledWorkflow::compile(std::move(*workflow), version);
  if (!compiled) return compiled.error();
  const std::unique_lock lock(mutex_);
  return compiled_.try_emplace(key, std::move(*compiled)).first->second;
}

Result<SavedWorkflow> WorkflowShelf::save(const Actor& actor, const Workflow& workflow, const Guard& guard,
                                          const CommitId& commit_id, const CallOptions& call) {
  if (auto allowed = check_admin(actor); !allowed) return allowed.error();
  if (auto valid = workflow.validate(); !valid) return valid.error();
  const std::string body = workflow.to_json();
  auto request = request_of(actor, call.idempotency_key, "save " + body);
  if (!request) return request.error();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    KnownRecord known;
    if (*request) {
      auto found = find_record(options_.storage, **request, options_.clock.now());
      if (!found) return found.error();
      known = std::move(*found);
      if (known.record) return saved_as(workflow.id, *known.record);
    }
    auto head = read_head(options_.storage, workflow.id);
    if (!head && head.error().code() != errc::not_found) return head.error();
    Head next = head ? *head : Head();
    bool same = false;
    if (head) {
      auto newest_known = find(workflow.id, head->version);
      if (!newest_known) return newest_known.error();
      if (auto allowed = guard((*newest_known)->definition()); !allowed) return allowed.error();
      auto newest = read_record(options_.storage, version_record(workflow.id, head->version), "workflow version");
      if (!newest) return newest.error();
      same = newest->body == body;
      if (same && !*request) return SavedWorkflow{workflow.id, head->version, false};
    }
    if (!same) ++next.version;
    const SavedWorkflow saved{workflow.id, next.version, !same};
    ChangeSet changes;
    changes.id = commit_id;
    if (saved.created) {
      const std::string before = head ? std::to_string(head->version) : "";
      append_entry(changes, next, workflow.id, actor, options_.clock.now(),
                   {"workflow.saved", {{"version", before, std::to_string(next.version)}}, {}});
      changes.appends.push_back({version_record(workflow.id, next.version), body, {}});
    }
    if (*request) remember(changes, **request, known, answer_of(saved), options_.clock.now());
    auto done = commit(options_.storage, changes);
    if (done) return saved;
    const bool repeat = done.error().code() == errc::commit_unknown && changes.appends.empty();
    if (done.error().code() != errc::conflict && !repeat) return done.error();
  }
  return Error(errc::contention).with("workflow", workflow.id.str());
}

Result<void> WorkflowShelf::check_stage(const WorkflowId& id, const std::string& stage) {
  auto workflow = find(id, 0);
  if (!workflow) return workflow.error();
  if ((*workflow)->find_stage(stage)) return {};
  return Error(errc::not_found).with("workflow", id.str()).with("stage", stage);
}

Result<StageSettings> WorkflowShelf::settings(const WorkflowId& id, const std::string& stage) {
  auto record = read_record(options_.storage, settings_record(id, stage), "stage settings");
  if (!record && record.error().code() == errc::not_found) {
    if (auto known = check_stage(id, stage); !known) return known.error();
    return StageSettings();
  }
  if (!record) return record.error();
  auto in = json::Stored::read(record->body, "stage settings " + record->id.key);
  if (!in) return in.error();
  StageSettings settings;
  if (const auto* list = in->member("providers"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->get_array()) {
      if (entry.is_string()) settings.providers.emplace_back(std::string_view(entry.get_string()));
    }
  }
  return settings;
}

Result<void> WorkflowShelf::edit_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                          const Edit& edit, const CommitId& commit_id) {
  if (auto allowed = check_admin(actor); !allowed) return allowed.error();
  if (auto known = check_stage(id, stage); !known) return known.error();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    // The head guards the settings too: every edit writes it, so an edit in between is a conflict.
    auto head = read_head(options_.storage, id);
    if (!head) return head.error();
    auto settings = this->settings(id, stage);
    if (!settings) return settings.error();
    const std::string before = listed(*settings);
    if (!edit(*settings)) return {};
    for (const ProviderId& provider : settings->providers) {
      if (provider.empty() || provider.str().size() > 200 || !is_utf8(provider.str())) {
        return Error(errc::invalid_argument, "A provider's id is 1 to 200 bytes of UTF-8").with("stage", stage);
      }
    }
    ChangeSet changes;
    changes.id = commit_id;
    append_entry(changes, *head, id, actor, options_.clock.now(),
                 {"workflow.stage_settings_updated", {{stage + ".providers", before, listed(*settings)}}, {}});
    changes.puts.push_back(write_settings(id, stage, *settings));
    changes.puts.push_back(touch_settings());
    auto done = commit(options_.storage, changes);
    if (done) return {};
    if (done.error().code() != errc::conflict) return done.error();
  }
  return Error(errc::contention).with("workflow", id.str());
}

}  // namespace openindex::engine
