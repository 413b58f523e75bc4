// What the front doors share behind WorkflowEngine.
#pragma once

#include <openindex/workflow_engine.hpp>

#include "engine/item_door.hpp"
#include "engine/workflow_shelf.hpp"

namespace openindex {
inline namespace v0 {

class EngineCore {
 public:
  explicit EngineCore(WorkflowEngine::Options given) : options(given), shelf(options), door(options, shelf) {}

  WorkflowEngine::Options options;
  engine::WorkflowShelf shelf;
  engine::ItemDoor door;
};

}  // namespace v0
}  // namespace openindex
