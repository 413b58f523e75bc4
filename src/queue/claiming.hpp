// One call of `claim_next`: candidates from the window, claimed in as few commits as possible.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <openindex/agent_queue.hpp>

#include "engine/answers.hpp"
#include "queue/window.hpp"

namespace openindex {
inline namespace v0 {

class AgentQueue::Claiming {
 public:
  /// References must outlive it. An empty idempotency key: nothing is remembered.
  Claiming(WorkflowEngine& engine, Window& window, const Actor& actor, const QueueFilter& filter, const Claim& claim,
           std::size_t count, std::string idempotency_key);

  Result<std::vector<WorkItem>> run();

 private:
  using Candidates = std::vector<Window::Candidate>;

  Result<void> recall();
  Result<Candidates> choose(int& fills);
  Result<void> claim_all(const Candidates& candidates);
  [[nodiscard]] engine::Request request(std::size_t slot) const;

  WorkflowEngine& engine_;
  Window& window_;
  const Actor& actor_;
  const QueueFilter& filter_;
  const Claim& claim_;
  std::size_t count_;
  std::string idempotency_key_;
  std::vector<WorkItem> claimed_;
  std::vector<std::size_t> slots_;  ///< Each claim is remembered under one of its own; those that are left.
  std::optional<Error> unfit_;      ///< Why a candidate could not be claimed like this.
};

}  // namespace v0
}  // namespace openindex
