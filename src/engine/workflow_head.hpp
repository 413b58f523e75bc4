// The head record of a workflow: its latest version, and the chain of its own audit entries. Every change of the
// workflow or of the settings of its stages writes it, so two of them at once are a conflict.
#pragma once

#include <cstdint>

#include <openindex/access/actor.hpp>
#include <openindex/storage/change_set.hpp>
#include <openindex/storage/storage.hpp>

#include "engine/audit_chain.hpp"

namespace openindex::engine {

struct WorkflowHead {
  std::uint32_t version = 0;
  ChainHead chain;
  std::uint64_t record_version = 0;
};

/// @par Errors not_found, storage_corrupt, storage
Result<WorkflowHead> read_head(Storage& storage, const WorkflowId& id);

/// Add an audit entry and the head that goes with it to a change.
void append_entry(ChangeSet& changes, WorkflowHead& head, const WorkflowId& id, const Actor& actor, Time now,
                  AuditDraft draft);

/// Refuse agents and runs. @par Errors not_permitted, invalid_argument (the actor's id)
Result<void> check_admin(const Actor& actor);

}  // namespace openindex::engine
