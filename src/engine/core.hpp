// What the front doors share behind WorkflowEngine.
#pragma once

#include <openindex/workflow_engine.hpp>

#include "engine/domain_book.hpp"
#include "engine/item_door.hpp"
#include "engine/workflow_shelf.hpp"

namespace openindex {
inline namespace v0 {

class EngineCore {
 public:
  explicit EngineCore(WorkflowEngine::Options given)
      : options(given), domains(options), shelf(options), door(options, shelf, domains) {}

  /// Refuse an actor who may not read the item: a run reads its own and nothing else, a person needs a role.
  Result<void> check_reader(const Actor& actor, const ItemKey& key) {
    if (actor.kind() != ActorKind::run) return domains.require(actor, engine::domain_of(key), Role::viewer);
    if (actor.run_item() == key) return {};
    return Error(errc::outside_run).with("item", key.str()).with("run", actor.run_id().str());
  }

  WorkflowEngine::Options options;
  engine::DomainBook domains;
  engine::WorkflowShelf shelf;
  engine::ItemDoor door;
};

}  // namespace v0
}  // namespace openindex
