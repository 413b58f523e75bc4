#include "engine/workflow_shelf.hpp"

#include <fmt/format.h>

#include "engine/commit.hpp"
#include "engine/workflow_head.hpp"

namespace openindex::engine {
namespace {

RecordId version_record(const WorkflowId& id, std::uint32_t version) {
  return {"workflow_version", fmt::format("{}/{:06}", id.str(), version)};
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
                                          const CommitId& commit_id) {
  if (auto allowed = check_admin(actor); !allowed) return allowed.error();
  if (auto valid = workflow.validate(); !valid) return valid.error();
  const std::string body = workflow.to_json();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto head = read_head(options_.storage, workflow.id);
    if (!head && head.error().code() != errc::not_found) return head.error();
    WorkflowHead next = head ? *head : WorkflowHead();
    if (head) {
      auto known = find(workflow.id, head->version);
      if (!known) return known.error();
      if (auto allowed = guard((*known)->definition()); !allowed) return allowed.error();
      auto newest = read_record(options_.storage, version_record(workflow.id, head->version), "workflow version");
      if (!newest) return newest.error();
      if (newest->body == body) return SavedWorkflow{workflow.id, head->version, false};
    }
    ++next.version;
    ChangeSet changes;
    changes.id = commit_id;
    append_entry(
        changes, next, workflow.id, actor, options_.clock.now(),
        {"workflow.saved", {{"version", head ? std::to_string(head->version) : "", std::to_string(next.version)}}, {}});
    changes.appends.push_back({version_record(workflow.id, next.version), body, {}});
    auto done = commit(options_.storage, changes);
    if (done) return SavedWorkflow{workflow.id, next.version, true};
    if (done.error().code() != errc::conflict) return done.error();
  }
  return Error(errc::contention).with("workflow", workflow.id.str());
}

}  // namespace openindex::engine
