// What a `Scenario` answers when a test looks: lists and trails that are asked in one word.
//
// Thread safety: plain values. A `ScenarioContext` must not outlive its scenario.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/testing/call_site.hpp>
#include <openindex/work/agent_context.hpp>
#include <openindex/work/audit_entry.hpp>
#include <openindex/work/work_item.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

class Scenario;

/// The items of a bucket of the queue.
struct OPENINDEX_API ItemList {
  std::vector<WorkItem> items = {};

  [[nodiscard]] bool contains(const ItemKey& key) const;
  [[nodiscard]] bool empty() const noexcept { return items.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items.size(); }
};

/// Everything that happened to an item, oldest first.
struct OPENINDEX_API AuditTrail {
  std::vector<AuditEntry> entries = {};

  [[nodiscard]] const AuditEntry& last() const;              ///< @pre the item exists: then there is one
  [[nodiscard]] bool contains(std::string_view type) const;  ///< Such as `agent.hold_expired`.
  [[nodiscard]] std::string types() const;                   ///< All of them, joined by `, `.
};

/// What an actor may do to an item, and why not the rest: an `AgentContext` that is asked by key.
///
/// A key is that of a gate or a status. One that the workflow does not have fails the scenario, so that no check passes
/// because of a slip of the pen. An exit that does not lead from where the item stands is neither allowed nor blocked.
struct OPENINDEX_API ScenarioContext : AgentContext {
  ScenarioContext(Scenario& scenario, AgentContext context);

  [[nodiscard]] bool allowed(std::string_view exit, CallSite site = CallSite::here()) const;
  [[nodiscard]] bool blocked(std::string_view exit, CallSite site = CallSite::here()) const;
  /// Blocked, and this is one of the reasons.
  [[nodiscard]] bool blocked(std::string_view exit, errc because, CallSite site = CallSite::here()) const;
  /// What the reasons that block it name as missing, joined by `, `.
  [[nodiscard]] std::string missing(std::string_view exit, CallSite site = CallSite::here()) const;

 private:
  const BlockedExit* find_blocked(std::string_view exit, CallSite site) const;
  void require_known(std::string_view exit, CallSite site) const;

  Scenario* scenario_;
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
