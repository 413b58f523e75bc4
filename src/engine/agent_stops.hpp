// The switches that stop agents: one record with its own audit chain, read through a cache that is a second old at
// most.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/storage/change_set.hpp>
#include <openindex/work/agent_stop.hpp>
#include <openindex/workflow_engine.hpp>

namespace openindex::engine {

class AgentStops {
 public:
  /// By workflow; the empty one is for all.
  using Stops = std::map<WorkflowId, AgentStop>;

  /// @param keeps whether what was read may be believed for a second; not so in a transaction of the host.
  explicit AgentStops(const WorkflowEngine::Options& options, bool keeps = true) : options_(options), keeps_(keeps) {}

  /// Read them as they are stored. @par Errors storage_corrupt, storage
  Result<Stops> read();

  /// Look at them now; returns the version of their record, which rises with every change. @par Errors storage
  Result<std::uint64_t> follow();

  /// Refuse agents that a switch is about, by what was seen at most a second ago.
  /// @par Errors agents_stopped (context `by`), storage
  Result<void> check(const WorkflowId& workflow);

  /// Stop agents, or let them work again. Doing so twice changes nothing.
  /// @par Errors invalid_argument (the reason), contention, storage
  Result<void> stop(const Actor& actor, AgentStop stop, const CommitId& commit_id);
  Result<void> let_work(const Actor& actor, const WorkflowId& workflow, const CommitId& commit_id);

 private:
  struct Stored;
  Result<Stored> read_stored();
  template <class Edit>
  Result<void> edit(const Actor& actor, const WorkflowId& workflow, const CommitId& commit_id, const Edit& edit);

  const WorkflowEngine::Options& options_;
  const bool keeps_;
  std::mutex mutex_;
  std::shared_ptr<const Stops> known_ = std::make_shared<const Stops>();
  std::uint64_t version_ = 0;
  std::optional<Duration> looked_;  ///< By the steady clock.
};

}  // namespace openindex::engine
