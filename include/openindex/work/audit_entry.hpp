// AuditEntry: one accepted change, for good.
//
// Every accepted change appends entries in its own commit. Entries of one stream (an item, a workflow, a provider) form
// a chain: each carries the SHA-256 of the one before, over the bytes as stored, and the head stands in the stream's
// own record. The chain shows a change of earlier entries to whoever knows a later head; it cannot show that somebody
// with write access rewrote the whole chain and the head with it: docs/audit.md. (openindex.md 2.7, 3.8)
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>

namespace openindex {
inline namespace v0 {

/// One value that changed, as text; a long text is given by its size instead, such as `(1200 bytes)`.
struct AuditChange {
  std::string what = {};
  std::string before = {};
  std::string after = {};
};

struct AuditEntry {
  std::string stream = {};   ///< What it is about: an item's key, `workflow.<id>`, `domain.<key>`, `provider.<id>`.
  std::uint64_t number = 0;  ///< Counts from 1 within the stream, without gaps.
  std::string type = {};     ///< Such as `work_item.status_changed`, `agent.claimed`.
  Time at{};
  std::string actor = {};       ///< Id of the person, agent or host program.
  std::string actor_kind = {};  ///< `system`, `person`, `agent`, `run`.
  std::string stage = {};       ///< Of the item, when it happened.
  RunId run = {};
  std::string step = {};  ///< Key of the run's step that caused it; empty when no run did.
  std::uint64_t epoch = 0;
  std::vector<AuditChange> changes = {};
  std::string note = {};      ///< Why, when there is more to say than what changed.
  std::string previous = {};  ///< Hex SHA-256 of the stored bytes of the entry before; empty on the first.
};

}  // namespace v0
}  // namespace openindex
