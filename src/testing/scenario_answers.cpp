#include <openindex/testing/scenario_answers.hpp>

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include <openindex/testing/scenario.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

bool ItemList::contains(const ItemKey& key) const {
  return std::ranges::find(items, key, &WorkItem::key) != items.end();
}

const AuditEntry& AuditTrail::last() const {
  assert(!entries.empty() && "every item's trail begins with its creation");
  return entries.back();
}

bool AuditTrail::contains(std::string_view type) const {
  return std::ranges::find(entries, type, &AuditEntry::type) != entries.end();
}

std::string AuditTrail::types() const {
  std::string out;
  for (const AuditEntry& entry : entries) out += (out.empty() ? "" : ", ") + entry.type;
  return out;
}

ScenarioContext::ScenarioContext(Scenario& scenario, AgentContext context)
    : AgentContext(std::move(context)), scenario_(&scenario) {}

bool ScenarioContext::allowed(std::string_view exit, CallSite site) const {
  require_known(exit, site);
  return std::ranges::find(allowed_exits, exit, &Exit::key) != allowed_exits.end();
}

bool ScenarioContext::blocked(std::string_view exit, CallSite site) const {
  return find_blocked(exit, site) != nullptr;
}

bool ScenarioContext::blocked(std::string_view exit, errc because, CallSite site) const {
  const BlockedExit* found = find_blocked(exit, site);
  return found != nullptr && std::ranges::find(found->reasons, because, &Error::code) != found->reasons.end();
}

std::string ScenarioContext::missing(std::string_view exit, CallSite site) const {
  std::vector<std::string> out;
  if (const BlockedExit* found = find_blocked(exit, site)) {
    for (const Error& reason : found->reasons) {
      out.insert(out.end(), reason.missing().begin(), reason.missing().end());
    }
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

const BlockedExit* ScenarioContext::find_blocked(std::string_view exit, CallSite site) const {
  require_known(exit, site);
  const auto found =
      std::ranges::find_if(blocked_exits, [&](const BlockedExit& blocked) { return blocked.exit.key == exit; });
  return found == blocked_exits.end() ? nullptr : &*found;
}

void ScenarioContext::require_known(std::string_view exit, CallSite site) const {
  const Workflow workflow = scenario_->workflow_of(item, site);
  if (std::ranges::find(workflow.gates, exit, &StageGate::key) != workflow.gates.end()) return;
  if (std::ranges::find(workflow.statuses, exit, &Status::key) != workflow.statuses.end()) return;
  scenario_->fail(fmt::format("ask about the exit '{}'", exit),
                  fmt::format("The workflow {} has no gate and no status of that key.", workflow.id.str()), site);
}

}  // namespace testing
}  // namespace v0
}  // namespace openindex
