// Definitions and the settings of their stages: saving, reading, changing them.
#include <algorithm>

#include <openindex/workflow_engine.hpp>

#include "engine/core.hpp"
#include "engine/workflow_head.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using namespace openindex::engine;

Error outside(const Actor& actor) { return Error(errc::outside_run).with("run", actor.run_id().str()); }

}  // namespace

Result<SavedWorkflow> WorkflowEngine::save(const Actor& actor, const Workflow& workflow, const CallOptions& call) {
  // Of the domain that it is in and of the one that it says: a workflow does not change hands by being saved.
  const auto may_replace = [&](const Workflow& stored) -> Result<void> {
    return core_->require_in(stored, actor, Role::admin);
  };
  if (!actor.is_agent()) {  // refused by the shelf
    if (auto allowed = core_->domains.require(actor, domain_of(workflow), Role::admin); !allowed)
      return allowed.error();
  }
  return core_->shelf.save(actor, workflow, may_replace, core_->door.mint_commit(), call);
}

Result<Workflow> WorkflowEngine::workflow(const Actor& actor, const WorkflowId& id, std::uint32_t version) {
  if (actor.kind() == ActorKind::run) {
    auto item = core_->door.load(actor.run_item());
    if (!item) return item.error();
    if ((*item)->item.workflow != id) return outside(actor);
  }
  auto found = core_->readable_workflow(actor, id, version);
  if (!found) return found.error();
  return (*found)->definition();
}

Result<std::string> WorkflowEngine::workflow_json(const Actor& actor, const WorkflowId& id, std::uint32_t version) {
  if (actor.kind() == ActorKind::run) return outside(actor);
  auto found = core_->readable_workflow(actor, id, version);
  if (!found) return found.error();
  auto settings = core_->shelf.all_settings((*found)->definition());
  if (!settings) return settings.error();
  return merged_json((*found)->definition(), *settings);
}

Result<std::vector<WorkflowSummary>> WorkflowEngine::workflows(const Actor& actor, const std::string& domain) {
  if (actor.kind() == ActorKind::run) return outside(actor);
  auto ids = core_->shelf.all();
  if (!ids) return ids.error();
  std::vector<WorkflowSummary> out;
  for (const WorkflowId& id : *ids) {
    auto found = core_->readable_workflow(actor, id, 0);
    if (!found && found.error().code() == errc::not_found) continue;
    if (!found) return found.error();
    const Workflow& definition = (*found)->definition();
    if (!domain.empty() && domain_of(definition) != domain) continue;
    out.push_back({id, definition.name, domain_of(definition), (*found)->version()});
  }
  return out;
}

Result<void> WorkflowEngine::attach_provider(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                             const ProviderId& provider, const CallOptions& call) {
  const auto add = [&](StageSettings& settings) {
    const auto& list = settings.providers;
    if (std::find(list.begin(), list.end(), provider) == list.end()) settings.providers.push_back(provider);
  };
  return edit_settings(actor, id, stage, add, call, "attach " + provider.str());
}

Result<void> WorkflowEngine::set_stage_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                                const StageSettings& settings, const CallOptions& call) {
  return edit_settings(
      actor, id, stage, [&](StageSettings& current) { current = settings; }, call, "set " + settings.to_json());
}

Result<void> WorkflowEngine::edit_settings(const Actor& actor, const WorkflowId& id, const std::string& stage,
                                           const std::function<void(StageSettings&)>& edit, const CallOptions& call,
                                           const std::string& what) {
  if (!actor.is_agent()) {  // refused by the shelf
    auto workflow = core_->shelf.find(id, 0);
    if (!workflow) return workflow.error();
    if (auto allowed = core_->require_in((*workflow)->definition(), actor, Role::admin); !allowed) return allowed;
  }
  auto request = request_of(actor, call.idempotency_key, "settings of " + id.str() + " " + stage + " " + what);
  if (!request) return request.error();
  return core_->shelf.edit_settings(actor, id, stage, edit, core_->door.mint_commit(), *request);
}

Result<StageSettings> WorkflowEngine::stage_settings(const Actor& actor, const WorkflowId& id,
                                                     const std::string& stage) {
  if (actor.kind() == ActorKind::run) return outside(actor);
  if (auto readable = core_->readable_workflow(actor, id, 0); !readable) return readable.error();
  return core_->shelf.settings(id, stage);
}

Result<void> WorkflowEngine::check_may_stop(const Actor& actor, const WorkflowId& workflow) {
  if (auto allowed = engine::check_admin(actor); !allowed) return allowed;
  if (workflow.empty()) {
    if (actor.scope() == Scope::admin) return {};
    return Error(errc::not_permitted, "This needs a credential of scope admin").with("scope", "admin");
  }
  auto found = core_->shelf.find(workflow, 0);
  if (!found) return found.error();
  return core_->require_in((*found)->definition(), actor, Role::admin);
}

Result<void> WorkflowEngine::stop_agents(const Actor& actor, const AgentStop& stop) {
  if (auto allowed = check_may_stop(actor, stop.workflow); !allowed) return allowed;
  return core_->stops.stop(actor, stop, core_->door.mint_commit());
}

Result<void> WorkflowEngine::let_agents_work(const Actor& actor, const WorkflowId& workflow) {
  if (auto allowed = check_may_stop(actor, workflow); !allowed) return allowed;
  return core_->stops.let_work(actor, workflow, core_->door.mint_commit());
}

Result<std::vector<AgentStop>> WorkflowEngine::stopped_agents(const Actor& actor) {
  if (actor.kind() == ActorKind::run) return outside(actor);
  auto stops = core_->stops.read();
  if (!stops) return stops.error();
  std::vector<AgentStop> out;
  for (auto& [workflow, stop] : *stops) {
    if (!workflow.empty()) {
      auto readable = core_->readable_workflow(actor, workflow, 0);
      if (!readable && readable.error().code() == errc::not_found) continue;
      if (!readable) return readable.error();
    }
    out.push_back(std::move(stop));
  }
  return out;
}

}  // namespace v0
}  // namespace openindex
