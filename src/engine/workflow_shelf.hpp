// Where definitions stand: stored versions, compiled once, and the settings of their stages.
#pragma once

#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include <openindex/workflow_engine.hpp>

#include "engine/item_record.hpp"

namespace openindex::engine {

class WorkflowShelf {
 public:
  explicit WorkflowShelf(const WorkflowEngine::Options& options) : options_(options) {}

  /// Judges the newest version there is, before another one follows it.
  using Guard = std::function<Result<void>(const Workflow& newest)>;
  Result<SavedWorkflow> save(const Actor& actor, const Workflow& workflow, const Guard& guard,
                             const CommitId& commit_id, const CallOptions& call);

  /// Find a compiled version; 0: the latest. @par Errors not_found, storage_corrupt, storage
  Result<CompiledWorkflowPtr> find(const WorkflowId& id, std::uint32_t version);

  Result<StageSettings> settings(const WorkflowId& id, const std::string& stage);

  using Edit = std::function<bool(StageSettings&)>;  ///< False: nothing to change.
  Result<void> edit_settings(const Actor& actor, const WorkflowId& id, const std::string& stage, const Edit& edit,
                             const CommitId& commit_id);

 private:
  Result<std::uint32_t> latest(const WorkflowId& id);
  Result<void> check_stage(const WorkflowId& id, const std::string& stage);

  const WorkflowEngine::Options& options_;
  std::shared_mutex mutex_;
  std::map<std::pair<std::string, std::uint32_t>, CompiledWorkflowPtr> compiled_;
};

}  // namespace openindex::engine
