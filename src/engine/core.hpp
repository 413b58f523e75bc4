// What the front doors share behind WorkflowEngine.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <openindex/workflow_engine.hpp>

#include "engine/agent_stops.hpp"
#include "engine/domain_book.hpp"
#include "engine/item_door.hpp"
#include "engine/workflow_shelf.hpp"

namespace openindex {
inline namespace v0 {

class EngineCore {
 public:
  explicit EngineCore(WorkflowEngine::Options given, std::unique_ptr<Storage> storage_of_its_own = nullptr)
      : own_storage(std::move(storage_of_its_own)),
        options(given),
        domains(options),
        shelf(options),
        numbers(options.storage),
        ids(options.random),
        stops(options),
        door({options.storage, options.clock, shelf, domains, numbers, ids, stops}) {}

  /// For calls in a transaction of the host. Nothing that is read there is kept: it may be rolled back.
  EngineCore(EngineCore& outside, Enlistment& transaction)
      : options{transaction, outside.options.clock, outside.options.random},
        domains(options, false),
        shelf(options, outside.shelf),
        numbers(transaction, outside.numbers),
        ids(options.random),
        stops(options, false),
        door({transaction, options.clock, shelf, domains, numbers, ids, stops,
              std::make_shared<engine::EventFeed>(transaction, outside.door.feed().shared_from_this()), false}) {}

  /// Refuse an actor who may not read the item: a run reads its own and nothing else, a person needs a role.
  Result<void> check_reader(const Actor& actor, const ItemKey& key) {
    if (actor.kind() != ActorKind::run) return domains.require(actor, engine::domain_of(key), Role::viewer);
    if (actor.run_item() == key) return {};
    return Error(errc::outside_run).with("item", key.str()).with("run", actor.run_id().str());
  }

  /// Refuse an actor who is less than that in the domain of a workflow that is stored. Who has no role there learns
  /// nothing of it. @par Errors not_found, not_permitted, storage
  Result<void> require_in(const Workflow& workflow, const Actor& actor, Role needed) {
    auto allowed = domains.require(actor, engine::domain_of(workflow), needed);
    if (allowed || allowed.error().code() != errc::not_found) return allowed;
    return Error(errc::not_found).with("workflow", workflow.id.str());
  }

  /// Find a version of a workflow that the actor may read; 0: the latest.
  Result<engine::CompiledWorkflowPtr> readable_workflow(const Actor& actor, const WorkflowId& id,
                                                        std::uint32_t version) {
    auto found = shelf.find(id, version);
    if (!found) return found;
    if (auto allowed = require_in((*found)->definition(), actor, Role::viewer); !allowed) return allowed.error();
    return found;
  }

  /// Tell whether the actor may read an audit stream: those of items, workflows and domains need a role there.
  Result<bool> sees_stream(const Actor& actor, const std::string& stream) {
    constexpr std::string_view domain = "domain.", workflow = "workflow.";
    constexpr std::array of_instance = {"provider.", "provider_type.", "prompt."};
    const bool is_of_instance = std::any_of(of_instance.begin(), of_instance.end(),
                                            [&](const char* prefix) { return stream.starts_with(prefix); });
    if (actor.kind() == ActorKind::system || is_of_instance) return true;
    if (stream.starts_with("switch.")) return actor.scope() == Scope::admin;  // of every domain
    if (stream.starts_with(domain)) return domains.sees(actor, stream.substr(domain.size()));
    if (!stream.starts_with(workflow)) return domains.sees(actor, engine::domain_of(ItemKey(stream)));
    auto found = readable_workflow(actor, stream.substr(workflow.size()), 0);
    // Of one that cannot be read nobody knows whose it is: then it is the host's alone.
    const bool hidden =
        !found && (found.error().code() == errc::not_found || found.error().code() == errc::storage_corrupt);
    if (!found && !hidden) return found.error();
    return found.has_value();
  }

  std::unique_ptr<Storage> own_storage;
  WorkflowEngine::Options options;
  engine::DomainBook domains;
  engine::WorkflowShelf shelf;
  engine::NumberLease numbers;
  engine::CommitIds ids;
  engine::AgentStops stops;
  engine::ItemDoor door;
};

}  // namespace v0
}  // namespace openindex
