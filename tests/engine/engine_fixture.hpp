// A whole engine on memory storage, with time standing still.
#pragma once

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/faulty_storage.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/seeded_random.hpp>
#include <openindex/workflow_engine.hpp>

#include "workflow/triage_definition.hpp"

namespace openindex::tests {

struct EngineFixture {
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  MemoryStorage memory;
  testing::FaultyStorage storage{memory};
  WorkflowEngine engine{{.storage = storage, .clock = clock, .random = random}};
  AgentQueue queue{engine};

  Actor host = Actor::system("host");
  Actor mia = Actor::person("mia");
  Actor noa = Actor::person("noa");
  Actor alpha = Actor::agent("agent-alpha");
  Actor beta = Actor::agent("agent-beta");

  EngineFixture() { static_cast<void>(engine.save(host, triage_workflow()).value()); }

  ItemKey bug(std::string title = "crash on empty input", Priority priority = Priority::medium) {
    return engine.create(host, {.workflow = "TRIAGE", .title = std::move(title), .priority = priority}).value().key;
  }
  std::vector<std::string> audit_types(const ItemKey& key) {
    std::vector<std::string> out;
    for (const auto& entry : engine.audit(host, key).value()) out.push_back(entry.type);
    return out;
  }
};

}  // namespace openindex::tests
