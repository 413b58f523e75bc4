// RunFilter: which runs to list, and a page of them.
//
// For `WorkflowEngine::list_runs`. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>
#include <openindex/work/agent_run.hpp>

namespace openindex {
inline namespace v0 {

/// Which runs to list; empty members match everything, except that without an item and without states those that have
/// ended are left out.
struct RunFilter {
  ItemKey item = {};                  ///< Of this item, newest first.
  std::vector<RunState> states = {};  ///< In any of these.
  std::optional<RunReason> reason = {};
  WorkflowId workflow = {};
  std::string stage = {};
  ProviderId provider = {};            ///< Asked last, or wanted first.
  std::optional<Time> due_until = {};  ///< Tried again by itself at this moment or before.
  std::uint32_t limit_count = 100;     ///< 1 to 1000.
  std::string after = {};              ///< `RunPage::next` of the page before.
};

/// Runs that wait their turn by the time they are due, then those that wait for somebody, those that run, and those
/// that have ended by their end, as long as their journal is kept; older ones are found by their item only. A page may
/// be short, or empty, and not the last. A run that changes its state while pages are read may be listed twice or not
/// at all.
struct RunPage {
  std::vector<AgentRun> runs = {};
  std::string next = {};  ///< For `RunFilter::after`; empty: this was the last page.
};

}  // namespace v0
}  // namespace openindex
