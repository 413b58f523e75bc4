// ScenarioActor, ScenarioAgent: somebody who acts in a `Scenario`. What they do is what is tested: every call returns
// the library's answer, accepted or refused, for the test to check.
//
// Made by `Scenario::person` and `Scenario::agent`. Thread safety: one scenario, one thread. Must not outlive it.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <openindex/access/actor.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/scenario_answers.hpp>
#include <openindex/work/rules.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

class OPENINDEX_API ScenarioActor {
 public:
  ScenarioActor(Scenario& scenario, Actor actor) : scenario_(&scenario), actor_(std::move(actor)) {}

  /// Create an item; of the scenario's workflow, unless it names another.
  Result<WorkItem> create(NewItem item) const;

  /// Any command; the ones below are the most frequent, by name. Each returns the item after it.
  Result<WorkItem> execute(const ItemKey& item, const Command& command) const;
  Result<WorkItem> progress(const ItemKey& item, std::string gate, Progress acknowledged = {}) const;
  Result<WorkItem> set_fields(const ItemKey& item, FieldValues values) const;
  Result<WorkItem> set_field(const ItemKey& item, const std::string& field, FieldValue value) const;
  Result<WorkItem> comment(const ItemKey& item, std::string body) const;
  Result<WorkItem> transition(const ItemKey& item, std::string to_status) const;
  Result<WorkItem> complete(const ItemKey& item, std::string to_status = {}) const;
  Result<WorkItem> done(const ItemKey& item) const;
  Result<WorkItem> reacknowledge(const ItemKey& item, Reacknowledge again = {}) const;
  Result<WorkItem> take_over(const ItemKey& item, TakeOver take = {}) const;
  Result<WorkItem> reopen(const ItemKey& item, std::string to_status = {}) const;
  Result<WorkItem> update(const ItemKey& item, UpdateItem update) const;
  Result<WorkItem> depend(const ItemKey& item, const ItemKey& on) const;

  /// Tell what this actor may do to the item. Fails the scenario when the item cannot be read.
  [[nodiscard]] ScenarioContext context(const ItemKey& item, CallSite site = CallSite::here()) const;

  [[nodiscard]] const Actor& actor() const noexcept { return actor_; }

 protected:
  Scenario* scenario_;
  Actor actor_;
};

/// An agent that works through the queue, by hand or by a script.
class OPENINDEX_API ScenarioAgent : public ScenarioActor {
 public:
  using ScenarioActor::ScenarioActor;

  /// Claim an item where the claim itself is tested; `Scenario::claim` is for those that must succeed.
  Result<AgentSession> claim(const ItemKey& item, const Claim& claim = {}) const;

  /// Claim the most urgent item there is; nullopt when there is none.
  Result<std::optional<AgentSession>> claim_next(const QueueFilter& filter = {}) const;

  /// Claim the most urgent item there is, do what the script says, and give back what is still held.
  ///
  /// The script is a function of the session that returns nothing or a `Result<void>`, or a list of commands:
  ///
  ///     s.agent("alpha").does({SetFields{{{"severity", "major"}}}, Progress{"triage_to_plan", true}});
  ///
  /// @returns the item as the agent leaves it.
  /// @par Errors the first refusal (a list: with the fact `step`, counted from 1); not_found: nothing is available
  template <std::invocable<AgentSession&> Script>
  Result<WorkItem> does(Script&& script) const {
    return run([&](AgentSession& work) -> Result<void> {
      if constexpr (std::is_void_v<std::invoke_result_t<Script&, AgentSession&>>) {
        std::invoke(script, work);
        return {};
      } else {
        return std::invoke(script, work);
      }
    });
  }
  Result<WorkItem> does(const std::vector<Command>& script) const;

 private:
  Result<WorkItem> run(const std::function<Result<void>(AgentSession&)>& script) const;
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
