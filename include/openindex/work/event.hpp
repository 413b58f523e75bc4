// Event: an item changed. What a host that subscribes is told.
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

/// One accepted change of one item, as the commit left it behind. A hint to read, not a copy of the item. Of a deleted
/// item only its key and domain are told, and `work_item.deleted` among the types; it matches every workflow and stage.
struct Event {
  ItemKey item = {};
  std::string domain = {};
  WorkflowId workflow = {};
  std::string stage = {};
  std::string status = {};
  std::uint64_t version = 0;            ///< `WorkItem::version` after the change; rises from event to event of an item.
  std::vector<std::string> types = {};  ///< Types of the audit entries that the commit wrote for this item, in order.
  std::string actor = {};               ///< The actor's id.
  Time at{};

  /// Not 0: so many events were left out before the next one. Nothing else is set then: read again what matters.
  std::uint64_t missed = 0;
};

/// Which events; empty members match everything. Domain, workflow and stage are those after the change.
struct EventFilter {
  std::string domain = {};
  WorkflowId workflow = {};
  std::string stage = {};
  ItemKey item = {};
  std::string type = {};  ///< One of `Event::types`, such as `agent.claimed`.
};

}  // namespace v0
}  // namespace openindex
