// AgentStop: the switch that stops agents, all of them or those of one workflow.
//
// For `WorkflowEngine::stop_agents`. One run is stopped by `cancel_run`, one provider by disabling it, one stage by its
// settings. Thread safety: plain values.
#pragma once

#include <string>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>

namespace openindex {
inline namespace v0 {

/// While it stands, no run that it is about starts or goes on (they wait, `agents_stopped`, and go on by themselves
/// afterwards), and no agent creates, changes or claims such an item; it may still release what it holds. What was
/// asked of providers is cancelled. Every process that shares the storage goes by it within a second, a dispatcher at
/// once. The one for all and those of workflows are taken back each by itself. People are not concerned.
struct AgentStop {
  WorkflowId workflow = {};  ///< Empty: of every workflow.
  std::string reason = {};   ///< At most 2000 bytes.
  std::string by = {};
  Time since{};
};

}  // namespace v0
}  // namespace openindex
