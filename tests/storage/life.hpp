// The life of an item in five durable steps: create, claim, two gates, complete. What the tests of broken disks and
// killed processes live through.
#pragma once

#include <array>
#include <functional>
#include <string>

#include <openindex/workflow/builder.hpp>
#include <openindex/workflow_engine.hpp>

namespace openindex {

inline Workflow life_workflow() {
  return WorkflowBuilder("LIFE")
      .domain("LIFE")
      .execution_target(ExecutionTarget::agent)
      .stage({.key = "intake"})
      .status({.key = "open", .stage = "intake", .in_progress = true})
      .stage({.key = "check"})
      .status({.key = "checking", .stage = "check", .in_progress = true})
      .stage({.key = "build"})
      .status({.key = "building", .stage = "build", .in_progress = true})
      .stage({.key = "closed"})
      .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
      .transition("open", "checking")
      .transition("checking", "building")
      .transition("building", "done")
      .gate({.key = "intake_to_check",
             .from_stage = "intake",
             .to_stage = "check",
             .to_status = "checking",
             .mode = GateMode::text,
             .text = "It is worth the while."})
      .gate({.key = "check_to_build",
             .from_stage = "check",
             .to_stage = "build",
             .to_status = "building",
             .mode = GateMode::checklist,
             .items = {"Looked at", "Understood"}})
      .build()
      .value();
}

inline Result<WorkItem> begin_life(WorkflowEngine& engine, const std::string& idempotency_key = {}) {
  return engine.create(Actor::system("host"), {.workflow = "LIFE",
                                               .title = "Carry a stone up the hill",
                                               .description = std::string(300, 'x'),
                                               .idempotency_key = idempotency_key});
}

/// How many audit entries there are after each step of a life: passing a gate is one, moving is another.
inline constexpr std::array<std::size_t, 5> life_entries = {1, 2, 4, 6, 8};

using LifeStep = std::function<Result<WorkItem>(WorkflowEngine&, const ItemKey&, const CallOptions&)>;

/// What follows after an item was created.
inline const std::array<LifeStep, 4>& life_steps() {
  static const Actor agent = Actor::agent("agent-alpha");
  static const std::array<LifeStep, 4> steps = {
      [](auto& engine, auto& key, auto& call) { return engine.claim(agent, key, {}, call); },
      [](auto& engine, auto& key, auto& call) {
        return engine.progress(agent, key, {.gate = "intake_to_check", .accept_text = true}, call);
      },
      [](auto& engine, auto& key, auto& call) {
        return engine.progress(agent, key, {.gate = "check_to_build", .checked = {"Looked at", "Understood"}}, call);
      },
      [](auto& engine, auto& key, auto& call) { return engine.complete(agent, key, {.to_status = "done"}, call); },
  };
  return steps;
}

}  // namespace openindex
