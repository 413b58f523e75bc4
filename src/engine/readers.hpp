// Who may read what.
#pragma once

#include <openindex/access/actor.hpp>
#include <openindex/core/result.hpp>

namespace openindex::engine {

/// A run reads its own item and nothing else. @par Errors outside_run
inline Result<void> check_reader(const Actor& actor, const ItemKey& key) {
  if (actor.kind() != ActorKind::run || actor.run_item() == key) return {};
  return Error(errc::outside_run).with("item", key.str()).with("run", actor.run_id().str());
}

}  // namespace openindex::engine
