// A definition without a finding, for tests that break it in one place: open, under way, done.
#pragma once

#include <openindex/workflow/workflow.hpp>

namespace openindex::tests {

inline Workflow small_workflow() {
  Workflow workflow;
  workflow.id = "LINT";
  workflow.initial_status = "open";
  workflow.stages = {{.key = "work"}, {.key = "end"}};
  workflow.statuses = {{.key = "open", .stage = "work"},
                       {.key = "doing", .stage = "work", .in_progress = true},
                       {.key = "done", .stage = "end", .resolution = Resolution::resolved}};
  workflow.transitions = {{"open", "doing"}, {"doing", "open"}, {"doing", "done"}};
  return workflow;
}

/// A gate from work to done with a condition.
inline StageGate small_gate() {
  return {.key = "finish",
          .from_stage = "work",
          .to_stage = "end",
          .to_status = "done",
          .mode = GateMode::text,
          .text = "It is done."};
}

}  // namespace openindex::tests
