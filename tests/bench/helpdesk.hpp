// A help desk with its requests filed: where the figures of whole engines begin.
#pragma once

#include <vector>

#include <openindex/workflow_engine.hpp>

#include "bench/figure.hpp"
#include "bench/helpdesk_definition.hpp"

namespace openindex::bench {

/// Save the definition and create that many requests; throws `BadResult`.
inline std::vector<ItemKey> file_requests(WorkflowEngine& engine, std::size_t count) {
  const Actor host = Actor::system("host");
  require(engine.save(host, helpdesk_workflow()));
  std::vector<ItemKey> keys;
  keys.reserve(count);
  while (keys.size() < count) keys.push_back(engine.create(host, helpdesk_request()).value().key);
  return keys;
}

/// The agent that does the work of the figures.
inline const Actor& agent() {
  static const Actor actor = Actor::agent("agent-alpha");
  return actor;
}

}  // namespace openindex::bench
