// Where definitions stand: stored versions, compiled once, and the settings of their stages.
//
// Settings that are needed often come from a cache. It is emptied by an edit of ours, and when the settings marker has
// changed; the marker is looked at when the last look is a second old, or when somebody who must be up to date says so.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include <openindex/workflow_engine.hpp>

#include "engine/answers.hpp"
#include "engine/item_record.hpp"

namespace openindex::engine {

class WorkflowShelf {
 public:
  explicit WorkflowShelf(const WorkflowEngine::Options& options) : options_(options) {}

  /// In a transaction of the host: versions that are committed come from the shelf outside, and nothing is kept.
  WorkflowShelf(const WorkflowEngine::Options& options, WorkflowShelf& outside)
      : options_(options), outside_(&outside) {}

  /// Judges the newest version there is, before another one follows it.
  using Guard = std::function<Result<void>(const Workflow& newest)>;
  Result<SavedWorkflow> save(const Actor& actor, const Workflow& workflow, const Guard& guard,
                             const CommitId& commit_id, const CallOptions& call);

  /// Find a compiled version; 0: the latest. @par Errors not_found, storage_corrupt, storage
  Result<CompiledWorkflowPtr> find(const WorkflowId& id, std::uint32_t version);

  /// Which workflows there are, by id. @par Errors storage
  Result<std::vector<WorkflowId>> all();

  // Settings of stages (stage_settings.cpp).

  using StageSettingsPtr = std::shared_ptr<const StageSettings>;

  /// As stored now. @par Errors not_found (no such workflow or stage), storage_corrupt, storage
  Result<StageSettings> settings(const WorkflowId& id, const std::string& stage);
  /// Of all stages that have some, as stored now. @par Errors storage_corrupt, storage
  Result<StageSettingsMap> all_settings(const Workflow& workflow);

  /// From the cache; the defaults when there are none, whether or not there is such a stage: a run's may be gone from
  /// the latest version. @par Errors storage_corrupt, storage
  Result<StageSettingsPtr> known_settings(const WorkflowId& id, const std::string& stage);
  /// Look at the marker now; returns its version. @par Errors storage
  Result<std::uint64_t> follow_settings();

  /// Whether agents may claim the item as far as the settings of its stage say, from the cache. @par Errors storage
  Result<bool> claims_by_hand(const LoadedItem& item);

  using Edit = std::function<void(StageSettings&)>;
  /// Writes nothing when nothing changes.
  /// @par Errors not_permitted, not_found, invalid_argument (every problem), contention, storage
  Result<void> edit_settings(const Actor& actor, const WorkflowId& id, const std::string& stage, const Edit& edit,
                             const CommitId& commit_id, const std::optional<Request>& request);

 private:
  Result<std::uint32_t> latest(const WorkflowId& id);
  Result<CompiledWorkflowPtr> compile(const WorkflowId& id, std::uint32_t version);
  Result<void> check_stage(const WorkflowId& id, const std::string& stage);
  StageSettingsPtr find_known(const std::string& key);
  void forget_settings();

  const WorkflowEngine::Options& options_;
  WorkflowShelf* const outside_ = nullptr;
  std::shared_mutex mutex_;
  std::map<std::pair<std::string, std::uint32_t>, CompiledWorkflowPtr> compiled_;

  std::mutex settings_mutex_;
  std::map<std::string, StageSettingsPtr> known_settings_;  ///< By record key.
  std::uint64_t settings_emptied_ = 0;                      ///< How often: what was read before is not kept after.
  std::uint64_t settings_marker_ = 0;
  std::optional<Duration> settings_looked_;  ///< When, by the steady clock; none: look before the next use.
};

}  // namespace openindex::engine
