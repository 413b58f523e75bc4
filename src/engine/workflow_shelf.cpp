#include "engine/workflow_shelf.hpp"

#include <fmt/format.h>

#include "engine/answers.hpp"
#include "engine/commit.hpp"
#include "engine/workflow_head.hpp"

namespace openindex::engine {
namespace {

RecordId version_record(const WorkflowId& id, std::uint32_t version) {
  return {"workflow_version", fmt::format("{}/{:06}", id.str(), version)};
}
// A save as it is remembered: nothing but its outcome.
Record answer_of(const SavedWorkflow& saved) {
  return {{"workflow", saved.id.str()}, saved.version, saved.created ? "created" : "", {}};
}
SavedWorkflow saved_as(const WorkflowId& id, const Record& answer) {
  return {id, static_cast<std::uint32_t>(answer.version), answer.body == "created"};
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
  if (outside_ != nullptr) {
    auto committed = outside_->find(id, version);
    if (committed || committed.error().code() != errc::not_found) return committed;
  }
  auto compiled = compile(id, version);
  if (!compiled || outside_ != nullptr) return compiled;
  const std::unique_lock lock(mutex_);
  return compiled_.try_emplace(key, std::move(*compiled)).first->second;
}

Result<std::vector<WorkflowId>> WorkflowShelf::all() {
  std::vector<WorkflowId> ids;
  ScanRequest request{.index = Index::key, .prefix = {std::string("workflow")}, .limit_count = 1000};
  do {
    auto page = options_.storage.scan(request);
    if (!page) return page.error();
    for (const Record& head : page->rows) ids.emplace_back(head.id.key);
    request.after = std::move(page->next);
  } while (!request.after.empty());
  return ids;
}

Result<CompiledWorkflowPtr> WorkflowShelf::compile(const WorkflowId& id, std::uint32_t version) {
  auto record = read_record(options_.storage, version_record(id, version), "workflow version");
  if (!record) return record.error();
  auto workflow = Workflow::from_json(record->body);
  if (!workflow) {
    return Error(errc::storage_corrupt, "A stored workflow cannot be read")
        .with("workflow", id.str())
        .caused_by(workflow.error());
  }
  return CompiledWorkflow::compile(std::move(*workflow), version);
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
    WorkflowHead next = head ? *head : WorkflowHead();
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

}  // namespace openindex::engine
